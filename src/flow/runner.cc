#include "flow/runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <system_error>
#include <thread>

#include "base/ids.h"
#include "base/json.h"
#include "flow/maintain.h"
#include "flow/optimize.h"
#include "flow/preview.h"
#include "flow/run_log.h"
#include "flow/settled_load.h"
#include "flow/task_graph.h"
#include "flow/time_limits.h"

namespace caudal {
namespace {

using std::chrono::milliseconds;

/// How often a waiting runner looks whether it is to stop.
constexpr milliseconds kPoll{100};
/// Nobody asks a source for its tables that long.
constexpr std::chrono::hours kAsking{1};

class Runner {
 public:
  Runner(const Workspace& workspace, const RunRequest& request, RunRecord run, TaskGraph graph,
         std::map<std::string, TaskRecord> records, RunObserver& observer, const CancelFlag& cancel)
      : x_workspace(workspace),
        x_request(request),
        x_run(std::move(run)),
        x_graph(std::move(graph)),
        x_records(std::move(records)),
        x_observer(observer),
        x_cancel(cancel),
        x_log(workspace.project.folder, x_run.id),
        x_limits(cancel, Pipeline().timeout) {}

  Result<RunReport> Go() {
    x_log.Write(RunEvent("run.started", x_run, Now()));
    x_observer.OnRunStarted(x_run, Records());
    const bool asks = !x_request.from_raw && !x_request.rejects_where && !x_request.interval;
    if (asks) x_settled = SettledLoads(x_workspace, x_graph.order());
    std::vector<std::thread> slots;
    const int count = Pipeline().slots > 0 ? Pipeline().slots : std::max(1, x_workspace.project.slots);
    try {
      for (int i = 0; i < count; ++i) slots.emplace_back([this] { Slot(); });
    } catch (const std::system_error&) {
      // The system gives no more threads: fewer tasks run at once, and one always does.
    }
    if (slots.empty()) Slot();
    for (std::thread& slot : slots) slot.join();
    if (x_broken) return *x_broken;
    KeepTablesInOrder();
    x_run.status = EndStatus();
    x_run.ended = Now();
    EventRecord event = RunEvent("run." + std::string(RunStatusName(x_run.status)), x_run, *x_run.ended);
    TRY(x_workspace.state.EndRun(x_run.id, x_run.status, *x_run.ended, event));
    x_log.Write(event);
    x_observer.OnRunEnded(x_run, Records());
    return RunReport{x_run, Records()};
  }

 private:
  /// When all have read what came; a table that cannot be kept in order is as good as it was.
  void KeepTablesInOrder() {
    for (const auto& [table, record] : x_records) {
      if (record.status != TaskStatus::kSucceeded || record.version < 0 || x_cancel) continue;
      const Node& node = *x_workspace.project.Find(table);
      NoteMaintained(table, KeepInOrder(x_workspace, node, x_run.id + "-order", &x_cancel));
      if (node.retention.any() && !x_cancel) NoteMaintained(table, PurgeByItsRule(node));
    }
  }

  Result<std::string> PurgeByItsRule(const Node& node) {
    TRY_ASSIGN(const auto purge, PurgeTable(x_workspace, node, node.retention, false));
    if (!purge || purge->report.files == 0) return std::string();
    return fmt::format("versions before {} are gone, {} files with {} bytes", purge->horizon, purge->report.files, purge->report.bytes);
  }

  void NoteMaintained(const std::string& table, const Result<std::string>& done) {
    if (done && done->empty()) return;
    const Json body = done ? Json{{"note", *done}} : Json{{"error", done.error().message}};
    x_log.Write(EventRecord{0, Now(), "table.maintained", x_run.id, table, DumpJson(body)});
  }

  Timestamp Now() const { return x_workspace.clock.Now(); }

  const PipelineConfig& Pipeline() const {
    static const PipelineConfig kNone;
    for (const PipelineConfig& pipeline : x_workspace.project.pipelines) {
      if (pipeline.name == x_run.pipeline) return pipeline;
    }
    return kNone;
  }

  std::vector<TaskRecord> Records() const {
    std::vector<TaskRecord> records;
    for (const std::string& table : x_graph.order()) records.push_back(x_records.at(table));
    return records;
  }

  RunStatus EndStatus() const {
    auto any = [&](TaskStatus s) {
      return std::any_of(x_records.begin(), x_records.end(), [&](const auto& r) { return r.second.status == s; });
    };
    if (any(TaskStatus::kFailed) || any(TaskStatus::kBlocked) || (x_limits.run_is_over() && any(TaskStatus::kCancelled))) return RunStatus::kFailed;
    return any(TaskStatus::kCancelled) ? RunStatus::kCancelled : RunStatus::kSucceeded;
  }

  /// One slot: takes what is ready until everything has ended.
  void Slot() {
    std::unique_lock lock(x_mutex);
    while (!x_graph.AllEnded() && !x_broken) {
      if (x_cancel || x_limits.run_is_over()) CancelWaiting();
      std::string table = NextReady();
      if (table.empty()) {
        x_changed.wait_for(lock, kPoll);
        continue;
      }
      Start(table);
      lock.unlock();
      TaskOutcome outcome = Execute(table);
      lock.lock();
      End(table, std::move(outcome));
      x_changed.notify_all();
    }
    x_changed.notify_all();
  }

  std::string NextReady() const {
    for (const std::string& table : x_graph.Ready()) {
      auto wait = x_not_before.find(table);
      if (wait == x_not_before.end() || wait->second <= Now()) return table;
    }
    return "";
  }

  void CancelWaiting() {
    for (const std::string& table : x_graph.order()) {
      if (x_graph.status(table) != TaskStatus::kWaiting) continue;
      TaskRecord& record = x_records[table];
      record.status = TaskStatus::kCancelled;
      record.note = x_cancel ? "the run was stopped before it began" : "the run's time was over before it began";
      x_graph.Mark(table, TaskStatus::kCancelled);
      Save(record, "task.cancelled", nullptr);
      x_observer.OnTaskEnded(record, {});
    }
  }

  void Start(const std::string& table) {
    x_graph.Mark(table, TaskStatus::kRunning);
    TaskRecord& record = x_records[table];
    record.status = TaskStatus::kRunning;
    ++record.attempt;
    record.started = Now();
    record.ended.reset();
    record.error.clear();
    record.error_kind.clear();
    record.error_next.clear();
    Save(record, "task.started", nullptr);
    x_observer.OnTaskStarted(record);
  }

  TaskOutcome Execute(const std::string& table) {
    const Node* node = x_workspace.project.Find(table);
    TaskContext context;
    context.run = x_run.id;
    context.run_started = x_run.started;
    context.attempt = x_records[table].attempt;
    context.full_refresh = x_request.full_refresh;
    context.from_raw = x_request.from_raw;
    context.rejects_where = x_request.rejects_where;
    context.interval = x_request.interval;
    if (!x_records[table].staged.empty()) {
      if (auto manifest = RawManifestFromJson(x_records[table].staged)) context.manifest = *manifest;
    }
    context.progress = [this, table](const JobProgress& progress) {
      std::lock_guard lock(x_mutex);
      x_observer.OnTaskProgress(table, progress);
    };
    if (std::optional<TaskOutcome> done = AlreadyCommitted(table)) {
      CompleteFormats(table, *done);
      return *std::move(done);
    }
    if (const auto settled = x_settled.find(table); settled != x_settled.end()) return settled->second;
    const TimeLimits::Limit limit = LimitOf(*node);
    context.cancel = &x_limits.Begin(table, limit);
    TaskOutcome outcome = node->kind == Node::Kind::kStream ? LoadStream(x_workspace, *node, context)
                                                            : BuildModel(x_workspace, *node, context);
    CompleteFormats(table, outcome);
    const TimeLimits::Exceeded exceeded = x_limits.End(table);
    if (exceeded != TimeLimits::Exceeded::kNothing && outcome.status == TaskStatus::kCancelled) {
      const bool own = exceeded == TimeLimits::Exceeded::kTask;
      outcome.status = TaskStatus::kFailed;
      outcome.error = Error{ErrorKind::kTimeout,
                            fmt::format("the {} took longer than its timeout of {}", own ? "task" : "run",
                                        FormatDuration(own ? *limit : *Pipeline().timeout)),
                            own ? "raise its `timeout`, or look at what made it slow" : "raise the pipeline's `timeout`", ""};
    }
    return outcome;
  }

  /// A table that a killed run left behind, or whose `formats` are others now, gets them even where nothing was new.
  void CompleteFormats(const std::string& name, TaskOutcome& outcome) const {
    if (outcome.status != TaskStatus::kSucceeded && outcome.status != TaskStatus::kUnchanged) return;
    Table table = x_workspace.TableOf(name);
    auto behind = table.FormatsBehind();
    if (behind ? behind->empty() : behind.error().kind == ErrorKind::kNotFound) return;  // not found: a view
    Status done = behind ? table.Heal() : Status(behind.error());
    if (done) return;
    outcome.note += (outcome.note.empty() ? "" : "; ") + (behind ? *behind + ": " : "") + done.error().message;
  }

  TimeLimits::Limit LimitOf(const Node& node) const {
    const Project& project = x_workspace.project;
    const auto& own = node.kind == Node::Kind::kStream ? project.source(node).timeout : project.models[node.model].timeout;
    return own ? own : project.task_timeout;
  }

  /// A task that was running when its process died may have committed: the table's log tells.
  std::optional<TaskOutcome> AlreadyCommitted(const std::string& table) const {
    if (x_records.at(table).attempt < 2) return std::nullopt;
    Table lake_table = x_workspace.TableOf(table);
    auto latest = LatestOrNone(lake_table);
    if (!latest || !*latest) return std::nullopt;
    auto history = lake_table.History(-1, (*latest)->version);
    if (!history) return std::nullopt;
    for (auto commit = history->rbegin(); commit != history->rend() && commit->time >= x_run.started; ++commit) {
      if (commit->task != x_run.id + "/" + table) continue;
      TaskOutcome outcome;
      outcome.status = TaskStatus::kSucceeded;
      outcome.version = commit->version;
      outcome.counts = commit->counts.value_or(RowCounts{0, commit->rows_added, 0, 0});
      outcome.note = "had committed before the run was interrupted";
      return outcome;
    }
    return std::nullopt;
  }

  void End(const std::string& table, TaskOutcome outcome) {
    TaskRecord& record = x_records[table];
    record.ended = Now();
    record.version = outcome.version;
    record.rows_read = outcome.counts.read;
    record.rows_written = outcome.counts.written;
    record.rows_rejected = outcome.counts.rejected;
    record.bytes_written = outcome.bytes_written;
    record.peak_memory_bytes = outcome.cost.peak_memory_bytes;
    record.cpu_ms = outcome.cost.cpu.count();
    record.note = outcome.note;
    record.staged = outcome.manifest && outcome.error ? RawManifestToJson(*outcome.manifest) : "";
    record.status = outcome.status;
    SaveChecks(table, outcome);
    if (outcome.error) {
      record.error_kind = KindName(outcome.error->kind);
      record.error = outcome.error->where.empty() ? outcome.error->message : outcome.error->where + ": " + outcome.error->message;
      record.error_next = outcome.error->next;
      if (WaitForRetry(record, *outcome.error)) return;
    }
    x_graph.Mark(table, record.status);
    Save(record, "task." + std::string(TaskStatusName(record.status)), &outcome);
    if (std::any_of(outcome.drift.begin(), outcome.drift.end(), [](const Drift& drift) { return drift.news; })) {
      const EventRecord event = DriftEvent(x_run, table, outcome.drift, Now());
      x_log.Write(event);
      KeepError(x_workspace.state.SaveTask(record, event));
    }
    x_observer.OnTaskEnded(record, outcome);
    for (const std::string& blocked : x_graph.TakeBlocked()) EndBlocked(blocked);
  }

  void EndBlocked(const std::string& table) {
    TaskRecord& record = x_records[table];
    record.status = TaskStatus::kBlocked;
    std::string causes;
    for (const std::string& cause : x_graph.BlockedBy(table)) causes += (causes.empty() ? "" : ", ") + cause;
    record.note = "waits for " + causes;
    Save(record, "task.blocked", nullptr);
    x_observer.OnTaskEnded(record, {});
  }

  /// Transient kinds only, after the listed delays.
  bool WaitForRetry(TaskRecord& record, const Error& error) {
    const Node* node = x_workspace.project.Find(record.name);
    std::vector<milliseconds> delays = Pipeline().name.empty() ? x_workspace.project.retries : Pipeline().retries;
    if (node->kind == Node::Kind::kStream && x_workspace.project.source(*node).retries) {
      delays = *x_workspace.project.source(*node).retries;
    }
    int failures = ++x_failures[record.name];
    bool again = error.retryable() && x_request.retry_transient && !x_cancel && !x_limits.run_is_over() &&
                 failures <= static_cast<int>(delays.size());
    if (!again) return false;
    Timestamp at = Now() + delays[static_cast<std::size_t>(failures - 1)];
    x_not_before[record.name] = at;
    record.status = TaskStatus::kWaiting;
    x_graph.Mark(record.name, TaskStatus::kWaiting);
    Save(record, "task.retrying", nullptr);
    x_observer.OnTaskWaits(record, error, at);
    return true;
  }

  void SaveChecks(const std::string& table, const TaskOutcome& outcome) {
    std::vector<CheckRecord> checks;
    for (const CheckResult& c : outcome.checks) {
      checks.push_back({x_run.id, table, c.id, std::string(VerdictName(c.verdict)), c.failing_rows, c.observed, c.message, Now()});
    }
    if (!checks.empty()) KeepError(x_workspace.state.SaveChecks(checks));
  }

  void Save(const TaskRecord& record, const std::string& kind, const TaskOutcome* outcome) {
    EventRecord event = TaskEvent(kind, record, outcome, Now());
    x_log.Write(event);
    KeepError(x_workspace.state.SaveTask(record, event));
  }

  /// A run that cannot record what it does stops: what it committed stays, and a retry finds it.
  void KeepError(Status status) {
    if (!status && !x_broken) x_broken = std::move(status).error();
  }

  const Workspace& x_workspace;
  const RunRequest& x_request;
  RunRecord x_run;
  std::mutex x_mutex;  // guards everything below, and the observer
  std::condition_variable x_changed;
  TaskGraph x_graph;
  std::map<std::string, TaskRecord> x_records;
  std::map<std::string, Timestamp> x_not_before;
  std::map<std::string, int> x_failures;
  std::optional<Error> x_broken;
  RunObserver& x_observer;
  const CancelFlag& x_cancel;
  RunLog x_log;
  TimeLimits x_limits;
  std::map<std::string, TaskOutcome> x_settled;  // loads that nobody does; not changed once the slots run
};

/// Staging of attempts that nobody runs any more; a failed run's candidates stay for inspection until it is retried.
void SweepStaging(const Workspace& workspace) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(workspace.staging_root, ignored)) {
    std::string name = entry.path().filename().string();
    auto run = workspace.state.Run(name.substr(0, name.find('-', name.find('-') + 1)));
    const auto written = entry.last_write_time(ignored);
    const bool lately = !ignored && std::filesystem::file_time_type::clock::now() - written < kAsking;
    if (name.starts_with(kDiscoverStaging) && lately) continue;
    bool needed = run && (run->status == RunStatus::kRunning || run->status == RunStatus::kFailed);
    if (!needed) std::filesystem::remove_all(entry.path(), ignored);
  }
}

/// Puts the run on record: at once, or where it may wait, when no other run of the pipeline is running.
Status BeginRun(const Workspace& workspace, const std::vector<TaskRecord>& tasks, bool wait, RunRecord& run,
                RunObserver& observer, const CancelFlag& cancel) {
  for (bool told = false;; told = true) {
    run.started = workspace.clock.Now();
    Status begun = workspace.state.BeginRun(run, tasks, RunEvent("run.started", run, run.started));
    if (begun || begun.error().kind != ErrorKind::kConflict || !wait) return begun;
    if (!told) observer.OnRunQueued(begun.error());
    if (cancel) return Error{ErrorKind::kCancelled, "stopped while it waited for another run", "", ""};
    std::this_thread::sleep_for(kPoll);
  }
}

}  // namespace

std::string NewRunId(Timestamp now) {
  std::string instant = FormatInstant(now);
  return instant.substr(0, 8) + "T" + instant.substr(8, 6) + "-" + NewToken().substr(0, 6);
}

Result<std::set<std::string>> TablesOf(const Project& project, const RunRequest& request) {
  std::vector<std::string> select = request.select;
  for (const PipelineConfig& pipeline : project.pipelines) {
    if (select.empty() && pipeline.name == request.pipeline) select = pipeline.run;
  }
  TRY_ASSIGN(std::set<std::string> tables, Select(project, select, request.exclude));
  if (!tables.empty() || project.nodes.empty()) return tables;
  return Error{ErrorKind::kInvalidArgument, "nothing is left of the selection", "select more, or exclude less", ""};
}

std::string RunRequestToJson(const RunRequest& request) {
  Json json{{"pipeline", request.pipeline}, {"select", request.select}, {"exclude", request.exclude},
            {"full_refresh", request.full_refresh}, {"from_raw", request.from_raw}};
  if (!request.by.empty()) json["by"] = request.by;
  if (request.rejects_where) json["rejects_where"] = *request.rejects_where;
  if (request.interval) json["interval"] = {request.interval->first, request.interval->second};
  return DumpJson(json);
}

Result<RunRequest> RunRequestFromJson(const std::string& text) {
  TRY_ASSIGN(Json json, ParseJson(text, "the command of a run"));
  RunRequest request;
  request.pipeline = JsonString(json, "pipeline", "all");
  request.select = json.value("select", std::vector<std::string>{});
  request.exclude = json.value("exclude", std::vector<std::string>{});
  request.full_refresh = JsonBool(json, "full_refresh", false);
  request.from_raw = JsonBool(json, "from_raw", false);
  request.by = JsonString(json, "by", "");
  if (json.contains("rejects_where")) request.rejects_where = JsonString(json, "rejects_where", "");
  if (json.contains("interval")) request.interval.emplace(json["interval"][0], json["interval"][1]);
  return request;
}

Result<RunReport> StartRun(const Workspace& workspace, const RunRequest& request, RunObserver& observer,
                           const CancelFlag& cancel) {
  TRY(RefuseUnknownTables(workspace.project, request));
  TRY_ASSIGN(auto tables, TablesOf(workspace.project, request));
  RunRecord run;
  run.id = request.run.empty() ? NewRunId(workspace.clock.Now()) : request.run;
  run.pipeline = request.pipeline;
  run.release = workspace.project.hash;
  run.command = RunRequestToJson(request);
  run.cause = request.cause;
  run.scheduled = request.scheduled;
  run.followed = request.followed;
  TaskGraph graph(workspace.project, tables);
  std::map<std::string, TaskRecord> records;
  std::vector<TaskRecord> list;
  for (const std::string& table : graph.order()) {
    TaskRecord record;
    record.run = run.id;
    record.name = table;
    list.push_back(record);
    records[table] = std::move(record);
  }
  TRY(BeginRun(workspace, list, request.wait, run, observer, cancel));
  SweepStaging(workspace);
  return Runner(workspace, request, std::move(run), std::move(graph), std::move(records), observer, cancel).Go();
}

Result<RunRecord> RunToContinue(const Workspace& workspace, const std::string& id) {
  if (id.empty()) {
    TRY_ASSIGN(auto runs, workspace.state.Runs(100));
    auto open = std::find_if(runs.begin(), runs.end(), [](const RunRecord& r) {
      return r.status == RunStatus::kFailed || r.status == RunStatus::kInterrupted || r.status == RunStatus::kCancelled;
    });
    bool newer_done = open != runs.end() && std::any_of(runs.begin(), open, [&](const RunRecord& r) {
      return r.pipeline == open->pipeline && r.status == RunStatus::kSucceeded;
    });
    if (open == runs.end() || newer_done) {
      return Error{ErrorKind::kNotFound, "there is no failed or interrupted run to continue", "`caudal run` starts a new one", ""};
    }
    return *open;
  }
  TRY_ASSIGN(RunRecord run, workspace.state.Run(id));
  if (run.status == RunStatus::kSucceeded) {
    return Error{ErrorKind::kInvalidArgument, "run " + id + " succeeded: nothing is left to do", "`caudal run` begins a new one", ""};
  }
  return run;
}

Result<RunReport> RetryRun(const Workspace& workspace, const std::string& id, const std::vector<std::string>& select,
                           RunObserver& observer, const CancelFlag& cancel) {
  TRY_ASSIGN(RunRecord run, RunToContinue(workspace, id));
  TRY_ASSIGN(RunRequest request, RunRequestFromJson(run.command));
  TRY_ASSIGN(auto tables, TablesOf(workspace.project, request));
  std::optional<std::set<std::string>> only;
  if (!select.empty()) {
    std::vector<std::string> below;
    for (const std::string& s : select) below.push_back(s.ends_with("+") ? s : s + "+");
    TRY_ASSIGN(only, Select(workspace.project, below, {}));
  }
  TaskGraph graph(workspace.project, tables);
  TRY_ASSIGN(auto before, workspace.state.Tasks(run.id));
  std::map<std::string, TaskRecord> records;
  for (const std::string& table : graph.order()) {
    auto old = std::find_if(before.begin(), before.end(), [&](const TaskRecord& t) { return t.name == table; });
    TaskRecord record = old == before.end() ? TaskRecord{} : *old;
    record.run = run.id;
    record.name = table;
    bool done = record.status == TaskStatus::kSucceeded || record.status == TaskStatus::kUnchanged;
    bool left_out = only && !only->contains(table);
    if (done || left_out) {
      bool never_ended = record.status == TaskStatus::kWaiting || record.status == TaskStatus::kRunning;
      if (never_ended) record.status = TaskStatus::kCancelled;
      graph.Mark(table, record.status);
    } else {
      record.status = TaskStatus::kWaiting;
    }
    records[table] = std::move(record);
  }
  TRY(workspace.state.ReopenRun(run.id, RunEvent("run.resumed", run, workspace.clock.Now())));
  run.status = RunStatus::kRunning;
  ++run.resumed;
  SweepStaging(workspace);
  return Runner(workspace, request, std::move(run), std::move(graph), std::move(records), observer, cancel).Go();
}

}  // namespace caudal
