// An Engine for tests that does each job in this process, with the code that a worker runs: milliseconds instead of a
// process start. No sandbox, no limits. A job can be made to die: it is done, and its answer is lost.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "duckdb/connection.h"
#include "engine/engine.h"
#include "worker/job_runner.h"

namespace caudal {

/// Not thread-safe: runs with one slot.
class InProcessEngine final : public Engine {
 public:
  explicit InProcessEngine(std::string temp_folder) : x_temp_folder(std::move(temp_folder)) {}

  /// The job that comes after `jobs` others dies, as a worker that is killed.
  void DieAfter(int jobs) { x_jobs_to_live = jobs; }
  void LiveOn() { x_jobs_to_live = -1; }

  Result<JobResult> Run(const Job& job, const RunOptions& options, JobCost* cost) override {
    if (cost != nullptr) *cost = {};
    if (options.cancel != nullptr && *options.cancel) return Error{ErrorKind::kCancelled, "stopped", "", ""};
    WorkOrder order{job, options.limits, x_temp_folder};
    order.limits.threads = 1;
    Result<JobResult> result = RunOn(order);
    if (x_jobs_to_live >= 0 && x_jobs_to_live-- == 0) return Error{ErrorKind::kUnavailable, "the worker was killed", "", ""};
    return result;
  }

 private:
  Result<JobResult> RunOn(const WorkOrder& order) {
    if (std::holds_alternative<MoveJob>(order.job)) return RunJob(order, nullptr, "");
    const auto* extract = std::get_if<ExtractJob>(&order.job);
    if (extract != nullptr && extract->connector == "files") {  // asks no database: a connection that is never fenced
      if (!x_unfenced) {
        TRY_ASSIGN(x_unfenced, Connection::Open());
      }
      return RunJob(order, x_unfenced.get(), "");
    }
    TRY_ASSIGN(const auto connection, Connection::Open());
    return RunJob(order, connection.get(), CAUDAL_EXTENSIONS_FOLDER);
  }

  const std::string x_temp_folder;
  int x_jobs_to_live = -1;
  std::unique_ptr<Connection> x_unfenced;
};

}  // namespace caudal
