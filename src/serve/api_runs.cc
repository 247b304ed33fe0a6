// Routes of runs: what ran, and what is to run.
#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>

#include "base/json.h"
#include "flow/plan.h"
#include "serve/body_reader.h"
#include "serve/handlers.h"
#include "serve/plan_document.h"
#include "serve/rows_document.h"
#include "serve/run_document.h"
#include "serve/situation.h"
#include "state/alert_store.h"
#include "state/history_store.h"

namespace caudal {
namespace {

constexpr std::int64_t kMostLogBytes = 1 << 20;

Result<std::optional<RunStatus>> StatusOf(const std::string& name) {
  if (name.empty()) return std::optional<RunStatus>();
  for (const RunStatus status : {RunStatus::kRunning, RunStatus::kSucceeded, RunStatus::kFailed, RunStatus::kCancelled, RunStatus::kInterrupted}) {
    if (RunStatusName(status) == name) return std::optional(status);
  }
  return Error{ErrorKind::kInvalidArgument, "no run has such a status", "running, succeeded, failed, cancelled, interrupted", "status"};
}

/// As the store has it, in full whatever version wrote it.
Json RequestDocument(const std::string& command) {
  const auto request = RunRequestFromJson(command);
  if (!request) return {{"pipeline", ""}, {"select", Json::array()}, {"exclude", Json::array()}, {"full_refresh", false}, {"from_raw", false}};
  auto json = ParseJson(RunRequestToJson(*request), "a command");
  return json ? *std::move(json) : Json::object();
}

const AskedRun* Waiting(const std::vector<AskedRun>& asked, const std::string& run) {
  const auto it = std::find_if(asked.begin(), asked.end(), [&](const AskedRun& a) { return a.run == run && !a.retry; });
  return it == asked.end() ? nullptr : &*it;
}

/// A run that is asked for and has not begun: there is no record of it yet.
Json QueuedDetail(const AskedRun& asked, const Project* project) {
  return {{"run", asked.run},
          {"pipeline", asked.request.pipeline},
          {"release", project == nullptr ? "" : project->hash},
          {"status", "queued"},
          {"started", FormatTimestampMs(asked.asked)},
          {"ended", nullptr},
          {"cause", "api"},
          {"scheduled", nullptr},
          {"counts", Json::object()},
          {"tasks", Json::array()},
          {"checks", Json::array()},
          {"request", RequestDocument(RunRequestToJson(asked.request))},
          {"process", ""},
          {"resumed", 0},
          {"edges", Json::array()},
          {"resume", nullptr},
          {"can_cancel", true},
          {"can_retry", false}};
}

Json EdgesBetween(const Project* project, const std::vector<TaskRecord>& tasks) {
  Json edges = Json::array();
  if (project == nullptr) return edges;
  std::set<std::string> tables;
  for (const TaskRecord& task : tasks) tables.insert(task.name);
  for (const Node& node : project->nodes) {
    if (!tables.contains(node.table)) continue;
    for (const std::string& up : node.upstream) {
      if (tables.contains(up)) edges.push_back(Json::array({up, node.table}));
    }
  }
  return edges;
}

/// In the order of the DAG as it is now; tables that are no longer in it last.
std::vector<TaskRecord> InOrder(const Project* project, std::vector<TaskRecord> tasks) {
  if (project == nullptr) return tasks;
  std::map<std::string, std::size_t> place;
  for (const Node& node : project->nodes) place.emplace(node.table, place.size());
  const auto of = [&](const TaskRecord& task) {
    const auto it = place.find(task.name);
    return it == place.end() ? place.size() : it->second;
  };
  std::stable_sort(tasks.begin(), tasks.end(), [&](const TaskRecord& a, const TaskRecord& b) { return of(a) < of(b); });
  return tasks;
}

Json TasksDocument(const Served& served, const std::string& run, const std::vector<TaskRecord>& tasks) {
  const auto progress = served.daemon.ProgressOf(run);
  Json documents = Json::array();
  for (const TaskRecord& task : tasks) {
    Json document = TaskDocument(task, nullptr);
    if (const auto it = progress.find(task.name); it != progress.end() && task.status == TaskStatus::kRunning) {
      document["progress"] = {{"rows", it->second.rows}, {"bytes", it->second.bytes}, {"memory_bytes", it->second.memory_bytes}};
    }
    documents.push_back(std::move(document));
  }
  return documents;
}

Result<RunRequest> ReadRequest(const std::string& body) {
  TRY_ASSIGN(const BodyReader reader, BodyReader::Read(body, {"pipeline", "select", "exclude", "full_refresh"}));
  RunRequest request;
  TRY_ASSIGN(const auto pipeline, reader.Text("pipeline"));
  if (pipeline) request.pipeline = *pipeline;
  TRY_ASSIGN(request.select, reader.Texts("select"));
  TRY_ASSIGN(request.exclude, reader.Texts("exclude"));
  TRY_ASSIGN(request.full_refresh, reader.Flag("full_refresh"));
  if (request.pipeline == kBackfillPipeline) {
    return Error{ErrorKind::kInvalidArgument, "a backfill is not run by its name", "`caudal backfill`", "pipeline"};
  }
  return request;
}

/// What was asked for is there, but the answer is not yet.
HttpResponse Accepted(const std::string& run, const std::string& pipeline, std::string_view status) {
  return JsonResponse(202, Json{{"run", run}, {"pipeline", pipeline}, {"status", status}});
}

struct LogPart {
  std::vector<std::string> lines;
  std::int64_t next = 0;
  bool more = false;
};

/// Whole lines from byte `after` on; `tail` > 0: the last ones instead.
LogPart ReadLog(const std::string& path, std::int64_t after, std::int64_t tail, std::size_t limit) {
  LogPart part;
  std::error_code absent;
  const auto found = std::filesystem::file_size(path, absent);
  const std::int64_t size = absent ? 0 : static_cast<std::int64_t>(found);
  std::int64_t from = std::min(after, size);
  if (tail > 0) from = std::max<std::int64_t>(0, size - kMostLogBytes);
  part.next = from;
  std::ifstream file(path, std::ios::binary);
  std::string text(static_cast<std::size_t>(std::min(size - from, kMostLogBytes)), '\0');
  file.seekg(from);
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  std::size_t at = tail > 0 && from > 0 ? text.find('\n') + 1 : 0;  // the first line may be a half one
  for (std::size_t end; (end = text.find('\n', at)) != std::string::npos && (tail > 0 || part.lines.size() < limit); at = end + 1) {
    part.lines.push_back(text.substr(at, end - at));
  }
  part.next = from + static_cast<std::int64_t>(at);
  if (tail > 0 && part.lines.size() > static_cast<std::size_t>(tail)) part.lines.erase(part.lines.begin(), part.lines.end() - tail);
  part.more = text.find('\n', at) != std::string::npos || from + static_cast<std::int64_t>(text.size()) < size;
  return part;
}

}  // namespace

Result<HttpResponse> GetRuns(const Served& served, const Call& call) {
  RunFilter filter;
  filter.pipeline = call.Query("pipeline");
  filter.cursor = call.Query("cursor");
  TRY_ASSIGN(filter.status, StatusOf(call.Query("status")));
  TRY_ASSIGN(const std::int64_t limit, call.Number("limit", 1, 500, 50));
  filter.limit = static_cast<int>(limit);
  TRY_ASSIGN(const RunPage page, served.state.history().Runs(filter));
  Json document{{"next", page.next.empty() ? Json(nullptr) : Json(page.next)}};
  TRY_ASSIGN(document["runs"], RunEntries(served, page.runs));
  return JsonResponse(200, document);
}

Result<HttpResponse> GetRun(const Served& served, const Call& call) {
  const std::string& id = call.Word("run");
  const auto workspace = served.daemon.workspace();
  const Project* project = workspace ? &workspace->project : nullptr;
  const std::vector<AskedRun> asked = served.daemon.Asked();
  if (const AskedRun* waiting = Waiting(asked, id)) return JsonResponse(200, QueuedDetail(*waiting, project));
  TRY_ASSIGN(const RunRecord run, served.state.Run(id));
  TRY_ASSIGN(auto found, served.state.Tasks(id));
  const std::vector<TaskRecord> tasks = InOrder(project, std::move(found));
  Json document = RunDocument(run);
  Json counts = Json::object();
  for (const TaskRecord& task : tasks) {
    Json& count = counts[std::string(TaskStatusName(task.status))];
    count = (count.is_null() ? 0 : count.get<int>()) + 1;
  }
  document["counts"] = counts;
  document["tasks"] = TasksDocument(served, id, tasks);
  document["checks"] = Json::array();
  TRY_ASSIGN(const auto checks, served.state.alerts().ChecksOf(id));
  for (const CheckRecord& check : checks) {
    document["checks"].push_back({{"table", check.table}, {"check", check.check}, {"verdict", check.verdict}, {"failing_rows", check.failing_rows},
                                  {"observed", check.observed}, {"message", check.message}, {"at", FormatTimestampMs(check.at)}});
  }
  document["request"] = RequestDocument(run.command);
  document["process"] = run.holder.substr(0, run.holder.find(':'));
  document["resumed"] = run.resumed;
  document["edges"] = EdgesBetween(project, tasks);
  const bool open = run.status != RunStatus::kSucceeded && run.status != RunStatus::kRunning;
  document["resume"] = open ? Json("caudal retry " + run.id) : Json(nullptr);
  const auto active = served.daemon.ActiveRuns();
  document["can_cancel"] = std::any_of(active.begin(), active.end(), [&](const ActiveRunView& view) { return view.run == id; });
  document["can_retry"] = open;
  return JsonResponse(200, document);
}

Result<HttpResponse> GetRunLog(const Served& served, const Call& call) {
  TRY_ASSIGN(const auto workspace, WorkspaceNow(served));
  TRY_ASSIGN(const RunRecord run, served.state.Run(call.Word("run")));
  TRY_ASSIGN(const std::int64_t after, call.Number("after", 0, INT64_MAX, 0));
  TRY_ASSIGN(const std::int64_t tail, call.Number("tail", 1, 1000, 0));
  TRY_ASSIGN(const std::int64_t limit, call.Number("limit", 1, 1000, 500));
  if (tail > 0 && call.query.contains("after")) {
    return Error{ErrorKind::kInvalidArgument, "`tail` and `after` are not both to be had", "leave one out", "tail"};
  }
  const LogPart part = ReadLog(workspace->project.folder + "/.caudal/runs/" + run.id + ".ndjson", after, tail, static_cast<std::size_t>(limit));
  Json document{{"lines", Json::array()}, {"next", part.next}, {"more", part.more}, {"ended", run.status != RunStatus::kRunning}};
  for (const std::string& line : part.lines) {
    auto json = ParseJson(line, "a line of the run's log");
    if (json && json->is_object()) document["lines"].push_back(*std::move(json));
  }
  return JsonResponse(200, document);
}

Result<HttpResponse> PostRun(const Served& served, const Call& call) {
  TRY_ASSIGN(RunRequest request, ReadRequest(call.request.body));
  TRY_ASSIGN(const AskedRun asked, served.daemon.Ask(std::move(request), call.who.name));
  return Accepted(asked.run, asked.request.pipeline, "queued");
}

Result<HttpResponse> PostPlan(const Served& served, const Call& call) {
  TRY_ASSIGN(const auto workspace, WorkspaceNow(served));
  TRY_ASSIGN(const RunRequest request, ReadRequest(call.request.body));
  const auto& pipelines = workspace->project.pipelines;
  const bool known = request.pipeline == "all" || std::any_of(pipelines.begin(), pipelines.end(), [&](const auto& p) { return p.name == request.pipeline; });
  if (!known) return Error{ErrorKind::kNotFound, "no pipeline is called '" + request.pipeline + "'", "", "pipeline"};
  TRY_ASSIGN(const std::vector<PlanItem> plan, MakePlan(*workspace, request));
  return JsonResponse(200, PlanDocument(workspace->project, request, plan));
}

Result<HttpResponse> PostRetry(const Served& served, const Call& call) {
  TRY_ASSIGN(const BodyReader reader, BodyReader::Read(call.request.body, {"select"}));
  TRY_ASSIGN(const auto select, reader.Texts("select"));
  TRY_ASSIGN(const AskedRun asked, served.daemon.AskRetry(call.Word("run"), select, call.who.name));
  return Accepted(asked.run, asked.request.pipeline, "queued");
}

Result<HttpResponse> PostCancel(const Served& served, const Call& call) {
  const std::string& id = call.Word("run");
  const std::vector<AskedRun> asked = served.daemon.Asked();
  const AskedRun* waiting = Waiting(asked, id);
  std::string pipeline = waiting == nullptr ? "" : waiting->request.pipeline;
  TRY_ASSIGN(const RunStatus status, served.daemon.Cancel(id, call.who.name));
  if (waiting == nullptr) {
    TRY_ASSIGN(const RunRecord run, served.state.Run(id));
    pipeline = run.pipeline;
  }
  return Accepted(id, pipeline, RunStatusName(status));
}

}  // namespace caudal
