// GET over HTTP with everything that a stranger's server may do wrong. Only http_client.cc knows libcurl.
// Used by one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace caudal {

struct HttpOptions {
  std::map<std::string, std::string> headers;
  /// Sent to the host of `origin_url` alone, in each request.
  std::map<std::string, std::string> credentials;
  std::string origin_url;
  std::chrono::milliseconds timeout{60'000};          // of one request
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds longest_wait{30'000};     // for a Retry-After
  int tries = 3;
  std::int64_t max_bytes = std::int64_t{32} << 20;
  bool allow_private = false;
  /// Texts that no message may hold.
  std::vector<std::string> secrets;
  std::function<bool()> cancelled;  // may be empty
};

struct HttpAnswer {
  int status = 0;
  std::string url;  // after redirects
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  /// The header's value, or "".
  std::string Header(const std::string& name) const;
};

class HttpClient {
 public:
  static Result<std::unique_ptr<HttpClient>> Make(HttpOptions options);
  virtual ~HttpClient() = default;

  /// Any 2xx, and 304 where `extra` asks a condition. Connect errors, broken bodies, 429 and 5xx are tried again.
  /// Errors: kPermission (401, 403, private address, redirect that would carry credentials away), kNotFound (404, 410),
  /// kInvalidArgument (other 4xx), kUnavailable, kTimeout, kCancelled, kCorruption (too large). Without secrets.
  virtual Result<HttpAnswer> Get(const std::string& url, const std::map<std::string, std::string>& extra) = 0;
};

/// `url` against `base`, as RFC 3986 says. Errors: kInvalidArgument; kPermission for a scheme that is not http(s).
Result<std::string> ResolveUrl(const std::string& base, const std::string& url);
/// Scheme, host and port are the same.
bool SameOrigin(const std::string& a, const std::string& b);
/// Appends or replaces a query parameter.
std::string WithParameter(const std::string& url, const std::string& name, const std::string& value);
/// For messages and origins: without user, password and the values of parameters that look like keys.
std::string PublicUrl(const std::string& url);
/// `text` with each of `secrets` replaced by ***.
std::string Redacted(std::string text, const std::vector<std::string>& secrets);

}  // namespace caudal
