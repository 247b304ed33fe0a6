// Routes of what people are told.
#include "base/json.h"
#include "ops/alerter.h"
#include "serve/handlers.h"
#include "serve/run_document.h"
#include "serve/situation.h"
#include "state/history_store.h"

namespace caudal {
namespace {

const char* KindOf(const AlertChannel& channel) {
  switch (channel.kind) {
    case AlertChannel::Kind::kWebhook: return "webhook";
    case AlertChannel::Kind::kSlack: return "slack";
    case AlertChannel::Kind::kTeams: return "teams";
    case AlertChannel::Kind::kSmtp: return "smtp";
  }
  return "";
}

Json OpenOnes(const std::map<std::string, std::string>& subjects) {
  Json open = Json::array();
  for (const auto& [name, body] : subjects) {
    const Subject subject = SubjectFromJson(body);
    const auto add = [&](const char* what, Timestamp since) {
      open.push_back({{"pipeline", name}, {"what", what}, {"since", FormatTimestampMs(since)}, {"failures", subject.failures}});
    };
    if (subject.failing_since) add("failing", *subject.failing_since);
    if (subject.late_since) add("late", *subject.late_since);
  }
  return open;
}

Json MessageDocument(const MessageRecord& message) {
  const AlertRecord& record = message.alert;
  const auto alert = AlertFromJson(record.body);
  Json document{{"id", record.id},
                {"channel", record.channel},
                {"status", message.status},
                {"created", FormatTimestampMs(record.created)},
                {"tries", record.tries},
                {"error", record.error},
                {"ended", TimeOrNull(message.ended)},
                {"next_try", message.status == "waiting" ? Json(FormatTimestampMs(record.next_try)) : Json(nullptr)}};
  document["about"] = alert ? Json(alert->words) : Json::array();
  document["title"] = alert ? alert->title : "";
  document["facts"] = alert ? Json(alert->facts) : Json::array();
  document["pipeline"] = alert ? alert->pipeline : "";
  document["run"] = alert ? alert->run : "";
  return document;
}

}  // namespace

Result<HttpResponse> GetAlerts(const Served& served, const Call& call) {
  TRY_ASSIGN(const auto workspace, WorkspaceNow(served));
  TRY_ASSIGN(const std::int64_t limit, call.Number("limit", 1, 500, 50));
  TRY_ASSIGN(const std::int64_t before, call.Number("before", 1, INT64_MAX, 0));
  const HistoryStore& history = served.state.history();
  TRY_ASSIGN(const auto subjects, history.Subjects());
  TRY_ASSIGN(const auto messages, history.Messages(before, static_cast<int>(limit)));
  TRY_ASSIGN(const auto waiting, history.MessagesWaiting());
  Json document{{"open", OpenOnes(subjects)}, {"messages", Json::array()}, {"next", nullptr}, {"channels", Json::array()}};
  for (const MessageRecord& message : messages) document["messages"].push_back(MessageDocument(message));
  if (static_cast<std::int64_t>(messages.size()) == limit) document["next"] = messages.back().alert.id;
  for (const AlertChannel& channel : workspace->project.alerts.channels) {
    const auto it = waiting.find(channel.name);
    document["channels"].push_back({{"channel", channel.name}, {"kind", KindOf(channel)}, {"waiting", it == waiting.end() ? 0 : it->second}});
  }
  return JsonResponse(200, document);
}

Result<HttpResponse> PostChannelTest(const Served& served, const Call& call) {
  TRY_ASSIGN(const auto workspace, WorkspaceNow(served));
  const std::string& channel = call.Word("channel");
  Status sent = SendTestAlert(workspace->project, channel, served.clock.Now());
  if (!sent) {
    // What its server says of it is no fault of who asks here.
    Error error = std::move(sent).error();
    if (error.kind != ErrorKind::kNotFound) error.kind = ErrorKind::kUnavailable;
    return error;
  }
  return JsonResponse(200, Json{{"channel", channel}, {"sent", true}});
}

}  // namespace caudal
