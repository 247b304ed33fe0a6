// What runs, ran and failed: one transaction for a change and the events that tell of it. The lake does not depend on
// it: cursors live in table commits, never here.
// Thread-safe; several processes may hold the same store. Implementation: MakeSqliteStore.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace caudal {

enum class RunStatus { kRunning, kSucceeded, kFailed, kCancelled, kInterrupted };
enum class TaskStatus {
  kWaiting,
  kRunning,
  kSucceeded,
  kUnchanged,   // nothing was new: nothing was written
  kFailed,
  kBlocked,     // something upstream failed
  kCancelled,
};
std::string_view RunStatusName(RunStatus status);
std::string_view TaskStatusName(TaskStatus status);

struct RunRecord {
  std::string id;  // "20261121T050000-3f9a", sorts by time
  std::string pipeline;
  std::string release;  // hash of the project
  std::string command;  // what was asked, as JSON text: selection, flags, interval
  RunStatus status = RunStatus::kRunning;
  Timestamp started;
  std::optional<Timestamp> ended;
  std::string holder;  // of the process that runs it: "<pid>:<start>:<boot id>", docs/formats/state.md
  std::string cause = "hand";          // who asked for it: hand, api, schedule, after
  std::optional<Timestamp> scheduled;  // schedule: the time that it is for
  std::int64_t followed = 0;           // after: the event that it follows; not kept with the run
  int resumed = 0;                     // how often it was taken again
};

struct TaskRecord {
  std::string run;
  std::string name;  // the table it builds
  TaskStatus status = TaskStatus::kWaiting;
  int attempt = 0;
  std::optional<Timestamp> started, ended;
  std::string error_kind, error;  // of the last attempt
  std::string error_next;
  std::int64_t version = -1;  // table version it committed
  std::int64_t rows_read = 0, rows_written = 0, rows_rejected = 0, bytes_written = 0, peak_memory_bytes = 0, cpu_ms = 0;
  std::string note;    // what it did, in words
  std::string staged;  // JSON: raw objects of a read that is not committed yet, for a retry
};

struct CheckRecord {
  std::string run;
  std::string table;
  std::string check;
  std::string verdict;  // pass, warn, fail, reject
  std::int64_t failing_rows = 0;
  std::string observed, message;
  Timestamp at;
};

/// A fact that others may tell people about; kept until purged. `body` is a JSON object.
struct EventRecord {
  std::int64_t sequence = 0;  // given by the store, grows by one
  Timestamp at;
  std::string kind;  // "run.started", "task.failed", ...
  std::string run, task;
  std::string body;
};

class AccessStore;
class AlertStore;
class HistoryStore;
class ScheduleStore;

class StateStore {
 public:
  virtual ~StateStore() = default;

  /// Starts a run and takes its pipeline. `holder_pid` and the process's start time tell a killed run from one that
  /// runs. A run whose process is gone becomes kInterrupted here. The scheduled time that it is for, and the event that it
  /// follows, are done with in the same transaction. Errors: kConflict naming the holder.
  virtual Status BeginRun(const RunRecord& run, const std::vector<TaskRecord>& tasks, const EventRecord& event) = 0;
  /// Takes a run that failed or was interrupted again (retry). Errors: kConflict, kNotFound.
  virtual Status ReopenRun(const std::string& run, const EventRecord& event) = 0;
  virtual Status EndRun(const std::string& run, RunStatus status, Timestamp at, const EventRecord& event) = 0;
  /// Replaces the task's record and appends the event, in one transaction.
  virtual Status SaveTask(const TaskRecord& task, const EventRecord& event) = 0;
  virtual Status SaveChecks(const std::vector<CheckRecord>& checks) = 0;

  virtual Result<RunRecord> Run(const std::string& id) const = 0;
  /// Newest first. A run whose process is gone reads as kInterrupted.
  virtual Result<std::vector<RunRecord>> Runs(int limit) const = 0;
  virtual Result<std::vector<TaskRecord>> Tasks(const std::string& run) const = 0;
  /// Newest first; table "" = all.
  virtual Result<std::vector<CheckRecord>> Checks(const std::string& table, int limit) const = 0;
  /// Events with sequence > after, oldest first.
  virtual Result<std::vector<EventRecord>> Events(std::int64_t after, int limit) const = 0;

  /// Another number than before once anybody, in any process, has changed the store.
  virtual Result<std::int64_t> Changes() const = 0;

  /// Parts of the same store, in headers of their own: state/schedule_store.h, state/alert_store.h, state/history_store.h,
  /// state/access_store.h. They live as long as it.
  virtual ScheduleStore& schedules() = 0;
  virtual AlertStore& alerts() = 0;
  virtual HistoryStore& history() = 0;
  virtual AccessStore& access() = 0;
};

/// A SQLite file (WAL, synchronous=FULL), created with its folder if absent. Where it cannot be written it is opened for
/// reading, and one that cannot be created is empty: every change is then kPermission.
/// Errors: kInvalidArgument where a file stands for its folder, kCorruption, kPermission, kUnavailable (locked for longer
/// than 10 s, disk full).
Result<std::unique_ptr<StateStore>> MakeSqliteStore(const std::string& path);

}  // namespace caudal
