// A small S3 in this process, for what no server does on demand: it cuts connections at a chosen point, and answers
// 409, 500 and 503. Objects, listings, creation conditions and metadata only; signatures are not looked at, and every lock
// is ten minutes old, so that nobody waits for a dead one's.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "store/s3.h"

namespace caudal {

struct StubRequest {
  std::string method;
  std::string path;  // with the query
  std::map<std::string, std::string> headers;
  std::string body;
};

/// What happens to one request instead of its plain answer.
struct StubFault {
  enum class Kind { kNone, kCutBefore, kCutAfter, kAnswer, kAnswerAfter };
  Kind kind = Kind::kNone;  // kCutAfter and kAnswerAfter: it has had its effect
  int status = 0;
  std::string code;
  std::string body = {};  // kAnswer: instead of an error with `code`
};

class StubS3 {
 public:
  using Faults = std::function<StubFault(const StubRequest& request, int number)>;  // numbers from 1

  explicit StubS3(Faults faults) : x_faults(std::move(faults)), x_listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);
    if (::bind(x_listener, any, size) != 0 || ::listen(x_listener, 64) != 0 || ::getsockname(x_listener, any, &size) != 0) std::abort();
    x_port = ntohs(address.sin_port);
    x_accepting = std::thread([this] { Accept(); });
  }
  ~StubS3() {
    ::shutdown(x_listener, SHUT_RDWR);
    x_accepting.join();
    ::close(x_listener);
    {
      std::lock_guard lock(x_mutex);
      for (const int fd : x_open) ::shutdown(fd, SHUT_RDWR);
    }
    for (auto& thread : x_serving) thread.join();
  }
  StubS3(const StubS3&) = delete;
  StubS3& operator=(const StubS3&) = delete;

  /// Options for it: quick, so that a test of every try takes no time.
  S3Options Options() const {
    S3Options options;
    options.bucket = "lake";
    options.endpoint = "http://127.0.0.1:" + std::to_string(x_port);
    options.region = "us-east-1";
    options.path_style = true;
    options.credentials = MakeFixedCredentials({"test", "testsecret", "", {}});
    options.first_pause = std::chrono::milliseconds(1);
    options.longest_pause = std::chrono::milliseconds(5);
    return options;
  }
  /// From the next request on.
  void Meet(Faults faults) {
    std::lock_guard lock(x_mutex);
    x_faults = std::move(faults);
    x_seen.clear();
  }
  std::string Endpoint() const { return "http://127.0.0.1:" + std::to_string(x_port); }
  std::vector<std::string> Requests() {
    std::lock_guard lock(x_mutex);
    return x_seen;
  }
  std::map<std::string, std::string> Objects() {
    std::lock_guard lock(x_mutex);
    std::map<std::string, std::string> bytes;
    for (const auto& [key, object] : x_objects) bytes[key] = object.bytes;
    return bytes;
  }
  void PutBySomebody(const std::string& key, const std::string& bytes) {
    std::lock_guard lock(x_mutex);
    x_objects["/lake/" + key] = {bytes, "somebody's", {}};
  }

 private:
  struct Object {
    std::string bytes;
    std::string token;
    std::string checksum;
  };

  void Accept() {
    for (;;) {
      const int fd = ::accept4(x_listener, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      std::lock_guard lock(x_mutex);
      x_open.push_back(fd);
      x_serving.emplace_back([this, fd] { Serve(fd); });
    }
  }

  void Serve(int fd) {
    std::string buffer;
    StubRequest request;
    while (Read(fd, buffer, request)) {
      StubFault fault;
      std::string reply;
      {
        std::lock_guard lock(x_mutex);
        x_seen.push_back(request.method + " " + request.path);
        fault = x_faults(request, static_cast<int>(x_seen.size()));
        const bool works = fault.kind != StubFault::Kind::kCutBefore && fault.kind != StubFault::Kind::kAnswer;
        if (works) reply = Answer(request);
      }
      if (fault.kind == StubFault::Kind::kCutBefore || fault.kind == StubFault::Kind::kCutAfter) break;
      if (fault.kind != StubFault::Kind::kNone) reply = fault.body.empty() ? Failure(fault.status, fault.code, request.method == "HEAD") : Plain(fault.status, fault.body);
      if (::send(fd, reply.data(), reply.size(), MSG_NOSIGNAL) < 0) break;
    }
    std::lock_guard lock(x_mutex);
    std::erase(x_open, fd);
    ::close(fd);
  }

  static bool Read(int fd, std::string& buffer, StubRequest& request) {
    char bytes[65536];
    std::size_t end = 0;
    std::size_t length = 0;
    for (;;) {
      end = buffer.find("\r\n\r\n");
      if (end != std::string::npos) {
        request = StubRequest{};
        const std::string head = buffer.substr(0, end + 2);
        const std::string first = head.substr(0, head.find("\r\n"));
        request.method = first.substr(0, first.find(' '));
        request.path = first.substr(request.method.size() + 1, first.rfind(' ') - request.method.size() - 1);
        for (std::size_t at = head.find("\r\n") + 2; at < head.size();) {
          const std::size_t line_end = head.find("\r\n", at);
          const std::size_t colon = head.find(": ", at);
          std::string name = head.substr(at, colon - at);
          for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
          if (colon < line_end) request.headers[name] = head.substr(colon + 2, line_end - colon - 2);
          at = line_end + 2;
        }
        length = request.headers.contains("content-length") ? std::stoul(request.headers["content-length"]) : 0;
        if (buffer.size() >= end + 4 + length) break;
      }
      const ssize_t n = ::recv(fd, bytes, sizeof bytes, 0);
      if (n <= 0) return false;
      buffer.append(bytes, static_cast<std::size_t>(n));
    }
    request.body = buffer.substr(end + 4, length);
    buffer.erase(0, end + 4 + length);
    return true;
  }

  static std::string Plain(int status, const std::string& body) {
    return "HTTP/1.1 " + std::to_string(status) + " Well\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }

  static std::string Failure(int status, const std::string& code, bool head) {
    const std::string body = head || code.empty() ? "" : "<Error><Code>" + code + "</Code></Error>";
    return "HTTP/1.1 " + std::to_string(status) + " No\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }

  static std::string Decoded(const std::string& text) {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '%' && i + 2 < text.size()) {
        decoded.push_back(static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16)));
        i += 2;
      } else {
        decoded.push_back(text[i]);
      }
    }
    return decoded;
  }

  /// Under x_mutex. One page, whatever it holds.
  std::string Listing(const std::string& path) {
    const std::size_t at = path.find("prefix=");
    const std::string prefix = at == std::string::npos ? "" : Decoded(path.substr(at + 7, path.find('&', at) - at - 7));
    std::string text = "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>";
    for (const auto& [key, object] : x_objects) {
      const std::string name = key.substr(6);  // behind "/lake/"
      if (!Decoded(name).starts_with(prefix)) continue;
      text += "<Contents><Key>" + name + "</Key><LastModified>2013-05-24T00:00:00.000Z</LastModified><Size>" +
              std::to_string(object.bytes.size()) + "</Size></Contents>";
    }
    return Plain(200, text + "</ListBucketResult>");
  }

  /// Under x_mutex.
  std::string Answer(const StubRequest& request) {
    if (request.method == "GET" && request.path.starts_with("/lake?")) return Listing(request.path);
    const auto found = x_objects.find(request.path);
    const bool there = found != x_objects.end();
    if (request.method == "PUT") {
      if (request.headers.contains("if-none-match") && there) return Failure(412, "PreconditionFailed", false);
      const auto header = [&](const char* name) { return request.headers.contains(name) ? request.headers.at(name) : std::string(); };
      x_objects[request.path] = {request.body, header("x-amz-meta-caudal-put"), header("x-amz-checksum-sha256")};
      return "HTTP/1.1 200 OK\r\nETag: \"e\"\r\nContent-Length: 0\r\n\r\n";
    }
    if (request.method == "DELETE") {
      x_objects.erase(request.path);
      return "HTTP/1.1 204 No Content\r\n\r\n";
    }
    if (!there) return Failure(404, "NoSuchKey", request.method == "HEAD");
    return "HTTP/1.1 200 OK\r\nETag: \"e\"\r\nLast-Modified: Fri, 24 May 2013 00:00:00 GMT\r\nDate: Fri, 24 May 2013 00:10:00 GMT\r\nx-amz-meta-caudal-put: " + found->second.token +
           (found->second.checksum.empty() ? "" : "\r\nx-amz-checksum-sha256: " + found->second.checksum) +
           "\r\nContent-Length: " + std::to_string(found->second.bytes.size()) + "\r\n\r\n" +
           (request.method == "HEAD" ? "" : found->second.bytes);
  }

  Faults x_faults;  // guarded by x_mutex
  const int x_listener;
  int x_port = 0;
  std::mutex x_mutex;
  std::vector<std::string> x_seen;            // guarded by x_mutex
  std::map<std::string, Object> x_objects;    // guarded by x_mutex
  std::vector<int> x_open;                    // guarded by x_mutex
  std::vector<std::thread> x_serving;         // guarded by x_mutex until x_accepting ended
  std::thread x_accepting;
};

}  // namespace caudal
