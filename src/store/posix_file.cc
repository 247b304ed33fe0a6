#include "store/posix_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

namespace caudal {
namespace {

std::string Folder(const std::string& path) {
  auto slash = path.rfind('/');
  return slash == std::string::npos || slash == 0 ? "/" : path.substr(0, slash);
}

/// Bytes that an ordinary user may still write where `path` is, or will be.
std::string FreeBytes(std::string path) {
  struct statvfs info = {};
  while (statvfs(path.c_str(), &info) != 0) {
    if (path == "/") return "unknown";
    path = Folder(path);
  }
  return std::to_string(static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize);
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    if (x_fd >= 0) close(x_fd);
    x_fd = other.x_fd;
    other.x_fd = -1;
  }
  return *this;
}

Fd::~Fd() {
  if (x_fd >= 0) close(x_fd);
}

Error PosixError(int code, std::string_view action, const std::string& path) {
  std::string text = fmt::format("cannot {} {}: {}", action, path, std::strerror(code));
  switch (code) {
    case ENOENT:
    case EISDIR:
      return Error{ErrorKind::kNotFound, text, code == EISDIR ? "name a file, not a folder" : "correct the path, or put it there", ""};
    case EEXIST:
      return Error{ErrorKind::kAlreadyExists, text, "take another name, or move what is there away", ""};
    case ENOSPC:
    case EDQUOT:
      return Error{ErrorKind::kUnavailable,
                   fmt::format("disk full: {} (free bytes there: {})", text, FreeBytes(path)),
                   "free some space or quota on that file system, then try again", ""};
    case EROFS:
    case EACCES:
    case EPERM:
      return Error{ErrorKind::kPermission, text, "give the user that runs caudal the right to it", ""};
    case ENOTDIR:
    case ENAMETOOLONG:
    case EINVAL:
    case ELOOP:
      return Error{ErrorKind::kInvalidArgument, text,
                   code == ENOTDIR ? "correct the path: something of it is a file and should be a folder" : "correct the path", ""};
    case EFBIG:
      return Error{ErrorKind::kUnavailable, text,
                   "a file may not be that large for this user: raise the limit (`ulimit -f`), then try again", ""};
    case EMFILE:
    case ENFILE:
      return Error{ErrorKind::kUnavailable, text, "raise the limit of open files (`ulimit -n`), then try again", ""};
    case EAGAIN:
      return Error{ErrorKind::kUnavailable, text, "raise the limit of processes (`ulimit -u`), or end some, then try again", ""};
    case ENOMEM:
    case EINTR:
    case EIO:
    case ESTALE:
    case ETIMEDOUT:
      return Error{ErrorKind::kUnavailable, text, "try again; if it stays, look at the disk and the memory (dmesg)", ""};
    default:
      return Error{ErrorKind::kInternal, text, "", ""};
  }
}

Status WriteAll(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return PosixError(errno, "write", path);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

Status CopyAll(int from, int to, const std::string& path) {
  std::vector<char> buffer(std::size_t{1} << 20);
  for (;;) {
    ssize_t n = read(from, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return PosixError(errno, "read for a copy to", path);
    if (n == 0) return {};
    TRY(WriteAll(to, std::string_view(buffer.data(), static_cast<std::size_t>(n)), path));
  }
}

Status SyncFd(int fd, const std::string& path) {
  if (fsync(fd) == 0) return {};
  return Error{ErrorKind::kInternal,
               fmt::format("fsync of {} failed: {}; what was written there may be lost although it can be read, and a "
                           "second fsync would not tell",
                           path, std::strerror(errno)),
               "stop, look at the disk (dmesg), then start again", ""};
}

Status SyncFolder(const std::string& path) {
  Fd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return PosixError(errno, "open", path);
  return SyncFd(fd.get(), path);
}

}  // namespace caudal
