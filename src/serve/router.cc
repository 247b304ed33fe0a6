#include "serve/router.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "serve/password.h"
#include "serve/web_files.h"

namespace caudal {
namespace {

std::vector<std::string_view> Split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(at);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

/// Words of the path where it is the route's.
std::optional<std::map<std::string, std::string>> Match(std::string_view route, const std::vector<std::string_view>& path) {
  const auto parts = Split(route, '/');
  if (parts.size() != path.size()) return std::nullopt;
  std::map<std::string, std::string> words;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (!parts[i].starts_with('{')) {
      if (parts[i] != path[i]) return std::nullopt;
      continue;
    }
    auto word = DecodePercent(path[i]);
    if (!word || word->empty()) return std::nullopt;
    words[std::string(parts[i].substr(1, parts[i].size() - 2))] = *std::move(word);
  }
  return words;
}

/// "localhost:8088" -> "localhost", "[::1]:8088" -> "::1", in lower case.
std::string HostName(std::string host) {
  std::transform(host.begin(), host.end(), host.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
  return host.substr(0, host.find(':'));
}

bool HostIsRight(const RouterOptions& options, const std::string& host) {
  const std::string name = HostName(host);
  if (name == "localhost" || name == "127.0.0.1" || name == "::1") return true;
  if (std::find(options.hosts.begin(), options.hosts.end(), name) != options.hosts.end()) return true;
  return !options.loopback && options.hosts.empty();
}

/// A browser says where a request comes from; a program does not.
bool OriginIsRight(const HttpRequest& request) {
  const std::string origin = request.Header("origin");
  if (origin.empty()) return true;
  const std::size_t scheme = origin.find("://");
  return scheme != std::string::npos && origin.substr(scheme + 3) == request.Header("host");
}

HttpResponse Denied(int status, const char* message, const char* next) {
  HttpResponse response = ProblemResponse(status, Error{ErrorKind::kPermission, message, next, ""});
  if (status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"caudal\"");
  return response;
}

Result<std::map<std::string, std::string>> ReadQuery(const Route& route, const std::string& query) {
  std::map<std::string, std::string> values;
  if (query.empty()) return values;
  const auto known = Split(route.query, ' ');
  for (const std::string_view pair : Split(query, '&')) {
    if (pair.empty()) continue;
    const std::size_t is = pair.find('=');
    std::string plain(is == std::string_view::npos ? "" : pair.substr(is + 1));
    std::replace(plain.begin(), plain.end(), '+', ' ');
    const auto name = DecodePercent(pair.substr(0, is));
    auto value = DecodePercent(plain);
    if (!name || !value) return Error{ErrorKind::kInvalidArgument, "the query is not written in percent encoding", "write % as %25", "query"};
    if (name->empty() || std::find(known.begin(), known.end(), *name) == known.end()) {
      const std::string shown = name->substr(0, 60);
      return Error{ErrorKind::kInvalidArgument, "'" + shown + "' is no query parameter here", *route.query == 0 ? "it has none" : "there is " + std::string(route.query), shown};
    }
    if (!values.emplace(*name, *std::move(value)).second) {
      return Error{ErrorKind::kInvalidArgument, "query parameter '" + *name + "' is given twice", "give it once", *name};
    }
  }
  return values;
}

Result<std::optional<Principal>> WhoCalls(const Served& served, const HttpRequest& request) {
  const std::string authorization = request.Header("authorization");
  if (!authorization.empty()) {
    constexpr std::string_view kBearer = "Bearer ";
    if (!authorization.starts_with(kBearer)) return std::optional<Principal>();
    return served.access.OfToken(authorization.substr(kBearer.size()));
  }
  const std::string cookie = SessionCookie(request.Header("cookie"));
  if (cookie.empty()) return std::optional<Principal>();
  return served.access.OfCookie(cookie);
}

bool IsData(const std::string& path) { return path.starts_with("/api/") || path == "/api" || path.starts_with("/health/") || path == "/metrics"; }

HttpResponse Page(const HttpRequest& request) {
  if (request.method != "GET" && request.method != "HEAD") {
    HttpResponse response = ProblemResponse(405, Error{ErrorKind::kUnsupported, "only GET reads a page", "", ""});
    response.headers.emplace_back("Allow", "GET, HEAD");
    return response;
  }
  const WebFile* file = FindWebFile(request.path);
  // Files lie at the top and in /assets; below anything else a name may have a dot: /tables/silver.orders.
  const bool at_top = request.path.rfind('/') == 0;
  // Who does not ask for a page (a program with a mistake in its path) is better told that nothing is there.
  const bool is_page = request.path == "/" || (request.Header("accept").find("text/html") != std::string::npos && !request.path.starts_with("/assets/") &&
                                               !(at_top && request.path.find('.') != std::string::npos));
  if (file == nullptr && is_page) file = FindWebFile("/index.html");
  if (file == nullptr) return ProblemResponse(404, Error{ErrorKind::kNotFound, "there is no such file", "", ""});
  HttpResponse response;
  response.headers.emplace_back("ETag", file->etag);
  response.headers.emplace_back("Cache-Control", file->immutable ? "public, max-age=31536000, immutable" : "no-cache");
  response.headers.emplace_back("Vary", "Accept-Encoding");
  response.media_type = file->media_type;
  if (request.Header("if-none-match") == file->etag) {
    response.status = 304;
    return response;
  }
  if (request.Header("accept-encoding").find("gzip") == std::string::npos) {
    return ProblemResponse(406, Error{ErrorKind::kUnsupported, "the page is kept compressed", "send Accept-Encoding: gzip, as `curl --compressed` does", ""});
  }
  response.headers.emplace_back("Content-Encoding", "gzip");
  response.fixed = file->bytes;
  return response;
}

/// Nothing where the call may go on.
std::optional<HttpResponse> Refuse(const Route& route, const HttpRequest& request, const Principal& who) {
  const bool changes = std::string_view(route.method) != "GET";
  if (route.role != Role::kNone && who.role < route.role) {
    const std::string needs = "this needs the role " + std::string(RoleName(route.role)) + "; you are " + std::string(RoleName(who.role));
    return Denied(403, needs.c_str(), "ask an admin");
  }
  if (!changes) return std::nullopt;
  if (!OriginIsRight(request)) return Denied(403, "the request comes from another site", "");
  if (who.by_session && !SameSecret(request.Header("x-csrf-token"), who.csrf)) {
    return Denied(403, "X-CSRF-Token is missing or wrong", "send the `csrf` of GET /api/v1/session");
  }
  if (!route.body) return std::nullopt;
  const std::string type = request.Header("content-type");
  const std::string plain = type.substr(0, type.find(';'));
  if (plain != "application/json") {
    return ProblemResponse(415, Error{ErrorKind::kInvalidArgument, "the body has to be JSON", "send Content-Type: application/json", "content-type"});
  }
  return std::nullopt;
}

}  // namespace

std::string SessionCookie(const std::string& header) {
  for (std::string_view pair : Split(header, ';')) {
    while (pair.starts_with(' ')) pair.remove_prefix(1);
    const std::size_t is = pair.find('=');
    if (is != std::string_view::npos && pair.substr(0, is) == kSessionCookie) return std::string(pair.substr(is + 1));
  }
  return "";
}

std::string Call::Query(const std::string& name) const {
  const auto it = query.find(name);
  return it == query.end() ? std::string() : it->second;
}

Result<std::int64_t> Call::Number(const std::string& name, std::int64_t least, std::int64_t most, std::int64_t fallback) const {
  const auto it = query.find(name);
  if (it == query.end()) return fallback;
  std::int64_t number = 0;
  const char* last = it->second.data() + it->second.size();
  const auto [end, error] = std::from_chars(it->second.data(), last, number);
  if (error == std::errc() && end == last && number >= least && number <= most) return number;
  return Error{ErrorKind::kInvalidArgument, "'" + name + "' is no whole number from " + std::to_string(least) + " to " + std::to_string(most), "", name};
}

Result<HttpResponse> Router::Take(const Route& route, const HttpRequest& request, std::map<std::string, std::string> words) {
  Principal who;
  if (route.role != Role::kNone) {
    TRY_ASSIGN(auto principal, WhoCalls(x_served, request));
    if (!principal) return Denied(401, "who calls is not known", "log in, or send Authorization: Bearer with a token of `caudal token create`");
    who = *std::move(principal);
  }
  if (auto refused = Refuse(route, request, who)) return *std::move(refused);
  TRY_ASSIGN(auto query, ReadQuery(route, request.query));
  const Call call{request, std::move(who), std::move(words), std::move(query)};
  if (!route.kept) return route.handler(x_served, call);
  TRY_ASSIGN(const AnswerGround ground, GroundNow(x_served));
  const std::string asked = request.path + "?" + request.query;
  if (auto kept = x_answers.Find(asked, ground)) return *std::move(kept);
  TRY_ASSIGN(HttpResponse response, route.handler(x_served, call));
  x_answers.Keep(asked, ground, response);
  return response;
}

HttpResponse Router::Answer(const HttpRequest& request) {
  if (!HostIsRight(x_options, request.Header("host"))) {
    return ProblemResponse(421, Error{ErrorKind::kPermission, "this is not the host that was asked for", "name it: `caudal serve --url https://that.host`", "host"});
  }
  if (!IsData(request.path)) return Page(request);
  const auto path = Split(request.path, '/');
  const std::string method = request.method == "HEAD" ? "GET" : request.method;
  std::string allowed;
  for (const Route& route : Routes()) {
    auto words = Match(route.path, path);
    if (!words) continue;
    if (method != route.method) {
      allowed += (allowed.empty() ? "" : ", ") + std::string(route.method) + (std::string_view(route.method) == "GET" ? ", HEAD" : "");
      continue;
    }
    auto response = Take(route, request, *std::move(words));
    return response ? *std::move(response) : ProblemResponse(response.error());
  }
  if (allowed.empty()) return ProblemResponse(404, Error{ErrorKind::kNotFound, "there is no such route", "/api/v1/openapi.json names all", ""});
  HttpResponse response = ProblemResponse(405, Error{ErrorKind::kUnsupported, "this route does not take that method", "it takes " + allowed, ""});
  response.headers.emplace_back("Allow", allowed);
  return response;
}

}  // namespace caudal
