// Routes for programs that watch the daemon.
#include <unistd.h>

#include <fstream>

#include "base/json.h"
#include "serve/handlers.h"
#include "serve/metrics.h"
#include "serve/openapi.h"
#include "serve/pipeline_document.h"
#include "serve/situation.h"
#include "state/history_store.h"

namespace caudal {
namespace {

double Seconds(Timestamp t) { return static_cast<double>(t.time_since_epoch().count()) / 1e6; }

HttpResponse NotReady(const std::string& why) {
  HttpResponse response = JsonResponse(503, Json{{"status", "not ready"}, {"why", why}});
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

double ResidentBytes() {
  long total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

void OfPipelines(const Situation& situation, MetricsText& metrics) {
  const auto each = [&](std::string_view name, std::string_view help, auto value) {
    metrics.Family(name, "gauge", help);
    for (const PipelineConfig& pipeline : situation.project().pipelines) {
      if (const std::optional<double> number = value(pipeline)) metrics.Sample({{"pipeline", pipeline.name}}, *number);
    }
  };
  using Number = std::optional<double>;
  each("caudal_pipeline_paused", "1 while the daemon begins no run of it", [&](const PipelineConfig& p) -> Number {
    return RecordOf(situation.schedules, p.name).paused ? 1 : 0;
  });
  each("caudal_pipeline_late", "1 while a deadline has passed without success", [&](const PipelineConfig& p) -> Number {
    return situation.SubjectOf(p.name).late_since ? 1 : 0;
  });
  each("caudal_pipeline_failures_in_a_row", "Runs that failed since the last success", [&](const PipelineConfig& p) -> Number {
    return static_cast<double>(situation.SubjectOf(p.name).failures);
  });
  each("caudal_pipeline_next_run_timestamp_seconds", "When it runs next by its schedule", [&](const PipelineConfig& p) -> Number {
    const auto at = situation.NextOf(p);
    return at ? Number(Seconds(*at)) : std::nullopt;
  });
  each("caudal_pipeline_last_run_started_timestamp_seconds", "When its newest run began", [&](const PipelineConfig& p) -> Number {
    const RunRecord* last = situation.LastOf(p.name);
    return last == nullptr ? Number() : Number(Seconds(last->started));
  });
  each("caudal_pipeline_last_run_duration_seconds", "How long its newest run took", [&](const PipelineConfig& p) -> Number {
    const RunRecord* last = situation.LastOf(p.name);
    return last == nullptr || !last->ended ? Number() : Number(Seconds(*last->ended) - Seconds(last->started));
  });
  metrics.Family("caudal_pipeline_last_run_status", "gauge", "1 for the status of its newest run");
  for (const PipelineConfig& pipeline : situation.project().pipelines) {
    const RunRecord* last = situation.LastOf(pipeline.name);
    if (last != nullptr) metrics.Sample({{"pipeline", pipeline.name}, {"status", std::string(RunStatusName(last->status))}}, 1);
  }
}

}  // namespace

Result<HttpResponse> GetLive(const Served&, const Call&) { return JsonResponse(200, Json{{"status", "ok"}}); }

Result<HttpResponse> GetReady(const Served& served, const Call&) {
  if (!served.daemon.workspace()) return NotReady("the project is being loaded");
  if (served.daemon.stopping()) return NotReady("the daemon stops");
  if (const auto newest = served.state.history().NewestEvent(); !newest) return NotReady("the state store does not answer");
  return JsonResponse(200, Json{{"status", "ok"}});
}

Result<HttpResponse> GetMetrics(const Served& served, const Call&) {
  TRY_ASSIGN(const Situation situation, SituationNow(served));
  MetricsText metrics;
  metrics.Family("caudal_info", "gauge", "Version and release that are served");
  metrics.Sample({{"version", CAUDAL_VERSION}, {"release", situation.project().hash}, {"project", situation.project().name}}, 1);
  metrics.Family("caudal_project_broken", "gauge", "1 while the folder has a mistake, and the last good project goes on");
  metrics.Sample({}, served.daemon.broken() ? 1 : 0);
  metrics.Family("caudal_runs_active", "gauge", "Runs of the daemon that go on");
  metrics.Sample({}, static_cast<double>(served.daemon.ActiveRuns().size()));
  metrics.Family("caudal_runs_queued", "gauge", "Runs that were asked for and wait");
  metrics.Sample({}, static_cast<double>(served.daemon.Asked().size()));
  TRY_ASSIGN(const auto day, served.state.history().RunsSince(situation.now - std::chrono::hours(24)));
  metrics.Family("caudal_runs_last_24h", "gauge", "Runs that began in the last 24 hours");
  for (const auto& [status, count] : day) metrics.Sample({{"status", status}}, count);
  TRY_ASSIGN(const std::int64_t newest, served.state.history().NewestEvent());
  metrics.Family("caudal_events_total", "counter", "Events that the state store has noted");
  metrics.Sample({}, static_cast<double>(newest));
  TRY_ASSIGN(const auto waiting, served.state.history().MessagesWaiting());
  metrics.Family("caudal_alert_messages_waiting", "gauge", "Messages to people that are not sent yet");
  for (const AlertChannel& channel : situation.project().alerts.channels) {
    const auto it = waiting.find(channel.name);
    metrics.Sample({{"channel", channel.name}}, it == waiting.end() ? 0 : it->second);
  }
  OfPipelines(situation, metrics);
  metrics.Family("caudal_http_connections", "gauge", "Connections that are open");
  metrics.Sample({}, static_cast<double>(served.connections()));
  metrics.Family("process_resident_memory_bytes", "gauge", "Memory of the daemon, without its workers");
  metrics.Sample({}, ResidentBytes());
  metrics.Family("process_start_time_seconds", "gauge", "When the daemon began");
  metrics.Sample({}, Seconds(served.since));
  HttpResponse response;
  response.media_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = metrics.text();
  return response;
}

Result<HttpResponse> GetOpenApi(const Served&, const Call&) {
  HttpResponse response;
  response.body = std::string(OpenApiText());
  return response;
}

}  // namespace caudal
