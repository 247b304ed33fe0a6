// Does jobs. The pool of worker processes is the embedded Engine; Spark Connect is one more.
// Thread-safe: many tasks call Run at once; each call owns one worker.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "engine/job.h"

namespace caudal {

/// Set from any thread or a signal handler; a job ends within a second of it.
using CancelFlag = std::atomic<bool>;

struct RunOptions {
  JobLimits limits;
  const CancelFlag* cancel = nullptr;                     // may be null
  std::function<void(const JobProgress&)> progress = {};  // called from a pool thread; may be empty
};

/// What a finished job cost, seen from outside the worker.
struct JobCost {
  std::int64_t peak_memory_bytes = 0;
  std::chrono::milliseconds cpu{0};
  std::chrono::milliseconds wall{0};
};

class Engine {
 public:
  virtual ~Engine() = default;
  /// Errors: what the job reported; kCancelled; kTimeout (limit named); kUnavailable where the worker died, with the
  /// cause in words (signal, memory ceiling). A dead worker fails only this call.
  virtual Result<JobResult> Run(const Job& job, const RunOptions& options, JobCost* cost) = 0;
};

struct PoolOptions {
  std::string executable;   // our own binary, started as `caudal worker`
  int workers_ready = 2;    // pre-started, waiting
  std::string temp_folder;  // absolute; spill goes here, one folder a worker
  bool sandbox = true;      // false only by the user's stated --no-sandbox
};

/// Starts `workers_ready` workers. Errors: kUnsupported where the kernel has no Landlock or seccomp and sandbox is on.
Result<std::unique_ptr<Engine>> MakeWorkerPool(PoolOptions options);

/// Run, and take the result apart. Errors as Engine::Run.
Result<ComputeResult> RunCompute(Engine& engine, ComputeJob job, const RunOptions& options, JobCost* cost);
/// An analysis reads and writes nothing: one whose worker died is asked of another worker, twice at most.
Result<AnalyzeResult> RunAnalyze(Engine& engine, AnalyzeJob job, const RunOptions& options, JobCost* cost);
Result<ExtractResult> RunExtract(Engine& engine, ExtractJob job, const RunOptions& options, JobCost* cost);
Result<MoveResult> RunMove(Engine& engine, MoveJob job, const RunOptions& options, JobCost* cost);

}  // namespace caudal
