#include "connect/folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "connect/dialect.h"

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

FolderFile Described(std::string name, const struct stat& info) {
  return FolderFile{std::move(name), info.st_size, info.st_mtim.tv_sec * 1'000'000 + info.st_mtim.tv_nsec / 1000};
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

Result<std::vector<FolderFile>> Folder::List(std::string_view glob) const {
  std::vector<FolderFile> files;
  const bool deep = glob.find('/') != std::string_view::npos || glob.find("**") != std::string_view::npos;
  std::vector<std::string> folders{""};
  while (!folders.empty()) {
    const std::string below = std::move(folders.back());
    folders.pop_back();
    std::error_code error;
    for (fs::directory_iterator it(x_path + "/" + below, error), end; !error && it != end; it.increment(error)) {
      const std::string name = below + it->path().filename().string();
      const bool hidden = it->path().filename().string()[0] == '.';
      if (hidden && glob.find("/.") == std::string_view::npos && !glob.starts_with(".")) continue;
      if (it->is_directory(error) && !it->is_symlink()) {
        if (deep) folders.push_back(name + "/");
        continue;
      }
      if (!MatchesGlob(glob, name)) continue;
      TRY_ASSIGN(FolderFile file, Stat(name));
      if (file.size_bytes >= 0) files.push_back(std::move(file));
    }
    if (error) return Refused("list a folder", x_path + "/" + below, error.value());
  }
  std::sort(files.begin(), files.end(), [](const FolderFile& a, const FolderFile& b) { return a.name < b.name; });
  return files;
}

Result<FolderFile> Folder::Stat(const std::string& name) const {
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
  if (!S_ISREG(info.st_mode)) return FolderFile{name, -1, 0};
  return Described(name, info);
}

Status Folder::Read(const FolderFile& file, const std::function<Status(std::string_view)>& take) const {
  TRY_ASSIGN(const FolderFile now, Stat(file.name));
  const Descriptor descriptor(::open((x_path + "/" + file.name).c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (descriptor.get() < 0) return Refused("read a file", file.name, errno);
  ::posix_fadvise(descriptor.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  std::string buffer(std::size_t{1} << 20, '\0');
  for (;;) {
    const ssize_t n = ::read(descriptor.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Refused("read a file", file.name, errno);
    if (n == 0) break;
    TRY(take(std::string_view(buffer).substr(0, static_cast<std::size_t>(n))));
  }
  struct stat info {};
  if (::fstat(descriptor.get(), &info) != 0) return Refused("look at a file", file.name, errno);
  const FolderFile after = Described(file.name, info);
  if (after.size_bytes == file.size_bytes && after.modified_us == file.modified_us && now.size_bytes == file.size_bytes) {
    return {};
  }
  return Error{ErrorKind::kUnavailable, "a file changed while it was read: " + file.name,
               "run again once it is complete, or write files under another name and rename them", ""};
}

Result<std::string> Folder::Head(const std::string& name, std::size_t limit) const {
  const Descriptor descriptor(::open((x_path + "/" + name).c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (descriptor.get() < 0) return Refused("read a file", name, errno);
  std::string head(limit, '\0');
  const ssize_t n = ::pread(descriptor.get(), head.data(), head.size(), 0);
  if (n < 0) return Refused("read a file", name, errno);
  head.resize(static_cast<std::size_t>(n));
  return head;
}

}  // namespace caudal
