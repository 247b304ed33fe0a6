// Takes a request to its route: which host it was sent to, who sends it, what that one may do, whether a browser was tricked
// into it. Everything that is not in the table of routes, or lacks the role, is refused. Thread-safe.
#pragma once

#include <string>
#include <vector>

#include "serve/answer_cache.h"
#include "serve/route.h"

namespace caudal {

struct RouterOptions {
  bool loopback = true;            // it listens there only: no name but the machine's own is right
  std::vector<std::string> hosts;  // further names by which it is reached, in lower case, without port
};

class Router {
 public:
  Router(const Served& served, RouterOptions options) : x_served(served), x_options(std::move(options)) {}

  HttpResponse Answer(const HttpRequest& request);

 private:
  Result<HttpResponse> Take(const Route& route, const HttpRequest& request, std::map<std::string, std::string> words);

  const Served& x_served;
  const RouterOptions x_options;
  AnswerCache x_answers;
};

/// The value of the session's cookie in a Cookie header, or "".
std::string SessionCookie(const std::string& header);
inline constexpr const char* kSessionCookie = "caudal_session";

}  // namespace caudal
