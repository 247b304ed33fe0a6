// The pool of workers, started by the first job: a verb that needs none pays for none. Thread-safe.
#pragma once

#include <future>
#include <memory>
#include <mutex>

#include "engine/engine.h"

namespace caudal {

class LatePool final : public Engine {
 public:
  explicit LatePool(PoolOptions options) : x_options(std::move(options)) {}
  ~LatePool() override;

  /// Starts the workers now, beside what the caller goes on doing.
  void Warm();
  /// Errors: those of MakeWorkerPool, besides those of the job.
  Result<JobResult> Run(const Job& job, const RunOptions& options, JobCost* cost) override;

 private:
  Result<Engine*> Pool();

  const PoolOptions x_options;
  std::mutex x_mutex;
  std::unique_ptr<Engine> x_pool;
  std::future<void> x_warming;
};

}  // namespace caudal
