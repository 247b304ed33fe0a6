// Requests over HTTP with everything that a stranger's server may do wrong, several at once. Used by one thread: transfers
// move on only within the calls below. Only http_client.cc and http_url.cc know libcurl.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace caudal {

class HttpAuth;

struct HttpOptions {
  /// These and what `auth` gives go to the scheme, host and port of `origin_url` alone.
  std::map<std::string, std::string> headers;
  HttpAuth* auth = nullptr;  // outlives the client; null = no credentials
  std::string origin_url;
  std::chrono::milliseconds timeout{60'000};  // of one request
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds read_timeout{30'000};   // without a byte
  std::chrono::milliseconds longest_wait{120'000};  // of one request, for a server that says 429, or 503 with Retry-After
  std::optional<std::chrono::milliseconds> total_timeout;  // of everything, from Make on
  int tries = 3;
  int lanes = 1;  // requests at once
  /// The least time between the beginnings of two requests.
  std::chrono::microseconds spacing{0};
  std::int64_t max_bytes = std::int64_t{32} << 20;
  bool allow_private = false;  // at origin_url, and nowhere else
  /// Texts that no message may hold.
  std::vector<std::string> secrets;
  std::function<bool()> cancelled;  // may be empty
};

struct HttpRequest {
  std::string url;
  bool post = false;
  std::string body;
  std::string content_type = "application/json";  // of the body
  std::map<std::string, std::string> headers;     // of this request alone
  bool operator==(const HttpRequest&) const = default;
};

struct HttpAnswer {
  int status = 0;
  std::string url;  // after redirects, without credentials
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  /// The header's value, or "".
  std::string Header(const std::string& name) const;
};

class HttpClient {
 public:
  using Ticket = std::uint64_t;

  static Result<std::unique_ptr<HttpClient>> Make(HttpOptions options);
  virtual ~HttpClient() = default;

  /// Begins a request as soon as a lane is free; those begun first go first.
  virtual Ticket Start(HttpRequest request) = 0;
  /// Waits for the answer; each ticket once. Any 2xx, and 304 where the request asked a condition. Connect errors, broken
  /// bodies, 408, 429 and 5xx are tried again, a 401 once where the credentials can be renewed.
  /// Errors: kPermission (401, 403, private address, redirect that would carry credentials away), kNotFound (404, 410),
  /// kInvalidArgument (other 4xx), kUnavailable, kTimeout, kCancelled, kCorruption (too large), kUnsupported (compressed in
  /// an unknown way). Without secrets.
  virtual Result<HttpAnswer> Finish(Ticket ticket) = 0;
  /// Gives up a request whose answer nobody wants.
  virtual void Drop(Ticket ticket) = 0;

  Result<HttpAnswer> Ask(HttpRequest request) { return Finish(Start(std::move(request))); }
};

/// `url` against `base`, as RFC 3986 says. Errors: kInvalidArgument; kPermission for a scheme that is not http(s).
Result<std::string> ResolveUrl(const std::string& base, const std::string& url);
/// Scheme, host and port are the same.
bool SameOrigin(const std::string& a, const std::string& b);
/// Appends or replaces a query parameter.
std::string WithParameter(const std::string& url, const std::string& name, const std::string& value);
/// As a segment of a path or a value in a query.
std::string UrlEncoded(const std::string& text);
/// For messages and origins: without user, password and the values of parameters that look like keys.
std::string PublicUrl(const std::string& url);
/// `text` with each of `secrets` replaced by ***.
std::string Redacted(std::string text, const std::vector<std::string>& secrets);

}  // namespace caudal
