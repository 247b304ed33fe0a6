// AWS Signature Version 4 for S3: a request becomes headers, or a URL that anybody may GET for a while. Pure.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html and
// sigv4-query-string-auth.html; the cases that AWS publishes there are in s3_sign_test.cc.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "store/aws_credentials.h"

namespace caudal {

/// Query parameters, not encoded.
using S3Query = std::vector<std::pair<std::string, std::string>>;

/// What a signature covers.
struct SignedRequest {
  std::string method;
  std::string host;  // with the port where it is not the scheme's own
  std::string path;  // percent-encoded once, begins with '/'
  S3Query query;
  std::map<std::string, std::string> headers;  // names in lower case; without host and x-amz-date
  std::string payload_sha256;                  // hex
};

/// Percent-encodes all but A-Z a-z 0-9 - . _ ~, and '/' where `keep_slash`.
std::string PercentEncoded(std::string_view text, bool keep_slash);
/// "a=1&b=%20": sorted, as a signature wants it.
std::string EncodedQuery(S3Query query);

/// The headers to send beside those of `request`: x-amz-date, x-amz-content-sha256, authorization, and
/// x-amz-security-token for temporary keys.
std::map<std::string, std::string> SignatureHeaders(const SignedRequest& request, const AwsKeys& keys, const std::string& region,
                                                    Timestamp now);

/// The query of a GET URL for `request` (whose own query and headers are empty) that is good for `lifetime`.
std::string PresignedQuery(const SignedRequest& request, const AwsKeys& keys, const std::string& region, Timestamp now,
                           std::chrono::seconds lifetime);

}  // namespace caudal
