#include "serve/web_service.h"

#include <algorithm>
#include <charconv>

#include "serve/event_feed.h"
#include "serve/router.h"

namespace caudal {
namespace {

Error BadListen(const std::string& text) {
  return Error{ErrorKind::kInvalidArgument, "'" + text + "' is no address to listen at", "write 127.0.0.1:8088, [::1]:8088, or `off`", "--listen"};
}

/// "127.0.0.1:8088", "localhost:0", "[::1]:8088".
Status ReadListen(const std::string& text, HttpServerOptions& options) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return BadListen(text);
  const auto [end, error] = std::from_chars(text.data() + colon + 1, text.data() + text.size(), options.port);
  if (error != std::errc() || end != text.data() + text.size() || options.port < 0 || options.port > 65'535) return BadListen(text);
  options.host = text.substr(0, colon);
  if (options.host == "localhost") options.host = "127.0.0.1";
  if (options.host.starts_with('[') && options.host.ends_with(']')) options.host = options.host.substr(1, options.host.size() - 2);
  return {};
}

/// The host of "https://caudal.example.com:8443/", in lower case. Errors: kInvalidArgument.
Result<std::string> HostOf(const std::string& url) {
  const std::size_t scheme = url.starts_with("https://") ? 8 : url.starts_with("http://") ? 7 : 0;
  std::string host = scheme == 0 ? "" : url.substr(scheme, url.find_first_of("/:", scheme) - scheme);
  if (host.empty()) return Error{ErrorKind::kInvalidArgument, "'" + url + "' is no URL by which people reach a daemon", "write https://caudal.example.com", "--url"};
  std::transform(host.begin(), host.end(), host.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return host;
}

class Service final : public WebService {
 public:
  Service(Daemon& daemon, std::unique_ptr<StateStore> state, const Clock& clock, bool secure)
      : x_state(std::move(state)),
        x_access(x_state->access(), clock),
        x_served{daemon, *x_state, x_access, x_lake, x_facts, clock, clock.Now(), secure, [this] { return x_server ? x_server->connections() : 0; }} {}
  ~Service() override { Stop(); }

  Status Begin(const HttpServerOptions& options, RouterOptions router, std::string url) {
    x_open = !router.loopback;
    x_router = std::make_unique<Router>(x_served, std::move(router));
    TRY_ASSIGN(auto server, HttpServer::Start(options, [this](const HttpRequest& request) { return x_router->Answer(request); }));
    x_server = std::move(server);
    const std::string host = options.host.find(':') == std::string::npos ? options.host : "[" + options.host + "]";
    x_address = "http://" + host + ":" + std::to_string(x_server->port());
    while (url.ends_with('/')) url.pop_back();
    TRY_ASSIGN(const auto key, x_access.NewSetupKey());
    if (key) x_setup_link = (url.empty() ? x_address : url) + "/setup#" + *key;
    x_feed = std::make_unique<EventFeed>(*x_state, *x_server);
    return x_feed->Start();
  }

  const std::string& address() const override { return x_address; }
  bool open_to_others() const override { return x_open; }
  const std::optional<std::string>& setup_link() const override { return x_setup_link; }

  void Stop() override {
    if (x_feed) x_feed->Stop();
    if (x_server) x_server->Stop();
  }

 private:
  // In the order in which one needs the other; the feed and the server end first.
  std::unique_ptr<StateStore> x_state;
  Access x_access;
  LakeView x_lake;
  ReleaseFacts x_facts;
  Served x_served;
  std::unique_ptr<Router> x_router;
  std::unique_ptr<HttpServer> x_server;
  std::unique_ptr<EventFeed> x_feed;
  std::string x_address;
  bool x_open = false;
  std::optional<std::string> x_setup_link;
};

}  // namespace

Result<std::unique_ptr<WebService>> WebService::Start(const WebOptions& options, Daemon& daemon, const std::string& state_path, const Clock& clock) {
  HttpServerOptions server;
  TRY(ReadListen(options.listen, server));
  RouterOptions router;
  router.loopback = server.host.starts_with("127.") || server.host == "::1";
  if (!options.url.empty()) {
    TRY_ASSIGN(std::string host, HostOf(options.url));
    router.hosts.push_back(std::move(host));
  }
  TRY_ASSIGN(auto state, MakeSqliteStore(state_path));
  auto service = std::make_unique<Service>(daemon, std::move(state), clock, options.url.starts_with("https://"));
  TRY(service->Begin(server, std::move(router), options.url));
  return std::unique_ptr<WebService>(std::move(service));
}

}  // namespace caudal
