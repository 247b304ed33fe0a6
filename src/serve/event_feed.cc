#include "serve/event_feed.h"

#include <array>
#include <chrono>

#include "base/json.h"
#include "state/history_store.h"

namespace caudal {
namespace {

constexpr std::chrono::milliseconds kLookEvery{250};
constexpr std::chrono::seconds kKeepAliveEvery{15};
constexpr int kAtOnce = 500;
/// Who changed whose password is for admins, and for the audit log.
constexpr std::array<std::string_view, 6> kTold{"run.", "task.", "pipeline.", "project.", "daemon.", "deadline."};

}  // namespace

std::string EventText(const EventRecord& event) {
  bool told = false;
  for (const std::string_view prefix : kTold) told = told || event.kind.starts_with(prefix);
  if (!told) return "";
  auto body = ParseJson(event.body, "an event");
  Json data = body && body->is_object() ? *std::move(body) : Json::object();
  data["sequence"] = event.sequence;
  data["at"] = FormatTimestampMs(event.at);
  data["event"] = event.kind;
  if (!event.run.empty()) data["run"] = event.run;
  if (!event.task.empty()) data["task"] = event.task;
  return "id: " + std::to_string(event.sequence) + "\nevent: " + event.kind + "\ndata: " + DumpJson(data) + "\n\n";
}

Status EventFeed::Start() {
  TRY_ASSIGN(x_after, x_state.history().NewestEvent());
  x_thread = std::thread([this] { Run(); });
  return {};
}

void EventFeed::Stop() {
  {
    const std::lock_guard lock(x_mutex);
    x_stopped = true;
  }
  x_stopping.notify_all();
  if (x_thread.joinable()) x_thread.join();
}

void EventFeed::Run() {
  auto kept_alive = std::chrono::steady_clock::now();
  for (;;) {
    {
      std::unique_lock lock(x_mutex);
      if (x_stopping.wait_for(lock, kLookEvery, [this] { return x_stopped; })) return;
    }
    // A store that does not answer is told of by the daemon; here it means that there is nothing new yet.
    if (const auto events = x_state.Events(x_after, kAtOnce)) {
      for (const EventRecord& event : *events) {
        x_after = event.sequence;
        if (std::string text = EventText(event); !text.empty()) x_server.Publish(event.sequence, std::move(text));
      }
    }
    const auto now = std::chrono::steady_clock::now();
    if (now - kept_alive < kKeepAliveEvery) continue;
    kept_alive = now;
    x_server.KeepAlive();
  }
}

}  // namespace caudal
