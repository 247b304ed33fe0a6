// What a lake on S3 changes for the workers: they get a URL a file instead of a path, and hold no key. Thread-safe.
#pragma once

#include <memory>
#include <string>

#include "engine/engine.h"
#include "store/s3.h"

namespace caudal {

/// Opens the store of `url` ("s3://bucket/prefix") and asks for the bucket. AWS's variables come from the environment, or from
/// the project's .caudal/secrets.env. Errors: S3OptionsOf, kInvalidArgument (no bucket), kPermission, kUnavailable.
Result<std::unique_ptr<S3Store>> OpenS3Lake(const std::string& url, const std::string& project_folder);

/// Inputs of compute jobs that lie in `store` are signed for; move jobs to it are done here, in this process. Every other job
/// passes through. No error quotes a URL's signature. `under` and `store` outlive it.
std::unique_ptr<Engine> MakeRemoteLakeEngine(Engine& under, S3Store& store);

/// `text` without what makes a signed URL good.
std::string WithoutSignatures(std::string text);

}  // namespace caudal
