#include "flow/daemon.h"

#include <algorithm>
#include <system_error>

#include "base/json.h"
#include "flow/run_log.h"

namespace caudal {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTick{100};      // signals and ended runs are noticed this soon
constexpr milliseconds kLookAgain{500};  // pauses and runs of other processes
constexpr std::chrono::seconds kHeldFor{2};
constexpr std::chrono::seconds kTroubleFor{5};
/// A run that took the daemon with it so often is left to people.
constexpr int kMostResumed = 3;

bool ByDaemon(const RunRecord& run) { return run.cause != "hand"; }

EventRecord DaemonEvent(const char* kind, Timestamp at, const Json& body) { return EventRecord{0, at, kind, "", "", DumpJson(body)}; }

}  // namespace

/// Tells the log what a run does.
class Daemon::Watcher final : public RunObserver {
 public:
  Watcher(Daemon& daemon, Active& active) : x_daemon(daemon), x_active(active) {}

  void OnRunStarted(const RunRecord& run, const std::vector<TaskRecord>& tasks) override {
    {
      const std::lock_guard lock(x_daemon.x_mutex);
      x_active.view.run = run.id;
      x_active.view.started = run.started;
    }
    std::vector<std::pair<std::string, std::string>> fields{{"pipeline", run.pipeline}, {"run", run.id}, {"cause", run.cause},
                                                            {"tasks", std::to_string(tasks.size())}};
    if (run.scheduled) fields.emplace_back("scheduled", FormatTimestampMs(*run.scheduled));
    x_daemon.Log(run.resumed > 0 ? "run.resumed" : "run.started", std::move(fields));
  }
  void OnCatalogAsked(const CatalogAnswer& answer) override {
    if (AnswerInWords(answer).empty()) return;
    std::vector<std::pair<std::string, std::string>> fields{{"source", answer.source}, {"pipeline", x_active.pipeline}};
    fields.emplace_back(answer.error ? "error" : "found", answer.error ? answer.error->ToString() : AnswerInWords(answer));
    x_daemon.Log("catalog.asked", std::move(fields));
  }
  void OnTaskStarted(const TaskRecord&) override {}
  void OnTaskProgress(const std::string& table, const JobProgress& progress) override {
    const std::lock_guard lock(x_daemon.x_mutex);
    x_active.progress[table] = progress;
  }
  void OnTaskEnded(const TaskRecord& task, const TaskOutcome&) override {
    {
      const std::lock_guard lock(x_daemon.x_mutex);
      x_active.progress.erase(task.name);
    }
    const bool quiet = task.status == TaskStatus::kSucceeded || task.status == TaskStatus::kUnchanged;
    std::vector<std::pair<std::string, std::string>> fields{{"run", task.run}, {"task", task.name}};
    if (quiet) fields.emplace_back("rows", std::to_string(task.rows_written));
    if (!task.error.empty()) fields.emplace_back("error", task.error);
    x_daemon.Log("task." + std::string(TaskStatusName(task.status)), std::move(fields));
  }
  void OnTaskWaits(const TaskRecord& task, const Error& error, Timestamp at) override {
    x_daemon.Log("task.retrying", {{"run", task.run}, {"task", task.name}, {"again", FormatTimestampMs(at)}, {"error", error.message}});
  }
  void OnRunEnded(const RunRecord& run, const std::vector<TaskRecord>&) override {
    const auto took = std::chrono::duration_cast<milliseconds>(*run.ended - run.started);
    x_daemon.Log("run." + std::string(RunStatusName(run.status)), {{"pipeline", run.pipeline}, {"run", run.id}, {"took_ms", std::to_string(took.count())}});
  }

 private:
  Daemon& x_daemon;
  Active& x_active;
};

Daemon::~Daemon() {
  for (Active& active : x_active) active.cancel = true;
  Reap(true);
}

void Daemon::Log(const std::string& event, std::vector<std::pair<std::string, std::string>> fields) {
  x_log(LogLine{x_clock.Now(), event, std::move(fields)});
}

std::shared_ptr<const Project> Daemon::project() const {
  const std::lock_guard lock(x_mutex);
  if (!x_workspace) return nullptr;
  return {x_workspace, &x_workspace->project};  // lives as long as its workspace
}

std::vector<ActiveRunView> Daemon::ActiveRuns() const {
  const std::lock_guard lock(x_mutex);
  std::vector<ActiveRunView> views;
  for (const Active& active : x_active) {
    if (!active.ended) views.push_back(active.view);
  }
  return views;
}

std::set<std::string> Daemon::Busy() const {
  const std::lock_guard lock(x_mutex);
  std::set<std::string> busy;
  for (const Active& active : x_active) busy.insert(active.pipeline);
  for (const auto& [pipeline, until] : x_not_before) {
    if (x_clock.Now() < until && until - x_clock.Now() <= kHeldFor) busy.insert(pipeline);
  }
  return busy;
}

Status Daemon::LoadFirst() {
  const std::string fingerprint = x_releases.Fingerprint();
  TRY_ASSIGN(auto workspace, x_releases.Load());
  x_loaded = x_seen = fingerprint;
  x_looked = std::chrono::steady_clock::now();
  {
    const std::lock_guard lock(x_mutex);
    x_workspace = std::move(workspace);
  }
  x_scheduler.Load(project());
  const Json body{{"release", project()->hash}, {"version", CAUDAL_VERSION}};
  TRY(x_state.schedules().Tell(DaemonEvent("daemon.started", x_clock.Now(), body)));
  Log("daemon.started", {{"release", project()->hash}, {"pipelines", std::to_string(project()->pipelines.size())}});
  return {};
}

/// A folder that was changed and then left alone for one look is loaded; one with mistakes changes nothing but is told.
void Daemon::LookAtFolder() {
  const auto now = std::chrono::steady_clock::now();
  if (now - x_looked < x_options.look_every) return;
  x_looked = now;
  std::string fingerprint = x_releases.Fingerprint();
  const bool settled = fingerprint == x_seen;
  x_seen = fingerprint;
  if (!settled || fingerprint == x_loaded) return;
  x_loaded = std::move(fingerprint);
  auto workspace = x_releases.Load();
  const std::string before = project()->hash;
  if (!workspace) {
    const Error& error = workspace.error();
    Log("project.broken", {{"error", error.ToString()}, {"release", before}});
    {
      const std::lock_guard lock(x_mutex);
      x_broken = error;
    }
    const Json body{{"release", before}, {"error", error.message}, {"where", error.where}, {"next", error.next}};
    if (Status told = x_state.schedules().Tell(DaemonEvent("project.broken", x_clock.Now(), body)); !told) {
      Log("state.trouble", {{"error", told.error().ToString()}});
    }
    return;
  }
  bool mended = false;
  {
    const std::lock_guard lock(x_mutex);
    x_workspace = *std::move(workspace);
    mended = x_broken.has_value();
    x_broken.reset();
  }
  x_tables.clear();
  x_scheduler.Load(project());
  Log("project.loaded", {{"release", project()->hash}, {"pipelines", std::to_string(project()->pipelines.size())}});
  if (project()->hash == before && !mended) return;  // what its sources have is another, or a file was only touched
  const Json body{{"release", project()->hash}, {"before", before}};
  if (Status told = x_state.schedules().Tell(DaemonEvent("project.loaded", x_clock.Now(), body)); !told) {
    Log("state.trouble", {{"error", told.error().ToString()}});
  }
}

/// What a killed daemon, or one that was stopped, left half done: the newest run of each pipeline, if nobody ran it since.
Status Daemon::ResumeInterrupted() {
  TRY_ASSIGN(const auto records, x_state.schedules().Schedules());
  std::vector<std::string> pipelines{"all"};  // as people ask for it
  for (const PipelineConfig& pipeline : project()->pipelines) pipelines.push_back(pipeline.name);
  for (const std::string& pipeline : pipelines) {
    TRY_ASSIGN(const auto last, x_state.schedules().LastRun(pipeline));
    if (!last || last->status != RunStatus::kInterrupted || !ByDaemon(*last)) continue;
    const bool paused = std::any_of(records.begin(), records.end(), [&](const ScheduleRecord& r) { return r.pipeline == pipeline && r.paused; });
    if (paused || last->resumed >= kMostResumed) {
      Log("run.left", {{"pipeline", pipeline}, {"run", last->id}, {"why", paused ? "the pipeline is paused" : "it was resumed often enough"}});
      if (!paused) {
        const Timestamp now = x_clock.Now();
        TRY(x_state.EndRun(last->id, RunStatus::kFailed, now, RunEvent("run.abandoned", *last, now)));
      }
      continue;
    }
    const std::string run = last->id;
    Start start;
    start.pipeline = pipeline;
    start.cause = "resume";
    start.tables = TablesOfPipeline(pipeline);
    start.body = [run](const Workspace& workspace, RunObserver& observer, const CancelFlag& cancel) {
      return RetryRun(workspace, run, {}, observer, cancel);
    };
    Begin(std::move(start));
  }
  return {};
}

Status Daemon::BeginDue() {
  TRY(RecordUnended());
  const std::set<std::string> busy = Busy();
  TRY_ASSIGN(std::vector<DueRun> due, x_scheduler.Due(busy));
  for (DueRun& run : due) {
    {
      const std::lock_guard lock(x_mutex);
      if (static_cast<int>(x_active.size()) >= x_workspace->project.runs) return {};
    }
    const RunRequest request = run.request;
    // Two runs that build one table would only find each other's commits in their way.
    if (const std::string who = WhoBuildsSome(*TablesOfPipeline(request.pipeline)); !who.empty()) {
      const std::lock_guard lock(x_mutex);
      TellOnce(request.pipeline, "run.waits", "pipeline " + who + " builds some of its tables now");
      continue;
    }
    Start start;
    start.pipeline = request.pipeline;
    start.cause = request.cause;
    start.tables = TablesOfPipeline(request.pipeline);
    start.body = [request](const Workspace& workspace, RunObserver& observer, const CancelFlag& cancel) {
      return StartRun(workspace, request, observer, cancel);
    };
    start.told = std::move(run.told);
    Begin(std::move(start));
  }
  return {};
}

std::shared_ptr<const std::set<std::string>> Daemon::TablesOfPipeline(const std::string& pipeline) {
  auto& tables = x_tables[pipeline];
  if (!tables) {
    RunRequest request;
    request.pipeline = pipeline;
    auto named = TablesOf(*project(), request);
    tables = std::make_shared<const std::set<std::string>>(named ? *std::move(named) : std::set<std::string>());
  }
  return tables;
}

std::string Daemon::WhoBuildsSome(const std::set<std::string>& tables) const {
  const std::lock_guard lock(x_mutex);
  for (const Active& active : x_active) {
    const auto built = [&](const std::string& table) { return active.tables->contains(table); };
    if (std::any_of(tables.begin(), tables.end(), built)) return active.pipeline;
  }
  return "";
}

/// With x_mutex held.
void Daemon::TellOnce(const std::string& pipeline, const std::string& event, const std::string& why) {
  std::string& told = x_held_by[pipeline];
  if (told == why) return;
  told = why;
  Log(event, {{"pipeline", pipeline}, {"error", why}});
}

void Daemon::Begin(Start start) {
  std::shared_ptr<const Workspace> workspace;  // held by the run: a new release does not disturb it
  Active* active = nullptr;
  const std::string pipeline = start.pipeline;
  {
    const std::lock_guard lock(x_mutex);
    workspace = x_workspace;
    active = &x_active.emplace_back();
    active->pipeline = pipeline;
    active->tables = std::move(start.tables);
    active->asked = std::move(start.asked);
    active->view = ActiveRunView{pipeline, "", start.cause, x_clock.Now()};
  }
  try {
    active->thread = std::thread([this, active, workspace, body = std::move(start.body), told = std::move(start.told)] {
      Work(*active, workspace, body, told);
      active->ended = true;
    });
  } catch (const std::system_error& failure) {
    // Due still: the next look tries again.
    const std::lock_guard lock(x_mutex);
    if (active->asked) x_asked.push_front(*active->asked);
    x_active.remove_if([&](const Active& candidate) { return &candidate == active; });
    x_not_before[pipeline] = x_clock.Now() + kHeldFor;
    Log("run.waits", {{"pipeline", pipeline}, {"error", std::string("the system gives no thread: ") + failure.what()}});
  }
}

/// The run gets the project as its sources are now; the daemon itself reads it at its next look at the folder.
void Daemon::AskWhatThereIs(Active& active, std::shared_ptr<const Workspace>& workspace, RunObserver& observer) {
  const bool loads = !active.asked || (!active.asked->request.from_raw && !active.asked->request.rejects_where && !active.asked->request.interval);
  if (!loads) return;
  const CatalogLook look = AskCatalogs(*workspace, SourcesToAsk(workspace->project, *active.tables), &active.cancel);
  for (const CatalogAnswer& answer : look.answers) observer.OnCatalogAsked(answer);
  if (!look.changed) return;
  auto renewed = x_releases.Load();
  if (renewed) {
    workspace = *std::move(renewed);
  } else {
    Log("project.broken", {{"error", renewed.error().ToString()}, {"release", workspace->project.hash}});
  }
}

/// On the run's own thread.
void Daemon::Work(Active& active, std::shared_ptr<const Workspace> workspace, const Body& body, const std::vector<EventRecord>& told) {
  Watcher watcher(*this, active);
  AskWhatThereIs(active, workspace, watcher);
  const Result<RunReport> report = body(*workspace, watcher, active.cancel);
  if (report) {
    Status kept;
    for (const EventRecord& event : told) {
      if (kept) kept = x_state.schedules().Tell(event);
    }
    // Stopped by the daemon's own end: the next one goes on with it.
    if (report->run.status == RunStatus::kCancelled && active.cancel && !active.stopped_by_people) {
      RunRecord run = report->run;
      run.status = RunStatus::kInterrupted;
      const Timestamp now = x_clock.Now();
      kept = x_state.EndRun(run.id, run.status, now, RunEvent("run.interrupted", run, now));
      Log("run.interrupted", {{"pipeline", run.pipeline}, {"run", run.id}, {"next", "the next start of the daemon goes on with it"}});
    }
    if (!kept) Log("state.trouble", {{"error", kept.error().ToString()}});
  }
  Ended(active, report);
}

/// A run that could not begin must neither be tried in a tight loop nor be lost; one that could not record its end must not
/// hold its pipeline for as long as the daemon lives.
void Daemon::Ended(Active& active, const Result<RunReport>& report) {
  const bool began = report || !active.view.run.empty();
  if (!began && active.asked && !report.error().retryable()) Refuse(*active.asked, report.error());
  const std::lock_guard lock(x_mutex);
  if (!began && active.asked && report.error().retryable()) x_asked.push_front(*active.asked);
  active.asked.reset();
  if (report) {
    x_not_before.erase(active.pipeline);
    x_held_by.erase(active.pipeline);
    return;
  }
  x_not_before[active.pipeline] = x_clock.Now() + kHeldFor;
  if (!active.view.run.empty()) x_unended.push_back(active.view);
  TellOnce(active.pipeline, report.error().kind == ErrorKind::kConflict ? "run.waits" : "run.refused", report.error().ToString());
}

Status Daemon::RecordUnended() {
  std::vector<ActiveRunView> unended;
  {
    const std::lock_guard lock(x_mutex);
    unended = x_unended;
  }
  for (const ActiveRunView& view : unended) {
    TRY_ASSIGN(RunRecord run, x_state.Run(view.run));
    if (run.status == RunStatus::kRunning) {
      run.status = RunStatus::kFailed;
      const Timestamp now = x_clock.Now();
      TRY(x_state.EndRun(run.id, run.status, now, RunEvent("run.failed", run, now)));
      Log("run.failed", {{"pipeline", run.pipeline}, {"run", run.id}, {"error", "the state store did not answer while it ran"}});
    }
    const std::lock_guard lock(x_mutex);
    std::erase_if(x_unended, [&](const ActiveRunView& v) { return v.run == view.run; });
  }
  return {};
}

void Daemon::Reap(bool wait) {
  for (;;) {
    std::list<Active> ended;
    bool more = false;
    {
      const std::lock_guard lock(x_mutex);
      for (auto it = x_active.begin(); it != x_active.end();) {
        const auto next = std::next(it);
        if (it->ended || wait) ended.splice(ended.end(), x_active, it);
        it = next;
      }
      more = wait && !x_active.empty();
    }
    for (Active& active : ended) active.thread.join();
    if (!more) return;
  }
}

/// Nothing new begins; what runs may end within the grace, then it is cancelled.
void Daemon::Drain(const std::atomic<int>& stops) {
  const auto until = std::chrono::steady_clock::now() + x_options.grace;
  Log("daemon.stopping", {{"running", std::to_string(ActiveRuns().size())}, {"grace", FormatDuration(x_options.grace)}});
  while (!ActiveRuns().empty() && stops < 2 && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(kTick);
  {
    const std::lock_guard lock(x_mutex);
    for (Active& active : x_active) active.cancel = true;
  }
  Reap(true);
}

Status Daemon::Serve(const std::atomic<int>& stops) {
  TRY(LoadFirst());
  TRY(ResumeInterrupted());
  Timestamp next_look = x_clock.Now();
  std::optional<Error> broken;
  while (stops == 0) {
    const std::size_t before = Busy().size();
    Reap(false);
    LookAtFolder();
    const Timestamp now = x_clock.Now();
    const auto wake = x_scheduler.next_wake();
    BeginAsked();
    const bool look = now >= next_look || next_look - now > kTroubleFor || (wake && now >= *wake) || Busy().size() != before;
    if (look) {
      Status begun = BeginDue();
      next_look = now + (begun ? milliseconds(kLookAgain) : milliseconds(kTroubleFor));
      if (!begun) {
        if (begun.error().kind == ErrorKind::kCorruption) {
          broken = begun.error();
          break;
        }
        if (x_state_trouble != begun.error().message) Log("state.trouble", {{"error", begun.error().ToString()}, {"next", "nothing begins until it answers"}});
        x_state_trouble = begun.error().message;
      } else if (x_state_trouble) {
        Log("state.answers", {});
        x_state_trouble.reset();
      }
    }
    milliseconds pause = kTick;
    if (const auto at = x_scheduler.next_wake()) {
      pause = std::clamp(std::chrono::ceil<milliseconds>(*at - x_clock.Now()), milliseconds(1), kTick);
    }
    std::this_thread::sleep_for(pause);
  }
  x_stopping = true;
  Drain(stops);
  static_cast<void>(x_state.schedules().Tell(DaemonEvent("daemon.stopped", x_clock.Now(), Json::object())));
  Log("daemon.stopped", {});
  if (broken) return *broken;
  return {};
}

}  // namespace caudal
