// The daemon's heart: runs pipelines when they are due, until it is told to stop. It runs no data: workers do. Serve is
// called once; all else is thread-safe, for whoever shows what the daemon does.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "flow/asked_run.h"
#include "flow/scheduler.h"

namespace caudal {

/// The project folder as something that changes while the daemon serves.
class ReleaseSource {
 public:
  virtual ~ReleaseSource() = default;
  /// Another text where a file of the project, or what its sources have, is another; cheap. For the thread that serves alone.
  virtual std::string Fingerprint() = 0;
  /// Thread-safe. What the folder holds now; the project lives as long as the workspace. Errors: the first mistake of the project.
  virtual Result<std::shared_ptr<const Workspace>> Load() = 0;
};

struct LogLine {
  Timestamp at;
  std::string event;  // "run.started"
  std::vector<std::pair<std::string, std::string>> fields;
};
/// Called from several threads.
using LogSink = std::function<void(const LogLine&)>;

struct DaemonOptions {
  /// What runs when the daemon is told to stop may go on for so long; then it is cancelled, and resumed at the next start.
  std::chrono::milliseconds grace{60'000};
  /// How often the project folder is looked at.
  std::chrono::milliseconds look_every{1'000};
};

struct ActiveRunView {
  std::string pipeline, run, cause;
  Timestamp started;
};

class Daemon {
 public:
  /// All outlive it.
  Daemon(StateStore& state, const Clock& clock, ReleaseSource& releases, LogSink log, DaemonOptions options)
      : x_state(state), x_clock(clock), x_releases(releases), x_log(std::move(log)), x_options(options), x_scheduler(state, clock) {}
  ~Daemon();

  /// Until `stops` is 1: then nothing new begins, and what runs may end within the grace; 2 cancels it at once.
  /// Errors: a project with mistakes at the start, a state store that is corrupt.
  Status Serve(const std::atomic<int>& stops);

  /// The project that the next run will have; null before the first.
  std::shared_ptr<const Project> project() const;
  std::vector<ActiveRunView> ActiveRuns() const;
  /// What the next run works with; null before the first project. It lives on while somebody holds it.
  std::shared_ptr<const Workspace> workspace() const;
  /// The mistake of a folder that has changed, while the last good project goes on.
  std::optional<Error> broken() const;
  bool stopping() const { return x_stopping; }

  /// A run of people: begins when a slot is free and nobody builds its tables. Kept in memory alone: a daemon that ends before
  /// it began forgets it. Errors: kNotFound, kInvalidArgument (the selection); kConflict where one of the pipeline waits
  /// already; kUnavailable.
  Result<AskedRun> Ask(RunRequest request, const std::string& by);
  /// The same for a run that failed or was stopped. Errors: those, and kConflict for one that runs or succeeded.
  Result<AskedRun> AskRetry(const std::string& run, const std::vector<std::string>& select, const std::string& by);
  /// Stops a run of the daemon for good, or takes back one that waits: what it is now. Errors: kNotFound; kConflict for one
  /// that has ended, or that another process runs.
  Result<RunStatus> Cancel(const std::string& run, const std::string& by);
  /// Those that have no record yet: oldest first, after those that begin just now.
  std::vector<AskedRun> Asked() const;
  /// Table -> what its task has done so far, of a run of the daemon.
  std::map<std::string, JobProgress> ProgressOf(const std::string& run) const;

 private:
  struct Active {
    std::string pipeline;
    std::shared_ptr<const std::set<std::string>> tables;  // that it builds; shared with the daemon's memory of them
    std::thread thread;
    CancelFlag cancel{false};
    std::atomic<bool> ended{false};
    std::atomic<bool> stopped_by_people{false};
    ActiveRunView view;             // guarded by x_mutex, as what follows
    std::optional<AskedRun> asked;  // of people; kept until it has begun or is given back
    std::map<std::string, JobProgress> progress;  // of the tasks that run
  };
  using Body = std::function<Result<RunReport>(const Workspace&, RunObserver&, const CancelFlag&)>;
  struct Start {
    std::string pipeline, cause;
    Body body;
    std::vector<EventRecord> told;
    std::shared_ptr<const std::set<std::string>> tables;  // shared with Active
    std::optional<AskedRun> asked;
  };
  class Watcher;

  void Log(const std::string& event, std::vector<std::pair<std::string, std::string>> fields);
  Status LoadFirst();
  void LookAtFolder();
  Status ResumeInterrupted();
  Status RecordUnended();
  Status BeginDue();
  void BeginAsked();
  Result<AskedRun> Enqueue(AskedRun asked);
  void Refuse(const AskedRun& asked, const Error& error);
  void Begin(Start start);
  std::shared_ptr<const std::set<std::string>> TablesOfPipeline(const std::string& pipeline);
  std::string WhoBuildsSome(const std::set<std::string>& tables) const;
  void TellOnce(const std::string& pipeline, const std::string& event, const std::string& why);
  void Work(Active& active, std::shared_ptr<const Workspace> workspace, const Body& body, const std::vector<EventRecord>& told);
  void AskWhatThereIs(Active& active, std::shared_ptr<const Workspace>& workspace, RunObserver& observer);
  void Ended(Active& active, const Result<RunReport>& report);
  void Reap(bool wait);
  void Drain(const std::atomic<int>& stops);
  std::set<std::string> Busy() const;

  StateStore& x_state;
  const Clock& x_clock;
  ReleaseSource& x_releases;
  const LogSink x_log;
  const DaemonOptions x_options;
  Scheduler x_scheduler;
  std::atomic<bool> x_stopping{false};
  mutable std::mutex x_mutex;  // guards what follows
  // Shared with the runs that were begun with it.
  std::shared_ptr<const Workspace> x_workspace;
  std::list<Active> x_active;
  std::map<std::string, Timestamp> x_not_before;  // of pipelines that somebody else runs now
  std::map<std::string, std::string> x_held_by;   // so that each is told of once
  std::list<AskedRun> x_asked;            // oldest first
  std::optional<Error> x_broken;
  std::vector<ActiveRunView> x_unended;           // runs that ended while the state store did not answer
  // Of the serving thread alone.
  std::map<std::string, std::shared_ptr<const std::set<std::string>>> x_tables;  // of pipelines of the project as it is
  std::string x_loaded, x_seen;  // fingerprints
  std::chrono::steady_clock::time_point x_looked;
  std::optional<std::string> x_state_trouble;
};

}  // namespace caudal
