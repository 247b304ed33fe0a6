// Carries events of the state store to the streams of the HTTP server, whoever wrote them: this daemon's runs, or a command's.
// One thread looks; nobody else waits for it. Thread-safe.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "base/json_fwd.h"
#include "serve/http_server.h"
#include "state/state_store.h"

namespace caudal {

/// An event as the stream has it; "" for one that viewers are not told.
std::string EventText(const EventRecord& event);

class EventFeed {
 public:
  /// Both outlive it.
  EventFeed(StateStore& state, HttpServer& server) : x_state(state), x_server(server) {}
  ~EventFeed() { Stop(); }
  /// Errors: of the state store.
  Status Start();
  void Stop();

 private:
  void Run();

  StateStore& x_state;
  HttpServer& x_server;
  std::int64_t x_after = 0;  // of the thread, once it runs
  std::mutex x_mutex;
  std::condition_variable x_stopping;
  bool x_stopped = false;
  std::thread x_thread;
};

}  // namespace caudal
