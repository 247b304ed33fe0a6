// The route of the event stream.
#include <charconv>

#include "serve/event_feed.h"
#include "serve/handlers.h"
#include "serve/router.h"
#include "state/history_store.h"

namespace caudal {
namespace {

/// More than these are not sent again: reading everything anew is less work.
constexpr std::int64_t kMostMissed = 1000;

std::int64_t LastSeen(const HttpRequest& request) {
  const std::string text = request.Header("last-event-id");
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number >= 0 ? number : -1;
}

/// The same credentials, looked at again.
std::function<bool()> StillAllowed(const Served& served, const HttpRequest& request) {
  const std::string authorization = request.Header("authorization");
  const std::string cookie = SessionCookie(request.Header("cookie"));
  Access& access = served.access;
  return [&access, authorization, cookie] {
    const auto who = authorization.empty() ? access.OfCookie(cookie) : access.OfToken(authorization.substr(std::string("Bearer ").size()));
    return !who || (*who && (*who)->role >= Role::kViewer);  // a store that does not answer ends nothing
  };
}

}  // namespace

Result<HttpResponse> GetEvents(const Served& served, const Call& call) {
  TRY_ASSIGN(std::int64_t after, call.Number("after", 0, INT64_MAX, -1));
  if (after < 0) after = LastSeen(call.request);
  TRY_ASSIGN(const std::int64_t newest, served.state.history().NewestEvent());
  HttpResponse response;
  response.media_type = "text/event-stream";
  response.headers.emplace_back("X-Accel-Buffering", "no");  // proxies: pass it on as it comes
  response.body = "retry: 3000\n\n";
  std::int64_t sent = newest;
  if (after >= 0 && (newest - after > kMostMissed || after > newest)) {
    response.body += "id: " + std::to_string(newest) + "\nevent: reset\ndata: {}\n\n";
  } else if (after >= 0) {
    TRY_ASSIGN(const auto missed, served.state.Events(after, static_cast<int>(kMostMissed) + 1));
    sent = after;
    for (const EventRecord& event : missed) {
      response.body += EventText(event);
      sent = event.sequence;
    }
  }
  response.stream = EventStream{sent, StillAllowed(served, call.request)};
  return response;
}

}  // namespace caudal
