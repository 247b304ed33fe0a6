#include "state/process_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

namespace caudal {
namespace {

std::string TextOf(int fd) {
  std::array<char, 64> text{};
  const ssize_t size = ::pread(fd, text.data(), text.size(), 0);
  return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : std::string();
}

}  // namespace

Result<ProcessLock> ProcessLock::Take(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) {
    return Error{ErrorKind::kPermission, "cannot open " + path + ": " + std::strerror(errno), "make the project folder writable for this user", ""};
  }
  ProcessLock lock(fd);
  // Who only asks for the holder has it for a moment, too.
  int taken = ::flock(fd, LOCK_EX | LOCK_NB);
  for (int again = 0; taken != 0 && errno == EWOULDBLOCK && again < 5; ++again) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    taken = ::flock(fd, LOCK_EX | LOCK_NB);
  }
  if (taken != 0) {
    if (errno != EWOULDBLOCK) return Error{ErrorKind::kUnavailable, "cannot lock " + path + ": " + std::strerror(errno), "put the project on a file system with locks", ""};
    return Error{ErrorKind::kConflict, "the project is served already, by process " + TextOf(fd), "stop that one first (SIGTERM)", ""};
  }
  const std::string pid = std::to_string(::getpid());
  if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    return Error{ErrorKind::kUnavailable, "cannot write " + path + ": " + std::strerror(errno), "free space on that disk", ""};
  }
  return lock;
}

std::optional<std::string> ProcessLock::Holder(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  const ProcessLock opened(fd);
  if (::flock(fd, LOCK_SH | LOCK_NB) == 0) return std::nullopt;
  return TextOf(fd);
}

ProcessLock::~ProcessLock() {
  if (x_fd >= 0) ::close(x_fd);
}

}  // namespace caudal
