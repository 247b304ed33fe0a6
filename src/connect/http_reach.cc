#include "connect/http_reach.h"

#include <algorithm>

namespace caudal {
namespace {

/// A header that is a credential even where nobody says so.
bool IsCredential(const std::string& name) {
  return PublicUrl("http://h/?" + name + "=1").ends_with("***") || name == "Cookie" || name == "cookie";
}

Status TakeHeaders(const Options& options, HttpOptions& http) {
  for (const auto& [name, value] : options.Map("client.headers")) {
    if ((name + value).find_first_of("\r\n") != std::string::npos) {
      return Error{ErrorKind::kInvalidArgument, "a header holds a line end: " + name,
                   "write the value, or the secret behind it, in one line", ""};
    }
    http.headers[name] = value;
    if (IsCredential(name)) http.secrets.push_back(value);
  }
  return {};
}

std::chrono::microseconds Spacing(const Options& options) {
  const std::int64_t second = options.Integer("client.requests_per_second", 0);
  const std::int64_t minute = options.Integer("client.requests_per_minute", 0);
  if (second > 0) return std::chrono::microseconds(1'000'000 / second);
  return std::chrono::microseconds(minute > 0 ? 60'000'000 / minute : 0);
}

}  // namespace

std::string HttpReach::Public(const std::string& text) const {
  return Redacted(Redacted(text, http.secrets), auth->secrets());
}

Result<HttpReach> MakeHttpReach(const SourceRequest& request, const Options& options, std::function<bool()> cancelled, int tries) {
  HttpReach reach;
  const std::string base_url = options.Text("client.base_url", "");
  TRY_ASSIGN(reach.http.origin_url, ResolveUrl(base_url, base_url));
  using std::chrono::seconds;
  reach.http.timeout = options.Duration("client.timeout", seconds(60));
  reach.http.connect_timeout = options.Duration("client.connect_timeout", seconds(10));
  reach.http.read_timeout = options.Duration("client.read_timeout", seconds(30));
  reach.http.longest_wait = options.Duration("client.max_wait", seconds(120));
  if (options.Has("client.total_timeout")) reach.http.total_timeout = options.Duration("client.total_timeout", seconds(3600));
  reach.http.tries = tries;
  reach.http.lanes = static_cast<int>(std::clamp<std::int64_t>(options.Integer("client.parallel_requests", 4), 1, 32));
  reach.http.spacing = Spacing(options);
  reach.http.max_bytes = options.Integer("client.max_page_bytes", std::int64_t{32} << 20);
  reach.http.allow_private = options.Boolean("client.allow_private", false);
  reach.http.cancelled = std::move(cancelled);
  TRY(TakeHeaders(options, reach.http));
  for (const std::string& secret : request.secrets) {
    // A URL that came as ${NAME} names a place, and messages must name it, too.
    const bool place = secret == base_url || secret == options.Text("client.auth.access_token_url", "");
    if (!place) reach.http.secrets.push_back(secret);
  }
  reach.rules.base_url = reach.http.origin_url;
  reach.rules.max_pages = options.Integer("client.max_pages", 100'000);
  reach.rules.lanes = static_cast<std::size_t>(reach.http.lanes);
  reach.max_read_bytes = options.Integer("client.max_read_bytes", std::int64_t{16} << 30);
  TRY_ASSIGN(reach.auth, MakeHttpAuth(options, "client.auth", reach.http, SystemClock()));
  reach.http.auth = reach.auth.get();
  TRY_ASSIGN(reach.client, HttpClient::Make(reach.http));
  return reach;
}

}  // namespace caudal
