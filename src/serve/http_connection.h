// What connections share with their server. Only for http_server.cc and http_connection.cc: the library's headers are here.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/thread_pool.hpp>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "serve/http_server.h"

namespace caudal {

class HttpConnection;

struct PublishedEvent {
  std::int64_t sequence = 0;
  std::shared_ptr<const std::string> text;  // shared by all streams that have not sent it yet
};

/// Of the server's thread alone, but for the pool, the counters and the handler.
struct HttpShared {
  HttpServerOptions options;
  HttpHandler handler;
  std::set<HttpConnection*> connections;
  std::deque<PublishedEvent> recent;  // for streams that begin a little behind
  std::atomic<std::size_t> count{0}, waiting{0};
  bool stopping = false;
  std::unique_ptr<boost::asio::thread_pool> pool;
  boost::asio::io_context context{1};  // dies first: connections that are left take themselves out of the set
};

/// Lives as long as its socket does something. Of the server's thread alone.
class HttpConnection {
 public:
  static void Accept(HttpShared& shared, boost::asio::ip::tcp::socket socket);
  virtual ~HttpConnection() = default;
  /// Of a stream; nothing for others.
  virtual void Send(const PublishedEvent& event) = 0;
  virtual const EventStream* stream() const = 0;
  /// True while a request is being answered.
  virtual bool answering() const = 0;
  virtual void Close() = 0;
};

}  // namespace caudal
