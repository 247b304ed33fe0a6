// Routes of the project as a whole and of its pipelines.
#include <algorithm>

#include "base/json.h"
#include "serve/handlers.h"
#include "serve/pipeline_document.h"
#include "serve/rows_document.h"
#include "serve/run_document.h"
#include "serve/situation.h"
#include "state/history_store.h"

namespace caudal {
namespace {

constexpr std::size_t kNextTimes = 10;
constexpr int kRecentRuns = 10;

Json QueuedDocument(const AskedRun& asked) {
  return {{"run", asked.run}, {"pipeline", asked.request.pipeline}, {"asked", FormatTimestampMs(asked.asked)}, {"by", asked.by}, {"why", asked.why}};
}

Result<Json> RunsWith(const Served& served, const RunFilter& filter) {
  TRY_ASSIGN(const RunPage page, served.state.history().Runs(filter));
  return RunEntries(served, page.runs);
}

Json NextOfAll(const Situation& situation) {
  std::vector<std::pair<Timestamp, std::string>> next;
  for (const PipelineConfig& pipeline : situation.project().pipelines) {
    if (const auto at = situation.NextOf(pipeline)) next.emplace_back(*at, pipeline.name);
  }
  std::sort(next.begin(), next.end());
  Json times = Json::array();
  for (std::size_t i = 0; i < next.size() && i < kNextTimes; ++i) times.push_back({{"pipeline", next[i].second}, {"at", FormatTimestampMs(next[i].first)}});
  return times;
}

const char* CatchUpName(CatchUp catch_up) { return catch_up == CatchUp::kNone ? "none" : catch_up == CatchUp::kAll ? "all" : "last"; }

Json MatrixCell(const TaskRecord& task) {
  Json took = nullptr;
  if (task.started && task.ended) took = std::chrono::duration_cast<std::chrono::milliseconds>(*task.ended - *task.started).count();
  return {{"status", TaskStatusName(task.status)}, {"attempt", task.attempt}, {"took_ms", took}, {"rows", task.rows_written}, {"rejected", task.rows_rejected}};
}

Result<HttpResponse> Pause(const Served& served, const Call& call, bool pause) {
  TRY_ASSIGN(const auto workspace, WorkspaceNow(served));
  TRY_ASSIGN(const PipelineConfig* pipeline, FindPipeline(workspace->project, call.Word("pipeline")));
  const Timestamp now = served.clock.Now();
  TRY_ASSIGN(const bool changed, SetPaused(served.state.schedules(), *pipeline, pause, now, call.who.name));
  return JsonResponse(200, PauseDocument(*pipeline, pause, changed, now));
}

}  // namespace

Result<HttpResponse> GetOverview(const Served& served, const Call&) {
  TRY_ASSIGN(const Situation situation, SituationNow(served));
  const Project& project = situation.project();
  const auto broken = served.daemon.broken();
  Json overview{{"project", {{"name", project.name}, {"owner", project.owner}, {"release", project.hash}, {"lake", project.lake_url},
                             {"pipelines", project.pipelines.size()}, {"tables", project.nodes.size()}, {"sources", project.sources.size()}}},
                {"version", CAUDAL_VERSION},
                {"now", FormatTimestampMs(situation.now)},
                {"served_since", FormatTimestampMs(served.since)},
                {"broken", broken ? ErrorObject(*broken) : Json(nullptr)},
                {"queued", Json::array()}, {"failed", Json::array()}, {"late", Json::array()}, {"paused", Json::array()},
                {"next", NextOfAll(situation)}};
  for (const AskedRun& asked : served.daemon.Asked()) overview["queued"].push_back(QueuedDocument(asked));
  for (const PipelineConfig& pipeline : project.pipelines) {
    const RunRecord* last = situation.LastOf(pipeline.name);
    const bool failed = last != nullptr && last->status != RunStatus::kSucceeded && last->status != RunStatus::kRunning;
    const bool late = situation.SubjectOf(pipeline.name).late_since.has_value();
    const bool paused = RecordOf(situation.schedules, pipeline.name).paused.has_value();
    if (!failed && !late && !paused) continue;
    Json entry = PipelineEntry(situation, pipeline);
    entry["tables"] = served.facts.TablesOf(situation.workspace, pipeline.name);
    if (failed) overview["failed"].push_back(entry);
    if (late) overview["late"].push_back(entry);
    if (paused) overview["paused"].push_back(std::move(entry));
  }
  TRY_ASSIGN(overview["running"], RunsWith(served, {"", RunStatus::kRunning, "", 100}));
  TRY_ASSIGN(overview["recent"], RunsWith(served, {"", {}, "", kRecentRuns}));
  TRY_ASSIGN(overview["last_24h"], served.state.history().RunsSince(situation.now - std::chrono::hours(24)));
  TRY_ASSIGN(const auto waiting, served.state.history().MessagesWaiting());
  int messages = 0;
  for (const auto& [channel, count] : waiting) messages += count;
  overview["messages_waiting"] = messages;
  return JsonResponse(200, overview);
}

Result<HttpResponse> GetSchedule(const Served& served, const Call& call) {
  TRY_ASSIGN(const auto workspace, WorkspaceNow(served));
  const std::string only = call.Query("pipeline");
  if (!only.empty()) TRY(FindPipeline(workspace->project, only));
  Timestamp after = served.clock.Now();
  if (const std::string text = call.Query("after"); !text.empty()) {
    auto time = ParseTimestamp(text);
    if (!time) return Error{ErrorKind::kInvalidArgument, time.error().message, "write a time: 2026-01-31T10:00", "after"};
    after = *time;
  }
  TRY_ASSIGN(const std::int64_t next, call.Number("next", 1, 100, 5));
  Json document{{"pipelines", Json::array()}};
  for (const PipelineConfig& pipeline : workspace->project.pipelines) {
    if (only.empty() || pipeline.name == only) document["pipelines"].push_back(ScheduleDocument(pipeline, after, static_cast<int>(next)));
  }
  return JsonResponse(200, document);
}

Result<HttpResponse> GetPipelines(const Served& served, const Call&) {
  TRY_ASSIGN(const Situation situation, SituationNow(served));
  Json document{{"pipelines", Json::array()}};
  for (const PipelineConfig& pipeline : situation.project().pipelines) {
    Json entry = PipelineEntry(situation, pipeline);
    entry["tables"] = served.facts.TablesOf(situation.workspace, pipeline.name);
    document["pipelines"].push_back(std::move(entry));
  }
  return JsonResponse(200, document);
}

Result<HttpResponse> GetPipeline(const Served& served, const Call& call) {
  TRY_ASSIGN(const Situation situation, SituationNow(served));
  TRY_ASSIGN(const PipelineConfig* pipeline, FindPipeline(situation.project(), call.Word("pipeline")));
  const std::vector<std::string> tables = TablesInOrder(situation.project(), pipeline->name);
  const std::set<std::string> wanted(tables.begin(), tables.end());
  Json document = PipelineEntry(situation, *pipeline);
  document["tables"] = tables;
  document["run"] = pipeline->run;
  document["file"] = pipeline->place.ToString();
  document["catch_up"] = CatchUpName(pipeline->catch_up);
  document["timeout"] = pipeline->timeout ? Json(FormatDuration(*pipeline->timeout)) : Json(nullptr);
  document["upcoming"] = ScheduleDocument(*pipeline, situation.now, 5)["next"];
  TRY_ASSIGN(document["graph"], GraphDocument(served, situation.project(), &wanted));
  TRY_ASSIGN(document["runs"], RunsWith(served, {pipeline->name, {}, "", kRecentRuns}));
  return JsonResponse(200, document);
}

Result<HttpResponse> GetMatrix(const Served& served, const Call& call) {
  TRY_ASSIGN(const auto workspace, WorkspaceNow(served));
  TRY_ASSIGN(const PipelineConfig* pipeline, FindPipeline(workspace->project, call.Word("pipeline")));
  TRY_ASSIGN(const std::int64_t most, call.Number("runs", 1, 200, 25));
  TRY_ASSIGN(const RunPage page, served.state.history().Runs({pipeline->name, {}, "", static_cast<int>(most)}));
  std::vector<std::string> tables = TablesInOrder(workspace->project, pipeline->name);
  std::vector<std::map<std::string, Json>> columns;
  for (const RunRecord& run : page.runs) {
    TRY_ASSIGN(const auto tasks, served.state.Tasks(run.id));
    auto& column = columns.emplace_back();
    for (const TaskRecord& task : tasks) {
      column[task.name] = MatrixCell(task);
      if (std::find(tables.begin(), tables.end(), task.name) == tables.end()) tables.push_back(task.name);
    }
  }
  Json document{{"pipeline", pipeline->name}, {"tables", tables}, {"cells", Json::array()}};
  TRY_ASSIGN(document["runs"], RunEntries(served, page.runs));
  for (const std::string& table : tables) {
    Json row = Json::array();
    for (auto& column : columns) row.push_back(column.contains(table) ? std::move(column[table]) : Json(nullptr));
    document["cells"].push_back(std::move(row));
  }
  return JsonResponse(200, document);
}

Result<HttpResponse> PostPause(const Served& served, const Call& call) { return Pause(served, call, true); }
Result<HttpResponse> PostResume(const Served& served, const Call& call) { return Pause(served, call, false); }

}  // namespace caudal
