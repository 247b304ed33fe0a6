// One worker process, from its start to its last trace. Not thread-safe: one owner at a time.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/engine.h"
#include "engine/frame.h"

namespace caudal {

class WorkerProcess {
 public:
  /// Starts `options.executable worker --fd 3`. The worker dies with the *thread* that calls this (the kernel's
  /// PR_SET_PDEATHSIG is a thread's), so call it from one that lives as long as the worker may.
  /// Errors: kUnavailable (no process, no temp folder).
  static Result<std::unique_ptr<WorkerProcess>> Start(const PoolOptions& options);

  /// Kills what still runs, reaps it, removes its temp folder.
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  const std::string& temp_folder() const { return x_temp_folder; }

  /// Sends as many of `bytes` as fit now and takes them off. Errors: kUnavailable where the worker is gone.
  Status SendSome(std::string_view& bytes);
  /// Waits up to `wait` until something can be read (or written, with `to_send`).
  void Wait(std::chrono::milliseconds wait, bool to_send);
  /// The next frame that has come; absent where none is whole yet. Errors: kCorruption, kUnavailable (end of stream).
  Result<std::optional<Frame>> Receive();

  /// Resident now; 0 where it is gone.
  std::int64_t ResidentBytes() const;

  /// Kills and reaps. What it cost: peak memory and processor time. May be called again.
  JobCost End();
  /// Why it ended by itself, in words, with its last words on stderr: "killed by SIGSEGV", "exit code 3: ...".
  /// Kills and reaps it where it lingers.
  std::string CauseOfDeath();

 private:
  WorkerProcess() = default;
  void DrainStderr();
  void Reap(std::chrono::milliseconds grace);

  pid_t x_pid = -1;
  int x_socket = -1;
  int x_stderr = -1;
  std::string x_temp_folder;
  std::string x_last_words;
  FrameDecoder x_decoder;
  bool x_killed = false;
  bool x_reaped = false;
  int x_status = 0;
  JobCost x_cost;
};

}  // namespace caudal
