// Stops what runs too long: the tasks of one run, each by its own limit, and all of them by the run's. Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "engine/engine.h"

namespace caudal {

class TimeLimits {
 public:
  using Limit = std::optional<std::chrono::milliseconds>;  // absent = none
  enum class Exceeded { kNothing, kTask, kRun };

  /// `cancel` stops every task too; it outlives this.
  TimeLimits(const CancelFlag& cancel, Limit run_limit);
  ~TimeLimits();
  TimeLimits(const TimeLimits&) = delete;
  TimeLimits& operator=(const TimeLimits&) = delete;

  /// The flag by which the task is told to stop; valid until End.
  const CancelFlag& Begin(const std::string& task, Limit limit);
  /// For which limit the task was told to stop.
  Exceeded End(const std::string& task);
  /// The run's own limit has passed.
  bool run_is_over() const { return x_run_is_over; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Running {
    CancelFlag stop{false};
    std::optional<Clock::time_point> until;
    Exceeded exceeded = Exceeded::kNothing;
  };
  void Watch();

  const CancelFlag& x_cancel;
  std::optional<Clock::time_point> x_run_until;
  std::atomic<bool> x_run_is_over{false};
  std::mutex x_mutex;  // guards what follows
  std::condition_variable x_ending;
  bool x_ended = false;
  std::map<std::string, Running> x_running;
  std::thread x_thread;  // last: it uses the others
};

}  // namespace caudal
