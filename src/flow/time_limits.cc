#include "flow/time_limits.h"

namespace caudal {
namespace {

constexpr std::chrono::milliseconds kLook{50};

}  // namespace

TimeLimits::TimeLimits(const CancelFlag& cancel, Limit run_limit) : x_cancel(cancel) {
  if (run_limit) x_run_until = Clock::now() + *run_limit;
  x_thread = std::thread([this] { Watch(); });
}

TimeLimits::~TimeLimits() {
  {
    const std::lock_guard lock(x_mutex);
    x_ended = true;
  }
  x_ending.notify_all();
  x_thread.join();
}

const CancelFlag& TimeLimits::Begin(const std::string& task, Limit limit) {
  const std::lock_guard lock(x_mutex);
  Running& running = x_running[task];
  if (limit) running.until = Clock::now() + *limit;
  return running.stop;
}

TimeLimits::Exceeded TimeLimits::End(const std::string& task) {
  const std::lock_guard lock(x_mutex);
  return x_running.extract(task).mapped().exceeded;
}

void TimeLimits::Watch() {
  std::unique_lock lock(x_mutex);
  while (!x_ending.wait_for(lock, kLook, [this] { return x_ended; })) {
    const Clock::time_point now = Clock::now();
    if (x_run_until && now >= *x_run_until) x_run_is_over = true;
    for (auto& [task, running] : x_running) {
      if (running.stop) continue;
      if (!x_cancel && x_run_is_over) running.exceeded = Exceeded::kRun;
      if (!x_cancel && running.until && now >= *running.until) running.exceeded = Exceeded::kTask;
      running.stop = x_cancel || running.exceeded != Exceeded::kNothing;
    }
  }
}

}  // namespace caudal
