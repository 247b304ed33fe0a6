// One process at a time: a lock on a file that the kernel takes back when its holder ends, however it ends. Move-only.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"

namespace caudal {

class ProcessLock {
 public:
  /// Errors: kConflict naming the holder's process, kPermission.
  static Result<ProcessLock> Take(const std::string& path);
  /// The process that holds it now, or nothing.
  static std::optional<std::string> Holder(const std::string& path);

  ~ProcessLock();
  ProcessLock(ProcessLock&& other) noexcept : x_fd(other.x_fd) { other.x_fd = -1; }
  ProcessLock& operator=(ProcessLock&&) = delete;

 private:
  explicit ProcessLock(int fd) : x_fd(fd) {}
  int x_fd;
};

}  // namespace caudal
