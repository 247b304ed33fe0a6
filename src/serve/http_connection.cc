#include "serve/http_connection.h"

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/version.hpp>
#include <exception>
#include <optional>

namespace caudal {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using std::chrono::milliseconds;

constexpr milliseconds kLinger{1'000};
constexpr std::size_t kMostHeaders = 100;
constexpr const char* kPageRules =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'";
constexpr const char* kDataRules = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

HttpResponse Refusal(int status, const char* message, const char* next) {
  return ProblemResponse(status, Error{status == 503 ? ErrorKind::kUnavailable : ErrorKind::kInvalidArgument, message, next, ""});
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return lower;
}

class Connection final : public HttpConnection, public std::enable_shared_from_this<Connection> {
 public:
  Connection(HttpShared& shared, asio::ip::tcp::socket socket) : x_shared(shared), x_socket(std::move(socket)), x_timer(shared.context) {
    error_code ignored;
    x_peer = x_socket.remote_endpoint(ignored).address().to_string();
    x_socket.set_option(asio::ip::tcp::no_delay(true), ignored);
    x_shared.connections.insert(this);
    ++x_shared.count;
  }
  ~Connection() override {
    x_shared.connections.erase(this);
    --x_shared.count;
  }

  void Wait() {
    x_answering = false;
    if (x_shared.stopping) return Close();
    if (x_buffer.size() > 0) return ReadHead();  // the next request came with the one before
    x_buffer = beast::flat_buffer();             // a connection that waits holds no memory
    Within(x_shared.options.idle);
    x_socket.async_wait(asio::ip::tcp::socket::wait_read, [self = shared_from_this()](error_code error) {
      if (!error) self->ReadHead();
    });
  }

  void Send(const PublishedEvent& event) override {
    if (!x_stream || event.sequence <= x_stream->after) return;
    if (event.sequence != INT64_MAX) x_stream->after = event.sequence;
    x_unsent_bytes += event.text->size();
    if (x_unsent_bytes > x_shared.options.stream_bytes) return Close();
    x_unsent.push_back(event.text);
    if (x_unsent.size() == 1) SendNext();
  }
  const EventStream* stream() const override { return x_stream ? &*x_stream : nullptr; }
  bool answering() const override { return x_answering; }

  void Close() override {
    error_code ignored;
    x_timer.cancel();
    x_socket.close(ignored);
  }

 private:
  /// What goes on is given up after this long.
  void Within(milliseconds limit) {
    x_timer.expires_after(limit);
    x_timer.async_wait([weak = weak_from_this()](error_code error) {
      const auto self = weak.lock();
      if (!error && self && self->x_timer.expiry() <= asio::steady_timer::clock_type::now()) self->TooLate();
    });
  }

  /// Who has begun a request is told; who has not is cut off.
  void TooLate() {
    if (x_reading && x_buffer.size() + x_read_bytes > 0) {
      x_reading = false;
      x_socket.cancel();
      return Answer(Refusal(408, "the request did not come in time", "send it faster"), true);
    }
    Close();
  }

  void ReadHead() {
    x_answering = true;  // one that has begun is let through when the server stops
    x_reading = true;
    x_read_bytes = 0;
    x_parser.emplace();
    x_parser->header_limit(x_shared.options.header_bytes);
    x_parser->body_limit(x_shared.options.body_bytes);
    Within(x_shared.options.read);
    http::async_read_header(x_socket, x_buffer, *x_parser, [self = shared_from_this()](error_code error, std::size_t bytes) {
      if (!self->x_reading) return;
      self->x_read_bytes += bytes;
      if (error) return self->Broken(error);
      if (beast::iequals(self->x_parser->get()[http::field::expect], "100-continue")) return self->Continue();
      self->ReadBody();
    });
  }

  void Continue() {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    asio::async_write(x_socket, asio::buffer(kContinue), [self = shared_from_this()](error_code error, std::size_t) {
      if (error) return self->Close();
      if (self->x_reading) self->ReadBody();
    });
  }

  void ReadBody() {
    http::async_read(x_socket, x_buffer, *x_parser, [self = shared_from_this()](error_code error, std::size_t bytes) {
      if (!self->x_reading) return;
      self->x_read_bytes += bytes;
      if (error) return self->Broken(error);
      self->x_reading = false;
      self->Dispatch();
    });
  }

  void Broken(error_code error) {
    x_reading = false;
    if (error == http::error::end_of_stream || error == asio::error::eof || error == asio::error::connection_reset ||
        error == asio::error::operation_aborted) {
      return Close();
    }
    if (error == http::error::header_limit) return Answer(Refusal(431, "the request's head is too long", "send fewer and shorter headers"), true);
    if (error == http::error::body_limit) return Answer(Refusal(413, "the request's body is too long", "64 KiB is the most"), true);
    Answer(Refusal(400, "this is no HTTP/1.1 request", ""), true);
  }

  void Dispatch() {
    auto message = x_parser->release();
    x_head_only = message.method() == http::verb::head;
    x_keep = message.keep_alive();
    x_old = message.version() < 11;
    auto request = std::make_shared<HttpRequest>();  // shared with the handler's thread, which has it alone
    request->method = std::string(message.method_string());
    const std::string target(message.target());
    const std::size_t mark = target.find('?');
    request->path = target.substr(0, mark);
    if (mark != std::string::npos) request->query = target.substr(mark + 1);
    std::size_t headers = 0;
    for (const auto& field : message) {
      std::string& value = request->headers[Lower({field.name_string().data(), field.name_string().size()})];
      value += (value.empty() ? "" : ", ") + std::string(field.value());
      if (++headers > kMostHeaders) return Answer(Refusal(431, "the request has too many headers", "100 is the most"), true);
    }
    if (message.count(http::field::host) != 1 && message.version() >= 11) {
      return Answer(Refusal(400, "a request has one Host", "send one"), true);
    }
    request->body = std::move(message.body());
    request->peer = x_peer;
    x_parser.reset();
    Within(milliseconds(24 * 3600 * 1000));
    if (x_shared.waiting >= x_shared.options.most_waiting) return Answer(Refusal(503, "too many requests wait already", "try again"), false);
    ++x_shared.waiting;
    asio::post(*x_shared.pool, [self = shared_from_this(), request]() mutable {
      HttpShared& shared = self->x_shared;
      --shared.waiting;
      auto response = std::make_shared<HttpResponse>(self->Handle(*request));  // shared with the server's thread, which has it alone
      // Given away, so that a connection never dies on this thread.
      asio::post(shared.context, [self = std::move(self), response] { self->Answer(std::move(*response), false); });
    });
  }

  HttpResponse Handle(const HttpRequest& request) const {
    try {
      return x_shared.handler(request);
    } catch (const std::exception& failure) {
      return ProblemResponse(500, Error{ErrorKind::kInternal, std::string("a bug: ") + failure.what(), "report it", ""});
    }
  }

  /// `last`: nothing that this end sends after can be understood.
  void Answer(HttpResponse response, bool last) {
    if (!x_socket.is_open()) return;
    x_keep = x_keep && !last && !x_shared.stopping && !response.stream;
    x_response = std::move(response);
    x_message.emplace(static_cast<http::status>(x_response.status), 11);
    auto& head = *x_message;
    head.reason(ReasonOf(x_response.status));
    // A 304 renews the headers of what the browser has kept: they are those of the page, too.
    const bool page = !x_response.fixed.empty() || x_response.status == 304;
    head.set(http::field::content_type, x_response.media_type);
    head.set("X-Content-Type-Options", "nosniff");
    head.set("Content-Security-Policy", page ? kPageRules : kDataRules);
    head.set("Referrer-Policy", "no-referrer");
    head.set("X-Frame-Options", "DENY");
    head.set("Cross-Origin-Opener-Policy", "same-origin");
    head.set("Cross-Origin-Resource-Policy", "same-origin");
    if (!page) head.set(http::field::cache_control, "no-store");
    for (const auto& [name, value] : x_response.headers) head.insert(name, value);
    const std::string_view body = page ? x_response.fixed : std::string_view(x_response.body);
    if (x_response.stream) {
      head.keep_alive(false);
    } else {
      head.keep_alive(x_keep);
      if (x_keep && x_old) head.set(http::field::connection, "keep-alive");  // HTTP/1.0 closes unless it is told
      if (x_response.status != 304) head.content_length(body.size());
    }
    x_text = std::string();
    // The head as text: one buffer for the library, one for the body, nothing copied.
    http::response_serializer<http::empty_body> serializer(head);
    error_code error;
    while (!serializer.is_done()) {
      serializer.next(error, [&](error_code&, const auto& buffers) {
        for (const auto& part : beast::buffers_range_ref(buffers)) x_text.append(static_cast<const char*>(part.data()), part.size());
        serializer.consume(beast::buffer_bytes(buffers));
      });
      if (error) return Close();
    }
    const std::array<asio::const_buffer, 2> parts{asio::buffer(x_text), x_head_only ? asio::const_buffer() : asio::buffer(body.data(), body.size())};
    Within(x_shared.options.write);
    asio::async_write(x_socket, parts, [self = shared_from_this(), last](error_code failed, std::size_t) {
      if (failed) return self->Close();
      if (self->x_response.stream && !self->x_head_only) return self->BeginStream();
      self->x_response = HttpResponse();
      if (self->x_keep) return self->Wait();
      self->Linger(last);
    });
  }

  /// The answer would be lost with the connection if this end closed it with something unread.
  void Linger(bool unread) {
    error_code ignored;
    x_socket.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    if (!unread) return Close();
    Within(kLinger);
    Drain();
  }
  void Drain() {
    x_socket.async_read_some(asio::buffer(x_scrap), [self = shared_from_this()](error_code error, std::size_t) {
      if (error) return self->Close();
      self->Drain();
    });
  }

  void BeginStream() {
    x_stream = std::move(x_response.stream);
    x_response = HttpResponse();
    x_answering = false;
    if (x_shared.stopping) return Close();
    x_timer.cancel();
    NoticeEnd();
    for (const PublishedEvent& event : x_shared.recent) Send(event);
  }
  void NoticeEnd() {
    x_socket.async_read_some(asio::buffer(x_scrap), [self = shared_from_this()](error_code error, std::size_t) {
      if (error) return self->Close();
      self->NoticeEnd();
    });
  }
  void SendNext() {
    Within(x_shared.options.write);
    asio::async_write(x_socket, asio::buffer(*x_unsent.front()), [self = shared_from_this()](error_code error, std::size_t) {
      if (error) return self->Close();
      self->x_unsent_bytes -= self->x_unsent.front()->size();
      self->x_unsent.pop_front();
      self->x_timer.cancel();
      if (!self->x_unsent.empty()) self->SendNext();
    });
  }

  HttpShared& x_shared;
  asio::ip::tcp::socket x_socket;
  asio::steady_timer x_timer;
  std::string x_peer;
  beast::flat_buffer x_buffer;
  std::optional<http::request_parser<http::string_body>> x_parser;
  std::optional<http::response<http::empty_body>> x_message;
  HttpResponse x_response;
  std::string x_text;  // head of the answer
  std::optional<EventStream> x_stream;
  std::deque<std::shared_ptr<const std::string>> x_unsent;  // shared by all streams
  std::size_t x_unsent_bytes = 0, x_read_bytes = 0;
  std::array<char, 512> x_scrap{};
  bool x_keep = false, x_old = false, x_head_only = false, x_answering = false, x_reading = false;
};

}  // namespace

void HttpConnection::Accept(HttpShared& shared, asio::ip::tcp::socket socket) { std::make_shared<Connection>(shared, std::move(socket))->Wait(); }

}  // namespace caudal
