// A request and its answer, without the library that reads and writes them. Values.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/json_fwd.h"

namespace caudal {

struct HttpRequest {
  std::string method;  // "GET"
  std::string path;    // as it came, without the query
  std::string query;   // behind '?', as it came
  std::map<std::string, std::string> headers;  // names in lower case; of several with one name the values joined by ", "
  std::string body;
  std::string peer;    // address of the other end

  std::string Header(const std::string& name) const;
};

/// What an event stream goes on with once its answer was sent.
struct EventStream {
  std::int64_t after = 0;               // only events behind this one
  std::function<bool()> still_allowed;  // asked now and then, not on the server's thread
};

struct HttpResponse {
  int status = 200;
  std::string media_type = "application/json";
  std::string body;
  std::string_view fixed;  // a body that lives as long as the process, instead
  std::vector<std::pair<std::string, std::string>> headers;
  std::optional<EventStream> stream;
};

HttpResponse JsonResponse(int status, const Json& body);
/// application/problem+json, RFC 9457.
HttpResponse ProblemResponse(int status, const Error& error);
/// With the status that the error's kind stands for.
HttpResponse ProblemResponse(const Error& error);
/// What a status is called: "Not Found".
std::string_view ReasonOf(int status);

/// "%2F" and the like. Nothing for a text with broken ones, or with a NUL.
std::optional<std::string> DecodePercent(std::string_view text);

using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;

}  // namespace caudal
