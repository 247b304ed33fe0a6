// What people ask of the daemon: runs, retries, an end.
#include <algorithm>

#include "base/json.h"
#include "flow/daemon.h"

namespace caudal {
namespace {

/// More than people ask for; less than fills the memory.
constexpr std::size_t kMostAsked = 200;
constexpr const char* kEverything = "all";

bool IsPipeline(const Project& project, const std::string& name) {
  return name == kEverything || name == kBackfillPipeline ||
         std::any_of(project.pipelines.begin(), project.pipelines.end(), [&](const PipelineConfig& p) { return p.name == name; });
}

Error NotAPipeline(const Project& project, const std::string& name) {
  std::vector<std::string> names{kEverything};
  for (const PipelineConfig& pipeline : project.pipelines) names.push_back(pipeline.name);
  const std::string near = Nearest(name, names);
  return Error{ErrorKind::kNotFound, "no pipeline is called '" + name + "'", near.empty() ? "" : "did you mean '" + near + "'?", "pipeline"};
}

/// TablesOf; none where a source that was never asked may have what is meant.
Result<std::set<std::string>> TablesSoFar(const Project& project, const RunRequest& request) {
  auto tables = TablesOf(project, request);
  const bool unknown = std::any_of(project.sources.begin(), project.sources.end(), [](const SourceConfig& s) { return !s.patterns.empty() && s.asked.empty(); });
  if (!tables && unknown) return std::set<std::string>();
  return tables;
}

}  // namespace

Result<AskedRun> Daemon::Ask(RunRequest request, const std::string& by) {
  const auto project_now = project();
  if (!project_now || x_stopping) return Error{ErrorKind::kUnavailable, "the daemon begins nothing now", "try again in a moment", ""};
  if (!IsPipeline(*project_now, request.pipeline)) return NotAPipeline(*project_now, request.pipeline);
  TRY(TablesSoFar(*project_now, request));
  AskedRun asked;
  asked.run = NewRunId(x_clock.Now());
  request.run = asked.run;
  request.cause = "api";
  request.by = by;
  asked.request = std::move(request);
  asked.by = by;
  asked.asked = x_clock.Now();
  return Enqueue(std::move(asked));
}

Result<AskedRun> Daemon::AskRetry(const std::string& run, const std::vector<std::string>& select, const std::string& by) {
  const auto project_now = project();
  if (!project_now || x_stopping) return Error{ErrorKind::kUnavailable, "the daemon begins nothing now", "try again in a moment", ""};
  TRY_ASSIGN(const RunRecord record, x_state.Run(run));
  if (record.status == RunStatus::kSucceeded) {
    return Error{ErrorKind::kConflict, "run " + run + " succeeded: nothing is left to do", "begin a new one", ""};
  }
  if (record.status == RunStatus::kRunning) return Error{ErrorKind::kConflict, "run " + run + " is running", "wait for it, or cancel it", ""};
  if (!IsPipeline(*project_now, record.pipeline)) return NotAPipeline(*project_now, record.pipeline);
  AskedRun asked;
  TRY_ASSIGN(asked.request, RunRequestFromJson(record.command));
  TRY(TablesSoFar(*project_now, asked.request));
  if (!select.empty()) TRY(Select(*project_now, select, {}));
  asked.run = run;
  asked.retry = true;
  asked.select = select;
  asked.by = by;
  asked.asked = x_clock.Now();
  return Enqueue(std::move(asked));
}

Result<AskedRun> Daemon::Enqueue(AskedRun asked) {
  {
    const std::lock_guard lock(x_mutex);
    for (const AskedRun& other : x_asked) {
      if (other.request.pipeline != asked.request.pipeline) continue;
      return Error{ErrorKind::kConflict, "a run of pipeline '" + asked.request.pipeline + "' is asked for already, and waits: " + other.run,
                   "wait for it, or cancel it", ""};
    }
    if (x_asked.size() >= kMostAsked) return Error{ErrorKind::kUnavailable, "too many runs are asked for already", "try again when some have begun", ""};
    x_asked.push_back(asked);
  }
  Log("run.asked", {{"pipeline", asked.request.pipeline}, {"run", asked.run}, {"by", asked.by}});
  return asked;
}

Result<RunStatus> Daemon::Cancel(const std::string& run, const std::string& by) {
  {
    const std::lock_guard lock(x_mutex);
    if (std::erase_if(x_asked, [&](const AskedRun& asked) { return asked.run == run; }) > 0) return RunStatus::kCancelled;
    for (Active& active : x_active) {
      const bool this_one = active.view.run == run || (active.asked && active.asked->run == run);
      if (!this_one || active.ended) continue;
      active.stopped_by_people = true;
      active.cancel = true;
      x_log(LogLine{x_clock.Now(), "run.cancelling", {{"pipeline", active.pipeline}, {"run", run}, {"by", by}}});
      return RunStatus::kRunning;
    }
  }
  TRY_ASSIGN(const RunRecord record, x_state.Run(run));
  if (record.status != RunStatus::kRunning) {
    return Error{ErrorKind::kConflict, "run " + run + " has ended already: " + std::string(RunStatusName(record.status)), "", ""};
  }
  return Error{ErrorKind::kConflict, "run " + run + " is not the daemon's: process " + record.holder.substr(0, record.holder.find(':')) + " runs it",
               "Ctrl-C there stops it", ""};
}

std::vector<AskedRun> Daemon::Asked() const {
  const std::lock_guard lock(x_mutex);
  std::vector<AskedRun> asked;
  for (const Active& active : x_active) {
    if (!active.asked || !active.view.run.empty() || active.ended) continue;
    asked.push_back(*active.asked);
    asked.back().why = "it begins now";
  }
  asked.insert(asked.end(), x_asked.begin(), x_asked.end());
  return asked;
}

/// What people wait for goes before what is due.
void Daemon::BeginAsked() {
  std::vector<AskedRun> waiting;
  {
    const std::lock_guard lock(x_mutex);
    waiting.assign(x_asked.begin(), x_asked.end());
  }
  if (waiting.empty()) return;
  const std::set<std::string> busy = Busy();
  for (AskedRun& asked : waiting) {
    auto tables = TablesSoFar(*project(), asked.request);
    if (!tables) {  // the project has changed meanwhile
      Refuse(asked, tables.error());
      continue;
    }
    const std::string who = WhoBuildsSome(*tables);
    std::string why = busy.contains(asked.request.pipeline) ? "the pipeline runs now" : who.empty() ? "" : "pipeline " + who + " builds some of its tables now";
    {
      const std::lock_guard lock(x_mutex);
      if (why.empty() && static_cast<int>(x_active.size()) >= x_workspace->project.runs) why = "all slots for runs are taken";
      const auto it = std::find_if(x_asked.begin(), x_asked.end(), [&](const AskedRun& other) { return other.run == asked.run; });
      if (it == x_asked.end()) continue;  // taken back
      it->why = why;
      if (!why.empty()) continue;
      x_asked.erase(it);
    }
    Start start;
    start.pipeline = asked.request.pipeline;
    start.cause = "api";
    start.tables = std::make_shared<const std::set<std::string>>(*std::move(tables));
    start.body = [asked](const Workspace& workspace, RunObserver& observer, const CancelFlag& cancel) {
      return asked.retry ? RetryRun(workspace, asked.run, asked.select, observer, cancel) : StartRun(workspace, asked.request, observer, cancel);
    };
    start.asked = std::move(asked);
    Begin(std::move(start));
  }
}

/// Somebody was told that it would run.
void Daemon::Refuse(const AskedRun& asked, const Error& error) {
  {
    const std::lock_guard lock(x_mutex);
    std::erase_if(x_asked, [&](const AskedRun& other) { return other.run == asked.run; });
  }
  Log("run.refused", {{"pipeline", asked.request.pipeline}, {"run", asked.run}, {"error", error.ToString()}});
  const Json body{{"pipeline", asked.request.pipeline}, {"error", error.message}, {"next", error.next}, {"by", asked.by}};
  static_cast<void>(x_state.schedules().Tell(EventRecord{0, x_clock.Now(), "run.refused", asked.run, "", DumpJson(body)}));
}

std::map<std::string, JobProgress> Daemon::ProgressOf(const std::string& run) const {
  const std::lock_guard lock(x_mutex);
  for (const Active& active : x_active) {
    if (active.view.run == run) return active.progress;
  }
  return {};
}

std::shared_ptr<const Workspace> Daemon::workspace() const {
  const std::lock_guard lock(x_mutex);
  return x_workspace;
}

std::optional<Error> Daemon::broken() const {
  const std::lock_guard lock(x_mutex);
  return x_broken;
}

}  // namespace caudal
