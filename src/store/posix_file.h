// Files and folders of the operating system, with its error codes in our words. Free functions; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace caudal {

/// An open descriptor; closes itself. Move-only.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : x_fd(fd) {}
  Fd(Fd&& other) noexcept : x_fd(other.x_fd) { other.x_fd = -1; }
  Fd& operator=(Fd&& other) noexcept;
  ~Fd();
  int get() const { return x_fd; }
  explicit operator bool() const { return x_fd >= 0; }

 private:
  int x_fd = -1;
};

/// The Error for `code` (errno) that `action` ("write", "open") met at `path`. Disk full is kUnavailable and names the
/// free bytes; read-only and forbidden are kPermission; a path that cannot be is kInvalidArgument.
Error PosixError(int code, std::string_view action, const std::string& path);

Status WriteAll(int fd, std::string_view bytes, const std::string& path);
/// Everything from here to the end of `from` into `to`.
Status CopyAll(int from, int to, const std::string& path);

/// Makes what was written durable. A failure is kInternal and must stop the caller: the kernel has dropped the dirty
/// pages, so a second fsync would succeed without having written them (https://wiki.postgresql.org/wiki/Fsync_Errors).
Status SyncFd(int fd, const std::string& path);
Status SyncFolder(const std::string& path);

}  // namespace caudal
