#include "connect/folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

namespace caudal {
namespace {

namespace fs = std::filesystem;

Error Refused(const std::string& what, const std::string& path, int number) {
  const ErrorKind kind = number == EACCES || number == EPERM ? ErrorKind::kPermission
                         : number == ENOENT || number == ENOTDIR ? ErrorKind::kNotFound
                         : number == ELOOP ? ErrorKind::kInvalidArgument
                                           : ErrorKind::kUnavailable;
  const char* next = kind == ErrorKind::kPermission ? "give the user who runs caudal the right to read it"
                     : kind == ErrorKind::kNotFound ? "correct `location:` of the source, or create the folder"
                     : kind == ErrorKind::kInvalidArgument ? "symlinks lead in a circle: take one away"
                                                           : "try again; if it stays, look at the disk (dmesg)";
  return Error{kind, fmt::format("cannot {}: {}: {}", what, std::strerror(number), path), next, ""};
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : x_fd(fd) {}
  ~Descriptor() {
    if (x_fd >= 0) ::close(x_fd);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return x_fd; }

 private:
  int x_fd;
};

PlaceFile Described(std::string name, const struct stat& info) {
  return PlaceFile{std::move(name), info.st_size, info.st_mtim.tv_sec * 1'000'000 + info.st_mtim.tv_nsec / 1000};
}

}  // namespace

Result<Folder> Folder::Open(std::string path) {
  std::error_code error;
  const fs::path real = fs::canonical(path, error);
  if (error) return Refused("open the location", path, error.value());
  if (!fs::is_directory(real, error)) {
    return Error{ErrorKind::kInvalidArgument, "the location is no folder: " + path,
                 "name the folder as `location:`, and the files as `glob:` of the stream", ""};
  }
  if (::access(real.c_str(), R_OK | X_OK) != 0) return Refused("read the location", path, errno);
  return Folder(real.string());
}

Result<std::vector<PlaceFile>> Folder::List(std::string_view glob) {
  const auto list = [this](const std::string& below) -> Result<std::vector<PlaceEntry>> {
    std::vector<PlaceEntry> entries;
    std::error_code error;
    for (fs::directory_iterator it(x_path + "/" + below, error), end; !error && it != end; it.increment(error)) {
      PlaceEntry& entry = entries.emplace_back();
      entry.name = it->path().filename().string();
      std::error_code gone;
      if (it->is_directory(gone) && !it->is_symlink(gone)) entry.kind = PlaceEntry::Kind::kFolder;
    }
    if (error) return Refused("list a folder", x_path + "/" + below, error.value());
    return entries;
  };
  return WalkPlace(glob, list, [this](const PlaceEntry&, const std::string& name) { return Stat(name); });
}

Result<PlaceFile> Folder::Stat(const std::string& name) {
  const std::string path = x_path + "/" + name;
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return Refused("look at a file", name, errno);
  if (S_ISLNK(info.st_mode)) {
    std::error_code error;
    const std::string real = fs::canonical(path, error).string();
    if (error) return Refused("follow a symlink", name, error.value());
    if (!real.starts_with(x_path + "/")) {
      return Error{ErrorKind::kPermission, "a symlink leads out of the location: " + name,
                   "put the file itself there, or take the link away", ""};
    }
    if (::stat(real.c_str(), &info) != 0) return Refused("look at a file", name, errno);
  }
  if (!S_ISREG(info.st_mode)) return PlaceFile{name, -1, 0};
  return Described(name, info);
}

Status Folder::Read(const PlaceFile& file, std::int64_t from, const TakeBytes& take) {
  TRY_ASSIGN(const PlaceFile now, Stat(file.name));
  const Descriptor descriptor(::open((x_path + "/" + file.name).c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (descriptor.get() < 0) return Refused("read a file", file.name, errno);
  if (from > 0 && ::lseek(descriptor.get(), from, SEEK_SET) < 0) return Refused("read a file", file.name, errno);
  ::posix_fadvise(descriptor.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  // Many files are small, and a buffer is filled with zeros.
  std::string buffer(static_cast<std::size_t>(std::clamp<std::int64_t>(file.size_bytes + 1, 1, std::int64_t{1} << 20)), '\0');
  for (;;) {
    const ssize_t n = ::read(descriptor.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Refused("read a file", file.name, errno);
    if (n == 0) break;
    TRY(take(std::string_view(buffer).substr(0, static_cast<std::size_t>(n))));
  }
  struct stat info {};
  if (::fstat(descriptor.get(), &info) != 0) return Refused("look at a file", file.name, errno);
  const PlaceFile after = Described(file.name, info);
  if (after.size_bytes == file.size_bytes && after.modified_us == file.modified_us && now.size_bytes == file.size_bytes) {
    return {};
  }
  return Error{ErrorKind::kUnavailable, "a file changed while it was read: " + file.name,
               "run again once it is complete, or write files under another name and rename them", ""};
}

Result<std::string> Folder::Head(const std::string& name, std::size_t limit) {
  const Descriptor descriptor(::open((x_path + "/" + name).c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (descriptor.get() < 0) return Refused("read a file", name, errno);
  std::string head(limit, '\0');
  const ssize_t n = ::pread(descriptor.get(), head.data(), head.size(), 0);
  if (n < 0) return Refused("read a file", name, errno);
  head.resize(static_cast<std::size_t>(n));
  return head;
}

Status Folder::Rename(const std::string& name, const std::string& to) {
  const fs::path target = fs::path(x_path) / to;
  std::error_code error;
  fs::create_directories(target.parent_path(), error);
  if (error) return Refused("make a folder", target.parent_path().string(), error.value());
  const fs::path real = fs::canonical(target.parent_path(), error);
  if (!error && real.string() != x_path && !real.string().starts_with(x_path + "/")) {
    return Error{ErrorKind::kPermission, "a symlink leads out of the location: " + to, "take the link away", ""};
  }
  // Unlike rename, never over another file.
  const std::string from = x_path + "/" + name;
  int code = ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, target.c_str(), RENAME_NOREPLACE);
  if (code != 0 && errno == EINVAL) {  // a file system that does not know the flag
    code = ::link(from.c_str(), target.c_str());
    if (code == 0) code = ::unlink(from.c_str());
  }
  if (code == 0) return {};
  if (errno == EEXIST) return Error{ErrorKind::kAlreadyExists, "there is a file of that name: " + to, "", ""};
  return Refused("move a file", name, errno);
}

Status Folder::Remove(const std::string& name) {
  if (::unlink((x_path + "/" + name).c_str()) == 0 || errno == ENOENT) return {};
  return Refused("remove a file", name, errno);
}

}  // namespace caudal
