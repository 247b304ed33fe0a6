#include "app/late_pool.h"

#include <filesystem>

namespace caudal {

LatePool::~LatePool() {
  if (x_warming.valid()) x_warming.wait();
  x_pool.reset();
  std::error_code ignored;
  std::filesystem::remove_all(x_options.temp_folder, ignored);
}

void LatePool::Warm() {
  x_warming = std::async(std::launch::async, [this] { [[maybe_unused]] auto pool = Pool(); });
}

Result<Engine*> LatePool::Pool() {
  const std::lock_guard lock(x_mutex);
  if (x_pool) return x_pool.get();
  std::error_code error;
  std::filesystem::create_directories(x_options.temp_folder, error);
  if (error) {
    const bool full = error == std::errc::no_space_on_device;
    return Error{full ? ErrorKind::kUnavailable : ErrorKind::kPermission,
                 "cannot create the workers' temporary folder " + x_options.temp_folder + ": " + error.message(),
                 full ? "free space on that disk" : "make the project folder writable for this user", ""};
  }
  TRY_ASSIGN(x_pool, MakeWorkerPool(x_options));
  return x_pool.get();
}

Result<JobResult> LatePool::Run(const Job& job, const RunOptions& options, JobCost* cost) {
  TRY_ASSIGN(Engine * pool, Pool());
  return pool->Run(job, options, cost);
}

}  // namespace caudal
