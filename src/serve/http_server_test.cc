// The server with sockets of our own: what a client may do to it.
#include "serve/http_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>

namespace caudal {
namespace {

class Socket {
 public:
  explicit Socket(int port) : x_fd(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(x_fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~Socket() { ::close(x_fd); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  void Send(std::string_view text) const { static_cast<void>(::send(x_fd, text.data(), text.size(), MSG_NOSIGNAL)); }
  /// All until the other end closes, or until `last` came.
  std::string Receive(std::string_view last) const {
    std::string all;
    char buffer[4096];
    for (;;) {
      const ssize_t got = ::recv(x_fd, buffer, sizeof buffer, 0);
      if (got <= 0) return all;
      all.append(buffer, static_cast<std::size_t>(got));
      if (!last.empty() && all.find(last) != std::string::npos) return all;
    }
  }

 private:
  int x_fd;
};

std::unique_ptr<HttpServer> Serve(HttpServerOptions options, HttpHandler handler) {
  options.port = 0;
  auto server = HttpServer::Start(options, std::move(handler));
  EXPECT_TRUE(server) << server.error().ToString();
  return *std::move(server);
}

HttpResponse Echo(const HttpRequest& request) {
  HttpResponse response;
  response.body = request.method + " " + request.path + " " + request.query + " " + request.body;
  return response;
}

HttpResponse Stream(const HttpRequest&) {
  HttpResponse response;
  response.media_type = "text/event-stream";
  response.body = "retry: 1\n\n";
  response.stream = EventStream{2, {}};
  return response;
}

TEST(HttpServerTest, AnswersOneRequestAfterTheOther) {
  const auto server = Serve({}, Echo);
  const Socket socket(server->port());
  for (int i = 0; i < 3; ++i) {
    socket.Send("POST /a%20b?c=d HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi");
    EXPECT_NE(socket.Receive("POST /a%20b c=d hi").find("HTTP/1.1 200 OK"), std::string::npos);
  }
  socket.Send("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string head = socket.Receive("");
  EXPECT_NE(head.find("Content-Length: 8"), std::string::npos) << head;
  EXPECT_TRUE(head.ends_with("\r\n\r\n")) << head;
}

TEST(HttpServerTest, AClientOfTheOldVersionIsToldThatItMaySendMore) {
  const auto server = Serve({}, Echo);
  const Socket socket(server->port());
  for (int i = 0; i < 2; ++i) {
    socket.Send("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
    EXPECT_NE(socket.Receive("GET /  ").find("Connection: keep-alive"), std::string::npos);
  }
  socket.Send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_NE(socket.Receive("").find("GET /"), std::string::npos);
}

TEST(HttpServerTest, AHandlerThatThrowsIsABugThatIsTold) {
  const auto server = Serve({}, [](const HttpRequest&) -> HttpResponse { throw std::runtime_error("odd"); });
  const Socket socket(server->port());
  socket.Send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_NE(socket.Receive("").find("HTTP/1.1 500"), std::string::npos);
}

TEST(HttpServerTest, WhoSendsTooLittleIsToldAndWhoSendsNothingIsCutOff) {
  HttpServerOptions options;
  options.read = options.idle = std::chrono::milliseconds(100);
  const auto server = Serve(options, Echo);
  const Socket slow(server->port()), silent(server->port());
  slow.Send("GET / HT");
  EXPECT_NE(slow.Receive("").find("HTTP/1.1 408"), std::string::npos);
  EXPECT_EQ(silent.Receive(""), "");
}

TEST(HttpServerTest, AStreamHasEachEventBehindItsBeginOnce) {
  const auto server = Serve({}, Stream);
  server->Publish(1, "data: one\n\n");
  server->Publish(2, "data: two\n\n");
  server->Publish(3, "data: three\n\n");  // after it asked, before it listens
  const Socket socket(server->port());
  socket.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_NE(socket.Receive("three").find("retry: 1"), std::string::npos);
  server->Publish(4, "data: four\n\n");
  const std::string rest = socket.Receive("four");
  EXPECT_EQ(rest.find("three"), std::string::npos) << rest;
}

TEST(HttpServerTest, AListenerThatNeverReadsIsCutOffAndOthersAreNot) {
  HttpServerOptions options;
  options.stream_bytes = 64 * 1024;
  const auto server = Serve(options, Stream);
  const Socket deaf(server->port()), good(server->port());
  for (const Socket* socket : {&deaf, &good}) {
    socket->Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    socket->Receive("retry");
  }
  // More than the kernel keeps for it. The good one reads each before the next.
  for (int i = 3; server->connections() == 2; ++i) {
    ASSERT_LT(i, 100'000);
    server->Publish(i, "data: " + std::string(16'000, 'x') + std::to_string(i) + "\n\n");
    good.Receive("x" + std::to_string(i) + "\n\n");
  }
  server->Publish(1'000'000, "data: after\n\n");
  EXPECT_NE(good.Receive("after"), "");
}

TEST(HttpServerTest, AStreamThatIsNoLongerAllowedEnds) {
  std::atomic<bool> allowed{true};
  const auto server = Serve({}, [&](const HttpRequest& request) {
    HttpResponse response = Stream(request);
    response.stream->still_allowed = [&allowed] { return allowed.load(); };
    return response;
  });
  const Socket socket(server->port());
  socket.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  socket.Receive("retry: 1\n\n");
  server->KeepAlive();
  EXPECT_NE(socket.Receive("still here").find("still here"), std::string::npos);
  allowed = false;
  server->KeepAlive();
  EXPECT_EQ(socket.Receive(""), "");
}

TEST(HttpServerTest, StoppingLetsAnAnswerEnd) {
  std::atomic<bool> began{false};
  const auto server = Serve({}, [&](const HttpRequest&) {
    began = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    HttpResponse response;
    response.body = "done";
    return response;
  });
  const Socket busy(server->port()), idle(server->port());
  busy.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  while (!began) std::this_thread::yield();
  server->Stop();
  EXPECT_NE(busy.Receive("").find("done"), std::string::npos);
  EXPECT_EQ(idle.Receive(""), "");
}

TEST(HttpServerTest, ATakenPortIsAConflictThatNamesIt) {
  const auto server = Serve({}, Echo);
  HttpServerOptions options;
  options.port = server->port();
  const auto second = HttpServer::Start(options, Echo);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::kConflict);
  options.host = "localhost";
  EXPECT_EQ(HttpServer::Start(options, Echo).error().kind, ErrorKind::kInvalidArgument);
}

}  // namespace
}  // namespace caudal
