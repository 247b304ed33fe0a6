// Runs a pipeline: tasks in the order of the DAG, in parallel slots, retried, recorded. One call is one run in the
// foreground; the daemon will call the same.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "flow/ask_catalogs.h"
#include "flow/task.h"
#include "flow/workspace.h"

namespace caudal {

/// What is asked of a run.
struct RunRequest {
  std::string pipeline = "all";
  std::vector<std::string> select, exclude;  // dbt's grammar; empty = what the pipeline says
  bool full_refresh = false;
  bool from_raw = false;
  std::optional<std::string> rejects_where;  // rejected rows that meet it are loaded again, "" = all
  std::optional<std::pair<std::string, std::string>> interval;
  bool wait = false;            // until no other run of the pipeline is running; else a second one is refused
  bool retry_transient = true;  // false: the first failure of a task is its last
  std::string cause = "hand";          // as RunRecord has them
  std::optional<Timestamp> scheduled;
  std::int64_t followed = 0;
  std::string run;              // the id that it will have; "" = a new one
  std::string by;               // who asked, where the daemon was asked
};
/// What a run of `caudal backfill` is noted as.
inline constexpr const char* kBackfillPipeline = "backfill";
/// And of `caudal retry --rejects`: there is one at a time.
inline constexpr const char* kRejectsPipeline = "retry-rejects";
/// An id that sorts by time.
std::string NewRunId(Timestamp now);
std::string RunRequestToJson(const RunRequest& request);
Result<RunRequest> RunRequestFromJson(const std::string& text);

/// The tables that the request names, by itself or through its pipeline. Errors: kNotFound with the nearest name.
Result<std::set<std::string>> TablesOf(const Project& project, const RunRequest& request);

/// Tells what happens while it happens. Called from several threads, never two calls at once.
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  /// A source was asked which tables it has, before the run was planned.
  virtual void OnCatalogAsked([[maybe_unused]] const CatalogAnswer& answer) {}
  /// `holder`: the error that would refuse the run; told once.
  virtual void OnRunQueued([[maybe_unused]] const Error& holder) {}
  virtual void OnRunStarted(const RunRecord& run, const std::vector<TaskRecord>& tasks) = 0;
  virtual void OnTaskStarted(const TaskRecord& task) = 0;
  virtual void OnTaskProgress(const std::string& table, const JobProgress& progress) = 0;
  virtual void OnTaskEnded(const TaskRecord& task, const TaskOutcome& outcome) = 0;
  /// The task failed in a way that time may cure; it is tried again at `at`.
  virtual void OnTaskWaits(const TaskRecord& task, const Error& error, Timestamp at) = 0;
  virtual void OnRunEnded(const RunRecord& run, const std::vector<TaskRecord>& tasks) = 0;
};

struct RunReport {
  RunRecord run;
  std::vector<TaskRecord> tasks;  // in the order of the DAG
};

/// Runs what `request` selects. Errors only for what keeps a run from starting (a selection that names nothing, a second
/// run of the pipeline, a broken state store); a failed task is a report with status kFailed.
Result<RunReport> StartRun(const Workspace& workspace, const RunRequest& request, RunObserver& observer,
                           const CancelFlag& cancel);

/// The run that RetryRun continues: `id`, or for "" the newest that failed or was interrupted. Errors: as there.
Result<RunRecord> RunToContinue(const Workspace& workspace, const std::string& id);

/// Continues `run` ("" = the newest that failed or was interrupted) with the tasks that are not done, or with
/// `select` of them and what is below. Errors: kNotFound where nothing is there to continue.
Result<RunReport> RetryRun(const Workspace& workspace, const std::string& run, const std::vector<std::string>& select,
                           RunObserver& observer, const CancelFlag& cancel);

}  // namespace caudal
