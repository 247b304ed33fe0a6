// One signed request to a bucket, tried until it has an answer that means something. Thread-safe.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "store/s3.h"
#include "store/s3_sign.h"
#include "store/wire.h"

namespace caudal {

struct S3Request {
  std::string method;
  std::string key;  // below the store's prefix; "" = the bucket itself
  S3Query query = {};
  std::map<std::string, std::string> headers = {};  // names in lower case
  std::string_view body = {};
  std::function<void()> before_last_byte = {};  // WireRequest's
};

struct S3Outcome {
  /// False: nobody gave an answer that ends it; `error` is the last one's.
  bool answered = false;
  WireReply reply;  // any status that another try would not change
  std::string code; // "NoSuchKey", ... where the reply is an error with a body
  Error error;
  /// An earlier try, or the last one, may have had its effect without our learning of it.
  bool unclear = false;
};

class S3Client {
 public:
  /// `options.credentials` is set.
  explicit S3Client(S3Options options);

  S3Outcome Send(const S3Request& request);
  /// A URL that GETs the object without keys, for options.read_url_lifetime.
  Result<std::string> ReadUrl(std::string_view key);
  /// The address of the prefix: "http://host:9000/bucket/prefix".
  std::string Root() const;
  /// The object's full key in the bucket.
  std::string FullKey(std::string_view key) const;
  const S3Options& options() const { return x_options; }
  std::int64_t requests() const { return x_wire.sent(); }

 private:
  WireOutcome SendOnce(const S3Request& request, const AwsKeys& keys, const std::string& payload);
  /// True: the answer says that another try may fare better, and what was wrong is put right.
  bool Again(const S3Request& request, const S3Outcome& outcome, const AwsKeys& keys, int attempt);
  std::string PathOf(std::string_view key) const;
  std::string Origin() const;
  std::string Host() const;
  Timestamp ServersNow() const;

  const S3Options x_options;
  Wire x_wire;
  mutable std::mutex x_mutex;
  std::chrono::seconds x_clock_offset{0};  // the server's clock minus ours; guarded by x_mutex
};

/// What a reply with status >= 300 means to the caller. `what` begins the message: "cannot read the object t/a".
Error S3ErrorOf(const S3Outcome& outcome, const std::string& what, const S3Options& options);

}  // namespace caudal
