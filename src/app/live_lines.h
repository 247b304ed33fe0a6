// Lines at the bottom of a terminal that are drawn again and again, one a running task. Thread-safe; a thread of its own
// keeps the clock in them moving.
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "app/console.h"
#include "engine/job.h"

namespace caudal {

class LiveLines {
 public:
  explicit LiveLines(const Console& console);
  ~LiveLines();

  void Begin(const std::string& name, const std::string& ordinal);
  void Update(const std::string& name, const JobProgress& progress);
  void End(const std::string& name);
  /// A line that stays, above the moving ones.
  void Say(const std::string& line);
  /// Clears the moving lines; nothing is drawn any more.
  void Stop();

 private:
  struct Running {
    std::string ordinal;
    std::chrono::steady_clock::time_point since;
    JobProgress progress;
  };
  void Tick();
  void Draw(const std::string& above);
  std::string LineOf(const std::string& name, const Running& running) const;

  const Console& x_console;
  std::mutex x_mutex;
  std::condition_variable x_changed;
  std::map<std::string, Running> x_running;
  std::size_t x_drawn = 0;
  bool x_stopped = false;
  std::thread x_ticker;  // last: it uses all of the above
};

}  // namespace caudal
