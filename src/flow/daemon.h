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

#include "flow/scheduler.h"

namespace caudal {

/// The project folder as something that changes while the daemon serves. Used by the thread that serves alone.
class ReleaseSource {
 public:
  virtual ~ReleaseSource() = default;
  /// Another text where a file of the project is another; cheap.
  virtual std::string Fingerprint() = 0;
  /// What the folder holds now; the project lives as long as the workspace. Errors: the first mistake of the project.
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

 private:
  struct Active {
    std::string pipeline;
    std::shared_ptr<const std::set<std::string>> tables;  // that it builds; shared with the daemon's memory of them
    std::thread thread;
    CancelFlag cancel{false};
    std::atomic<bool> ended{false};
    ActiveRunView view;  // guarded by x_mutex
  };
  using Body = std::function<Result<RunReport>(const Workspace&, RunObserver&, const CancelFlag&)>;
  class Watcher;

  void Log(const std::string& event, std::vector<std::pair<std::string, std::string>> fields);
  Status LoadFirst();
  void LookAtFolder();
  Status ResumeInterrupted();
  Status RecordUnended();
  Status BeginDue();
  void Begin(const std::string& pipeline, const std::string& cause, Body body, std::vector<EventRecord> told);
  std::shared_ptr<const std::set<std::string>> TablesOfPipeline(const std::string& pipeline);
  std::string WhoBuildsSome(const std::set<std::string>& tables) const;
  void TellOnce(const std::string& pipeline, const std::string& event, const std::string& why);
  void Work(Active& active, const Workspace& workspace, const Body& body, const std::vector<EventRecord>& told);
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
  mutable std::mutex x_mutex;
  // Shared with the runs that were begun with it.
  std::shared_ptr<const Workspace> x_workspace;
  std::list<Active> x_active;
  std::map<std::string, Timestamp> x_not_before;  // of pipelines that somebody else runs now
  std::map<std::string, std::string> x_held_by;   // so that each is told of once
  std::vector<ActiveRunView> x_unended;           // runs that ended while the state store did not answer
  // Of the serving thread alone.
  std::map<std::string, std::shared_ptr<const std::set<std::string>>> x_tables;  // of pipelines of the project as it is
  std::string x_loaded, x_seen;  // fingerprints
  std::chrono::steady_clock::time_point x_looked;
  std::optional<std::string> x_state_trouble;
};

}  // namespace caudal
