#include "serve/http_server.h"

#include <sys/resource.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <future>
#include <optional>
#include <thread>
#include <vector>

#include "serve/http_connection.h"

namespace caudal {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t kRecentEvents = 2'000;
constexpr std::chrono::milliseconds kAcceptAgain{200};
constexpr std::chrono::milliseconds kStopPoll{20};
constexpr int kStopPolls = 100;

/// A thousand connections and the files of runs need more than the usual 1,024.
void AllowManyFiles() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= 65'536) return;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 65'536);
  static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
}

Error OfSystem(const error_code& error, const HttpServerOptions& options) {
  const std::string address = options.host + ":" + std::to_string(options.port);
  if (error == asio::error::address_in_use) {
    return Error{ErrorKind::kConflict, "somebody else listens at " + address, "give another address: `caudal serve --listen 127.0.0.1:0` takes a port that is free",
                 "serve.http.listen"};
  }
  const bool denied = error == asio::error::access_denied;
  return Error{denied ? ErrorKind::kPermission : ErrorKind::kInvalidArgument, "cannot listen at " + address + ": " + error.message(),
               "give an address of this machine: 127.0.0.1:8088", "serve.http.listen"};
}

class Server final : public HttpServer {
 public:
  Server(const HttpServerOptions& options, HttpHandler handler) : x_acceptor(x_shared.context), x_again(x_shared.context) {
    x_shared.options = options;
    x_shared.handler = std::move(handler);
  }
  ~Server() override { Stop(); }

  Status Listen() {
    AllowManyFiles();
    error_code error;
    const auto address = asio::ip::make_address(x_shared.options.host, error);
    if (error) return OfSystem(error, x_shared.options);
    const asio::ip::tcp::endpoint endpoint(address, static_cast<asio::ip::port_type>(x_shared.options.port));
    x_acceptor.open(endpoint.protocol(), error);
    if (!error) x_acceptor.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) x_acceptor.bind(endpoint, error);
    if (!error) x_acceptor.listen(1024, error);
    if (error) return OfSystem(error, x_shared.options);
    x_port = x_acceptor.local_endpoint(error).port();
    x_shared.pool = std::make_unique<asio::thread_pool>(x_shared.options.handler_threads);
    AcceptNext();
    x_work.emplace(x_shared.context.get_executor());
    x_thread = std::thread([this] { x_shared.context.run(); });
    return {};
  }

  int port() const override { return x_port; }
  std::size_t connections() const override { return x_shared.count; }

  void Publish(std::int64_t sequence, std::string text) override {
    PublishedEvent event{sequence, std::make_shared<const std::string>(std::move(text))};
    asio::post(x_shared.context, [this, event = std::move(event)] {
      x_shared.recent.push_back(event);
      if (x_shared.recent.size() > kRecentEvents) x_shared.recent.pop_front();
      ToStreams(event);
    });
  }

  void KeepAlive() override {
    // Asked here, since it may take a while; the connections are the other thread's.
    auto asked = std::make_shared<std::vector<std::pair<HttpConnection*, std::function<bool()>>>>();
    RunThere([this, asked] {
      for (HttpConnection* connection : x_shared.connections) {
        if (connection->stream() != nullptr) asked->emplace_back(connection, connection->stream()->still_allowed);
      }
    });
    std::set<HttpConnection*> refused;
    for (const auto& [connection, allowed] : *asked) {
      if (allowed && !allowed()) refused.insert(connection);
    }
    RunThere([this, refused] {
      const auto all = x_shared.connections;  // closing changes it
      for (HttpConnection* connection : all) {
        if (connection->stream() != nullptr && refused.contains(connection)) connection->Close();
      }
      ToStreams({INT64_MAX, std::make_shared<const std::string>(": still here\n\n")});
    });
  }

  void Stop() override {
    if (!x_thread.joinable()) return;
    RunThere([this] {
      error_code ignored;
      x_acceptor.close(ignored);
      x_again.cancel();
      x_shared.stopping = true;
      CloseThose([](const HttpConnection& c) { return !c.answering(); });
    });
    for (int i = 0; i < kStopPolls && x_shared.count > 0; ++i) std::this_thread::sleep_for(kStopPoll);
    RunThere([this] { CloseThose([](const HttpConnection&) { return true; }); });
    x_shared.pool->join();
    x_shared.context.stop();
    x_thread.join();
  }

 private:
  void AcceptNext() {
    x_acceptor.async_accept([this](error_code error, asio::ip::tcp::socket socket) {
      if (!x_acceptor.is_open()) return;
      if (error) {  // no descriptor is left, as a rule
        x_again.expires_after(kAcceptAgain);
        x_again.async_wait([this](error_code cancelled) {
          if (!cancelled) AcceptNext();
        });
        return;
      }
      if (x_shared.count < x_shared.options.most_connections) HttpConnection::Accept(x_shared, std::move(socket));
      AcceptNext();
    });
  }

  void ToStreams(const PublishedEvent& event) {
    const auto all = x_shared.connections;  // closing changes it
    for (HttpConnection* connection : all) {
      if (connection->stream() != nullptr) connection->Send(event);
    }
  }

  template <typename Which>
  void CloseThose(Which which) {
    const auto all = x_shared.connections;
    for (HttpConnection* connection : all) {
      if (which(*connection)) connection->Close();
    }
  }

  /// On the server's thread, done when it returns.
  void RunThere(const std::function<void()>& work) {
    std::promise<void> done;
    auto waited = done.get_future();
    asio::post(x_shared.context, [&work, done = std::move(done)]() mutable {
      work();
      done.set_value();
    });
    waited.wait();
  }

  HttpShared x_shared;
  asio::ip::tcp::acceptor x_acceptor;
  asio::steady_timer x_again;
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> x_work;  // the thread waits for more
  int x_port = 0;
  std::thread x_thread;
};

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::Start(const HttpServerOptions& options, HttpHandler handler) {
  auto server = std::make_unique<Server>(options, std::move(handler));
  TRY(server->Listen());
  return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace caudal
