// HTTP/1.1 on one address: reads requests within limits, has a handler answer them on threads of its own, and streams events
// to whoever listens. Only http_server.cc and http_connection.cc know the library. Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "serve/http_message.h"

namespace caudal {

struct HttpServerOptions {
  std::string host = "127.0.0.1";  // an address, no name
  int port = 8088;                 // 0 = any that is free
  std::size_t handler_threads = 4;
  std::size_t most_connections = 4096;
  std::size_t most_waiting = 512;  // requests that no thread has taken yet; more are answered with 503
  std::uint32_t header_bytes = 16 * 1024;
  std::uint64_t body_bytes = 64 * 1024;
  std::size_t stream_bytes = 512 * 1024;  // events that a listener has not taken; more cuts it off
  std::chrono::milliseconds idle{75'000};   // between two requests
  std::chrono::milliseconds read{10'000};   // from the first byte of a request to its last
  std::chrono::milliseconds write{30'000};  // of an answer
};

class HttpServer {
 public:
  /// Listens and answers until Stop. Errors: kConflict where the port is taken, kInvalidArgument, kPermission.
  static Result<std::unique_ptr<HttpServer>> Start(const HttpServerOptions& options, HttpHandler handler);
  virtual ~HttpServer() = default;

  virtual int port() const = 0;
  virtual std::size_t connections() const = 0;
  /// Sends an event, in the form of the stream, to everyone who listens and has not had it. Sequences grow.
  virtual void Publish(std::int64_t sequence, std::string text) = 0;
  /// A comment to all streams, so that dead ones are found; ends those that are not allowed any more. Asks them on the
  /// calling thread.
  virtual void KeepAlive() = 0;
  /// Takes no new connection, lets requests that are being answered end within two seconds, then ends all.
  virtual void Stop() = 0;
};

}  // namespace caudal
