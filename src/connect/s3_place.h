// What lies below a prefix of a bucket as a place of files, through the lake's own S3 client.
#pragma once

#include <memory>
#include <string>

#include "connect/options.h"
#include "connect/place.h"

namespace caudal {

/// `url`: s3://bucket/prefix. Asks for the bucket. Errors: kPermission, kInvalidArgument, kUnavailable.
Result<std::unique_ptr<FilePlace>> OpenS3Place(const std::string& url, const Options& options, const std::string& ca_file);

}  // namespace caudal
