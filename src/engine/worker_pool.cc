// The embedded Engine: worker processes that wait, each for one job.
#include <fmt/format.h>

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <mutex>
#include <system_error>
#include <thread>

#include "base/clock.h"
#include "engine/engine.h"
#include "engine/job_json.h"
#include "engine/worker_process.h"

namespace caudal {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kTick{50};  // cancel, limits and memory are looked at this often
constexpr milliseconds kProgressEvery{200};
constexpr milliseconds kStartLimit{30'000};  // a worker that is not ready by then never will be

std::string GiB(std::int64_t bytes) {
  const double mib = static_cast<double>(bytes) / (1 << 20);
  return mib < 1024 ? fmt::format("{:.0f} MiB", mib) : fmt::format("{:.1f} GiB", mib / 1024);
}

Error Died(WorkerProcess& worker) {
  const std::string cause = worker.CauseOfDeath();
  const auto says = [&](std::string_view word) { return cause.find(word) != std::string::npos; };
  const char* next = says("ulimit") ? "raise that limit, or split the work"
                     : says("memory") ? "give the machine or `limits: {memory: ...}` more, or split the work"
                     : says("Resource temporarily unavailable") ? "raise the limit of processes of this user (`ulimit -u`), or end some"
                                                                : "try again; if it dies again, report it with the command and these words";
  return Error{ErrorKind::kUnavailable, "the worker process died: " + cause, next, ""};
}

struct IdleWorker {
  std::unique_ptr<WorkerProcess> process;
  bool ready = false;  // its "ready" has been read
};

/// Of the files below `folder`; 0 for none. They come and go meanwhile.
std::int64_t BytesIn(const std::string& folder) {
  std::int64_t bytes = 0;
  std::error_code failure;
  for (std::filesystem::recursive_directory_iterator it(folder, failure), end; !failure && it != end; it.increment(failure)) {
    std::error_code gone;
    const std::uintmax_t size = it->is_regular_file(gone) ? it->file_size(gone) : 0;
    if (!gone) bytes += static_cast<std::int64_t>(size);
  }
  return bytes;
}

std::string OutputFolder(const Job& job) {
  if (const auto* compute = std::get_if<ComputeJob>(&job)) return compute->output_folder;
  if (const auto* extract = std::get_if<ExtractJob>(&job)) return extract->staging_folder;
  return "";
}

// The watch over one job: what may end it from outside.
class Watch {
 public:
  explicit Watch(const RunOptions& options, std::string output_folder = "")
      : x_options(options), x_output_folder(std::move(output_folder)), x_start(steady_clock::now()) {}

  milliseconds elapsed() const { return std::chrono::duration_cast<milliseconds>(steady_clock::now() - x_start); }

  Status Look(WorkerProcess* worker) {
    if (x_options.cancel != nullptr && x_options.cancel->load()) {
      return Error{ErrorKind::kCancelled, "cancelled", "", ""};
    }
    if (elapsed() > x_options.limits.timeout) {
      return Error{ErrorKind::kTimeout,
                   "the job took longer than its limit of " + FormatDuration(x_options.limits.timeout),
                   "give it more time, or less to do at once", ""};
    }
    if (worker == nullptr) return {};
    x_progress.memory_bytes = worker->ResidentBytes();
    if (x_progress.memory_bytes > x_options.limits.memory_bytes) {
      return Error{ErrorKind::kUnavailable,
                   fmt::format("the worker exceeded its memory ceiling of {}", GiB(x_options.limits.memory_bytes)),
                   "raise the memory limit, or split the work", ""};
    }
    if (x_options.progress && elapsed() - x_told >= kProgressEvery) {
      x_told = elapsed();
      x_progress.bytes = std::max(x_progress.bytes, BytesIn(x_output_folder));
      x_options.progress(x_progress);
    }
    return {};
  }

  void Note(const JobProgress& progress) { x_progress.rows = std::max(x_progress.rows, progress.rows); }

 private:
  const RunOptions& x_options;
  std::string x_output_folder;
  steady_clock::time_point x_start;
  milliseconds x_told{0};
  JobProgress x_progress;
};

class WorkerPool final : public Engine {
 public:
  explicit WorkerPool(PoolOptions options) : x_options(std::move(options)), x_spawner([this] { KeepReady(); }) {}

  ~WorkerPool() override {
    {
      const std::lock_guard lock(x_mutex);
      x_stopping = true;
    }
    x_changed.notify_all();
    x_spawner.join();
  }

  Status WaitForFirst() {
    const RunOptions patient;
    Watch watch(patient);
    TRY_ASSIGN(IdleWorker worker, Acquire(watch));
    TRY(WaitReady(worker, watch));
    const std::lock_guard lock(x_mutex);
    x_idle.push_front(std::move(worker));
    return {};
  }

  Result<JobResult> Run(const Job& job, const RunOptions& options, JobCost* cost) override {
    Watch watch(options, OutputFolder(job));
    JobCost spent;
    Result<JobResult> result = RunOnce(job, options, watch, spent);
    spent.wall = watch.elapsed();
    if (cost != nullptr) *cost = spent;
    return result;
  }

 private:
  // Starting happens on one thread that outlives every worker: see WorkerProcess::Start.
  void KeepReady() {
    std::unique_lock lock(x_mutex);
    while (!x_stopping) {
      const std::size_t wanted = static_cast<std::size_t>(std::max(x_options.workers_ready, 1)) + x_waiting;
      if (x_idle.size() >= wanted || (x_start_error && x_waiting == 0)) {
        x_changed.wait(lock);
        continue;
      }
      lock.unlock();
      auto started = WorkerProcess::Start(x_options);
      lock.lock();
      if (started) {
        x_start_error.reset();
        x_idle.push_back(IdleWorker{std::move(started).value(), false});
      } else {
        x_start_error = std::move(started).error();
        x_changed.notify_all();
        x_changed.wait_for(lock, milliseconds(200));
        continue;
      }
      x_changed.notify_all();
    }
    x_idle.clear();
  }

  Result<IdleWorker> Acquire(Watch& watch) {
    std::unique_lock lock(x_mutex);
    ++x_waiting;
    x_changed.notify_all();
    Status looked;
    while (x_idle.empty() && looked) {
      x_changed.wait_for(lock, kTick);
      if (x_idle.empty() && x_start_error) looked = *x_start_error;
      if (looked) looked = watch.Look(nullptr);
    }
    --x_waiting;
    if (!looked) return std::move(looked).error();
    IdleWorker worker = std::move(x_idle.front());
    x_idle.pop_front();
    x_changed.notify_all();
    return worker;
  }

  // A job that was never sent can go to the next worker when one died while it was waiting.
  Result<IdleWorker> AcquireReady(Watch& watch) {
    for (int attempt = 0;; ++attempt) {
      TRY_ASSIGN(IdleWorker worker, Acquire(watch));
      Status ready = WaitReady(worker, watch);
      if (ready) return worker;
      if (ready.error().kind != ErrorKind::kUnavailable || attempt == 2) return std::move(ready).error();
    }
  }

  Status WaitReady(IdleWorker& worker, Watch& watch) {
    const auto start = steady_clock::now();
    for (;;) {
      auto frame = worker.process->Receive();
      if (!frame) {
        if (frame.error().kind == ErrorKind::kUnavailable) return Died(*worker.process);
        return std::move(frame).error();
      }
      if (*frame && (*frame)->type == FrameType::kError) return ErrorFromJson((*frame)->payload);
      if (*frame && (*frame)->type != FrameType::kReady) return Unexpected();
      if (*frame) {
        worker.ready = true;
        continue;  // to see whether it died since
      }
      if (worker.ready) return {};
      TRY(watch.Look(nullptr));
      if (steady_clock::now() - start > kStartLimit) {
        return Error{ErrorKind::kTimeout, "a worker was not ready within " + FormatDuration(kStartLimit),
                     "try again once the machine is less busy", ""};
      }
      worker.process->Wait(kTick, false);
    }
  }

  static Error Unexpected() { return Error{ErrorKind::kCorruption, "the worker sent a message out of order", "", ""}; }

  Result<JobResult> RunOnce(const Job& job, const RunOptions& options, Watch& watch, JobCost& spent) {
    TRY_ASSIGN(const IdleWorker worker, AcquireReady(watch));
    WorkerProcess& process = *worker.process;
    TRY_ASSIGN(const std::string bytes,
               EncodeFrame(FrameType::kJob, OrderToJson(WorkOrder{job, options.limits, process.temp_folder()})));
    Result<JobResult> result = Converse(process, bytes, watch);
    if (result && result->index() != job.index()) result = Unexpected();
    spent = process.End();
    return result;
  }

  Result<JobResult> Converse(WorkerProcess& process, std::string_view to_send, Watch& watch) {
    for (;;) {
      // A worker that dies before it has read everything is described below, by what it left.
      if (!process.SendSome(to_send)) to_send = {};
      auto frame = process.Receive();
      if (!frame && frame.error().kind == ErrorKind::kUnavailable) return Died(process);
      if (!frame) return std::move(frame).error();
      if (!*frame) {
        TRY(watch.Look(&process));
        process.Wait(kTick, !to_send.empty());
        continue;
      }
      switch ((*frame)->type) {
        case FrameType::kResult:
          return JobResultFromJson((*frame)->payload);
        case FrameType::kError:
          return ErrorFromJson((*frame)->payload);
        case FrameType::kProgress: {
          TRY_ASSIGN(const JobProgress progress, ProgressFromJson((*frame)->payload));
          watch.Note(progress);
          break;
        }
        default:
          return Unexpected();
      }
    }
  }

  const PoolOptions x_options;
  std::mutex x_mutex;
  std::condition_variable x_changed;
  std::deque<IdleWorker> x_idle;
  std::size_t x_waiting = 0;
  std::optional<Error> x_start_error;
  bool x_stopping = false;
  std::thread x_spawner;  // last: it uses all of the above
};

template <typename T, typename J>
Result<T> RunAs(Engine& engine, J job, const RunOptions& options, JobCost* cost) {
  TRY_ASSIGN(JobResult result, engine.Run(Job(std::move(job)), options, cost));
  if (T* wanted = std::get_if<T>(&result)) return std::move(*wanted);
  return Error{ErrorKind::kInternal, "the engine answered another kind of job", "", ""};
}

}  // namespace

Result<std::unique_ptr<Engine>> MakeWorkerPool(PoolOptions options) {
  try {
    auto pool = std::make_unique<WorkerPool>(std::move(options));
    TRY(pool->WaitForFirst());
    return std::unique_ptr<Engine>(std::move(pool));
  } catch (const std::system_error& failure) {
    return Error{ErrorKind::kUnavailable, fmt::format("the system gives no thread to start workers: {}", failure.what()),
                 "raise the limit of processes of this user (`ulimit -u`), or end some", ""};
  }
}

Result<ComputeResult> RunCompute(Engine& engine, ComputeJob job, const RunOptions& options, JobCost* cost) {
  return RunAs<ComputeResult>(engine, std::move(job), options, cost);
}

Result<AnalyzeResult> RunAnalyze(Engine& engine, AnalyzeJob job, const RunOptions& options, JobCost* cost) {
  constexpr int kTries = 3;
  for (int attempt = 1;; ++attempt) {
    Result<AnalyzeResult> result = RunAs<AnalyzeResult>(engine, job, options, cost);
    if (result || result.error().kind != ErrorKind::kUnavailable || attempt == kTries) return result;
  }
}

Result<ExtractResult> RunExtract(Engine& engine, ExtractJob job, const RunOptions& options, JobCost* cost) {
  return RunAs<ExtractResult>(engine, std::move(job), options, cost);
}

Result<MoveResult> RunMove(Engine& engine, MoveJob job, const RunOptions& options, JobCost* cost) {
  return RunAs<MoveResult>(engine, std::move(job), options, cost);
}

}  // namespace caudal
