// A bucket, or what is below a prefix in it, as an ObjectStore. How it is set up: docs/s3.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "store/aws_credentials.h"
#include "store/object_store.h"

namespace caudal {

struct S3Options {
  std::string bucket;
  std::string prefix;       // no slash at either end; "" = the whole bucket
  std::string endpoint;     // "http://127.0.0.1:9000", no slash at the end; "" = AWS in `region`
  std::string region;
  bool path_style = false;  // the bucket stands in the path, not in the host's name
  std::string ca_file;      // "" = the system's authorities
  std::shared_ptr<AwsCredentials> credentials;  // shared: with whoever else signs for the same account

  int tries = 8;  // of one request
  std::chrono::milliseconds first_pause{100};
  std::chrono::milliseconds longest_pause{5'000};
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::seconds stall{30};
  std::int64_t part_bytes = std::int64_t{16} << 20;  // a larger object is sent in parts; least 5 MiB
  std::chrono::seconds read_url_lifetime{12 * 3600};
  std::chrono::seconds lease{20};  // of a lock
};

/// "s3://bucket/prefix". Errors: kInvalidArgument that says what is wrong with it.
struct S3Place {
  std::string bucket;
  std::string prefix;
};
Result<S3Place> ParseS3Url(std::string_view url);

/// Options for `url` from what AWS's tools look at: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, AWS_REGION, AWS_DEFAULT_REGION,
/// AWS_CA_BUNDLE, AWS_S3_ADDRESSING_STYLE (path, virtual) and the profile in ~/.aws/config; the keys come from
/// MakeCredentialChain. Asks nobody. Errors: kInvalidArgument.
Result<S3Options> S3OptionsOf(std::string_view url, const Environment& environment, const Clock& clock);

class S3Store : public ObjectStore {
 public:
  /// Requests that this store has sent so far.
  virtual std::int64_t requests() const = 0;
  /// Objects are read at this address: "http://host:9000/bucket/prefix" or "https://bucket.host/prefix".
  virtual std::string ReadRoot() const = 0;
  virtual const S3Options& options() const = 0;
  /// The names between `folder`/ and the next slash, where there are objects below them.
  virtual Result<std::vector<std::string>> Folders(std::string_view folder) const = 0;
  /// PutIfAbsent that calls `before_last_byte` when the server has all but the last byte; that may wait for other writers, so
  /// that each server which looks at the condition too early is caught.
  virtual Status RaceToCreate(std::string_view key, std::string_view bytes, const std::function<void()>& before_last_byte) = 0;
  /// Asks for the bucket. Errors: kInvalidArgument (no such bucket, other region), kPermission, kUnavailable.
  virtual Status CheckBucket() const = 0;
};

Result<std::unique_ptr<S3Store>> MakeS3Store(S3Options options);

}  // namespace caudal
