// HTTP as the S3 store needs it: whole bodies, connections that are kept, and the truth about what may have arrived.
// Only wire.cc knows libcurl in this room.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace caudal {

struct WireOptions {
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::seconds stall{30};       // no byte in either direction for so long ends a request
  std::chrono::seconds timeout{600};    // of one request
  std::string ca_file;                  // "" = the system's
};

struct WireRequest {
  std::string method;
  std::string url;
  std::map<std::string, std::string> headers;
  std::string_view body = {};
  /// Called when all of the body but its last byte is on its way; may wait. Only to race in earnest.
  std::function<void()> before_last_byte = {};
};

struct WireReply {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  /// The header's value, or "".
  std::string Header(const std::string& name) const;
};

struct WireOutcome {
  /// Where there is none, `error` says why: kUnavailable, kTimeout, kPermission (certificate). It names scheme and host,
  /// never path, query or headers.
  bool answered = false;
  WireReply reply;
  Error error;
  /// Without an answer: false only if the request certainly did not reach a server.
  bool may_have_arrived = true;
  /// libcurl sends again by itself when a kept connection turns out to be dead: the first copy may have had its effect.
  bool sent_twice = false;
};

/// Thread-safe; each call owns one connection.
class Wire {
 public:
  explicit Wire(WireOptions options);
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;
  WireOutcome Send(const WireRequest& request);
  /// Requests so far, those included that nobody answered.
  std::int64_t sent() const;

 private:
  struct Line;
  std::unique_ptr<Line> Borrow();
  void GiveBack(std::unique_ptr<Line> line);

  const WireOptions x_options;
  mutable std::mutex x_mutex;
  std::vector<std::unique_ptr<Line>> x_idle;  // guarded by x_mutex
  std::int64_t x_sent = 0;                    // guarded by x_mutex
};

}  // namespace caudal
