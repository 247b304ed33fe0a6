// A folder as an ObjectStore. An object appears under its name by link(2) or rename(2) only after its bytes are on
// the disk, and a call returns only after the folder's entry is, too.
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <mutex>
#include <set>
#include <thread>

#include "base/ids.h"
#include "store/object_key.h"
#include "store/object_store.h"
#include "store/posix_file.h"

namespace caudal {
namespace {

using DirHandle = std::unique_ptr<DIR, int (*)(DIR*)>;

std::string FolderOf(const std::string& path) { return path.substr(0, path.rfind('/')); }

Timestamp ModifiedOf(const struct stat& info) {
  return Timestamp{std::chrono::seconds{info.st_mtim.tv_sec} + std::chrono::microseconds{info.st_mtim.tv_nsec / 1000}};
}

/// A file without a name where the file system has such (a killed writer then leaves nothing), else one under a
/// temporary name. It gets its final name by Link.
class UnfinishedFile {
 public:
  ~UnfinishedFile() {
    if (!x_name.empty()) unlink(x_name.c_str());
  }

  Status Open(const std::string& folder) {
    x_fd = Fd(open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644));
    if (x_fd) return {};
    if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL) return PosixError(errno, "create a file in", folder);
    std::string name = folder + "/" + std::string(kTempPrefix) + NewToken();
    x_fd = Fd(open(name.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644));
    if (!x_fd) return PosixError(errno, "create", name);
    x_name = std::move(name);
    return {};
  }

  /// errno, or 0.
  int Link(const std::string& path) {
    if (!x_name.empty()) return link(x_name.c_str(), path.c_str()) == 0 ? 0 : errno;
    std::string self = "/proc/self/fd/" + std::to_string(x_fd.get());
    return linkat(AT_FDCWD, self.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) == 0 ? 0 : errno;
  }

  int fd() const { return x_fd.get(); }

 private:
  Fd x_fd;
  std::string x_name;
};

class LocalStore final : public ObjectStore {
 public:
  LocalStore(std::string root, std::string real_path) : x_root(std::move(root)), x_url("file://" + real_path) {}

  Result<std::string> Get(std::string_view key) const override {
    TRY_ASSIGN(std::string path, PathOf(key));
    TRY_ASSIGN(Fd fd, OpenObject(path));
    struct stat info = {};
    if (fstat(fd.get(), &info) != 0) return PosixError(errno, "look at", path);
    return ReadAt(fd.get(), path, 0, info.st_size);
  }

  Result<std::string> GetRange(std::string_view key, std::int64_t offset, std::int64_t length) const override {
    TRY_ASSIGN(std::string path, PathOf(key));
    if (offset < 0 || length < 0) {
      return Error{ErrorKind::kInvalidArgument, fmt::format("a range of {} cannot start at {} and have {} bytes", key,
                                                            offset, length), "", ""};
    }
    TRY_ASSIGN(Fd fd, OpenObject(path));
    struct stat info = {};
    if (fstat(fd.get(), &info) != 0) return PosixError(errno, "look at", path);
    if (offset >= info.st_size) return std::string();
    return ReadAt(fd.get(), path, offset, std::min<std::int64_t>(length, info.st_size - offset));
  }

  Result<ObjectInfo> Head(std::string_view key) const override {
    TRY_ASSIGN(std::string path, PathOf(key));
    struct stat info = {};
    if (stat(path.c_str(), &info) != 0) return Absent(errno, "look at", path);
    if (!S_ISREG(info.st_mode)) return Absent(EISDIR, "look at", path);
    return ObjectInfo{std::string(key), info.st_size, ModifiedOf(info)};
  }

  Result<std::vector<ObjectInfo>> List(std::string_view prefix, std::string_view after) const override {
    std::vector<ObjectInfo> found;
    auto slash = prefix.rfind('/');
    std::string folder(slash == std::string_view::npos ? std::string_view() : prefix.substr(0, slash + 1));
    if (!folder.empty()) TRY(CheckKey(std::string_view(folder).substr(0, folder.size() - 1)));
    TRY(Walk(folder, prefix, after, found));
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
    return found;
  }

  Status Put(std::string_view key, std::string_view bytes) override {
    TRY_ASSIGN(std::string path, PathOf(key));
    TRY(MakeFolder(FolderOf(path)));
    std::string temp = FolderOf(path) + "/" + std::string(kTempPrefix) + NewToken();
    Fd fd(open(temp.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644));
    if (!fd) return PosixError(errno, "create", temp);
    Status status = WriteAll(fd.get(), bytes, path);
    if (status) status = SyncFd(fd.get(), path);
    if (status && rename(temp.c_str(), path.c_str()) != 0) status = WriteError(errno, "replace", path);
    if (!status) {
      unlink(temp.c_str());
      return status;
    }
    return SyncFolder(FolderOf(path));
  }

  Status PutIfAbsent(std::string_view key, std::string_view bytes) override {
    TRY_ASSIGN(std::string path, PathOf(key));
    TRY(MakeFolder(FolderOf(path)));
    UnfinishedFile file;
    TRY(file.Open(FolderOf(path)));
    TRY(WriteAll(file.fd(), bytes, path));
    TRY(SyncFd(file.fd(), path));
    return Publish(file.Link(path), path);
  }

  Status PutFileIfAbsent(std::string_view key, const std::string& local_path) override {
    TRY_ASSIGN(std::string path, PathOf(key));
    Fd source(open(local_path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!source) return PosixError(errno, "open", local_path);
    TRY(SyncFd(source.get(), local_path));
    TRY(MakeFolder(FolderOf(path)));
    if (link(local_path.c_str(), path.c_str()) == 0) return Publish(0, path);
    // Another device, or a kernel that forbids links to files of others (fs.protected_hardlinks).
    if (errno != EXDEV && errno != EPERM && errno != EMLINK && errno != EOPNOTSUPP) return Publish(errno, path);
    UnfinishedFile file;
    TRY(file.Open(FolderOf(path)));
    TRY(CopyAll(source.get(), file.fd(), path));
    TRY(SyncFd(file.fd(), path));
    return Publish(file.Link(path), path);
  }

  Status CopyIfAbsent(std::string_view key, std::string_view from) override {
    TRY_ASSIGN(std::string source, PathOf(from));
    return PutFileIfAbsent(key, source);  // objects never change, so one file may have both names
  }

  Status Delete(std::string_view key) override {
    TRY_ASSIGN(std::string path, PathOf(key));
    if (unlink(path.c_str()) == 0 || errno == ENOENT || errno == ENOTDIR || errno == EISDIR) return {};
    return PosixError(errno, "delete", path);
  }

  Result<std::string> ReadLocation(std::string_view key) const override { return PathOf(key); }
  std::string Url() const override { return x_url; }

  Result<std::shared_ptr<void>> Lock(std::string_view key, std::chrono::milliseconds wait) override {
    TRY_ASSIGN(std::string path, PathOf(key));
    TRY(MakeFolder(FolderOf(path)));
    auto give_up = std::chrono::steady_clock::now() + wait;
    std::chrono::milliseconds pause{1};
    for (;;) {
      auto fd = std::make_shared<Fd>(open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644));
      if (!*fd) return PosixError(errno, "open", path);
      if (flock(fd->get(), LOCK_EX | LOCK_NB) == 0) {
        struct stat info = {};
        if (fstat(fd->get(), &info) != 0 || info.st_nlink == 0) continue;  // somebody removed the file meanwhile
        std::string pid = std::to_string(getpid()) + "\n";
        // Only for the message of those who wait: that it cannot be written is no reason to fail.
        if (ftruncate(fd->get(), 0) == 0) (void)!pwrite(fd->get(), pid.data(), pid.size(), 0);
        return std::shared_ptr<void>(fd);
      }
      if (errno != EWOULDBLOCK && errno != EINTR) return PosixError(errno, "lock", path);
      if (std::chrono::steady_clock::now() >= give_up) return Held(key, wait);
      std::this_thread::sleep_for(pause);
      pause = std::min(pause * 2, std::chrono::milliseconds{20});
    }
  }

 private:
  Result<std::string> PathOf(std::string_view key) const {
    TRY(CheckKey(key));
    return x_root + "/" + std::string(key);
  }

  static Error Absent(int code, std::string_view action, const std::string& path) {
    return PosixError(code == ENOTDIR ? ENOENT : code, action, path);
  }

  /// As PosixError, but a folder in the place of the object is the caller's mistake, not an absence.
  static Error WriteError(int code, std::string_view action, const std::string& path) {
    Error error = PosixError(code, action, path);
    if (code == EISDIR) error.kind = ErrorKind::kInvalidArgument;
    return error;
  }

  static Result<Fd> OpenObject(const std::string& path) {
    Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return Absent(errno, "read", path);
    struct stat info = {};
    if (fstat(fd.get(), &info) == 0 && S_ISDIR(info.st_mode)) return Absent(EISDIR, "read", path);
    return fd;
  }

  static Result<std::string> ReadAt(int fd, const std::string& path, std::int64_t offset, std::int64_t length) {
    std::string bytes(static_cast<std::size_t>(length), '\0');
    std::size_t have = 0;
    while (have < bytes.size()) {
      ssize_t n = pread(fd, bytes.data() + have, bytes.size() - have, offset + static_cast<off_t>(have));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return PosixError(errno, "read", path);
      if (n == 0) break;
      have += static_cast<std::size_t>(n);
    }
    bytes.resize(have);
    return bytes;
  }

  static Status Publish(int link_error, const std::string& path) {
    if (link_error != 0) return WriteError(link_error, "create", path);
    return SyncFolder(FolderOf(path));
  }

  /// Creates `folder` and what is missing above it, durably. Another process may have created a folder without having
  /// made it durable yet, so the first use of each folder in this process syncs the whole chain.
  Status MakeFolder(const std::string& folder) {
    {
      std::lock_guard lock(x_mutex);
      struct stat info = {};
      if (x_durable.contains(folder) && stat(folder.c_str(), &info) == 0) return {};
    }
    if (folder.size() > x_root.size()) {
      TRY(MakeFolder(FolderOf(folder)));
      if (mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST) return WriteError(errno, "create the folder", folder);
      TRY(SyncFolder(FolderOf(folder)));
    }
    std::lock_guard lock(x_mutex);
    x_durable.insert(folder);
    return {};
  }

  Status Walk(const std::string& folder, std::string_view prefix, std::string_view after,
              std::vector<ObjectInfo>& found) const {
    std::string path = x_root + "/" + folder;
    DirHandle dir(opendir(path.c_str()), &closedir);
    if (!dir) {
      if (errno == ENOENT || errno == ENOTDIR) return {};
      return PosixError(errno, "list", path);
    }
    for (;;) {
      errno = 0;
      const dirent* entry = readdir(dir.get());
      if (entry == nullptr) {
        if (errno != 0) return PosixError(errno, "list", path);
        return {};
      }
      std::string_view name = entry->d_name;
      if (name == "." || name == ".." || name.starts_with(kTempPrefix)) continue;
      std::string key = folder + entry->d_name;
      if (!key.starts_with(prefix) && !prefix.starts_with(key + "/")) {
        continue;
      }
      struct stat info = {};
      bool is_folder = entry->d_type == DT_DIR;
      if (!is_folder && key <= after && entry->d_type == DT_REG) continue;
      if (!is_folder) {
        if (fstatat(dirfd(dir.get()), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) continue;  // gone meanwhile
        is_folder = S_ISDIR(info.st_mode);
      }
      if (is_folder) {
        std::string below = key + "/";
        if (after > below && !after.starts_with(below)) continue;  // every key in there is smaller
        TRY(Walk(below, prefix, after, found));
      } else if (S_ISREG(info.st_mode) && key > after) {
        found.push_back(ObjectInfo{std::move(key), info.st_size, ModifiedOf(info)});
      }
    }
  }

  Error Held(std::string_view key, std::chrono::milliseconds wait) const {
    auto pid = Get(key);
    std::string holder = pid && !pid->empty() ? "process " + pid->substr(0, pid->find('\n')) : "another process";
    return Error{ErrorKind::kConflict, fmt::format("{} holds the lock {} for more than {}", holder, key,
                                                   FormatDuration(wait)),
                 "wait until it is done, or end it", ""};
  }

  const std::string x_root;
  const std::string x_url;  // the same by whatever link the folder was reached
  std::mutex x_mutex;
  std::set<std::string> x_durable;  // guarded by x_mutex
};

}  // namespace

Result<std::unique_ptr<ObjectStore>> MakeLocalStore(const std::string& root) {
  std::string folder = root;
  while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
  if (folder.size() < 2 || folder[0] != '/' || folder.find('\0') != std::string::npos) {
    return Error{ErrorKind::kInvalidArgument, "the folder of a store is an absolute path, not '" + root + "'", "", ""};
  }
  std::vector<std::string> missing;
  struct stat info = {};
  for (std::string path = folder; path.size() > 1 && stat(path.c_str(), &info) != 0; path = FolderOf(path)) {
    if (errno != ENOENT) return PosixError(errno, "open", path);
    missing.push_back(path);
    if (FolderOf(path).empty()) break;
  }
  for (auto it = missing.rbegin(); it != missing.rend(); ++it) {
    if (mkdir(it->c_str(), 0755) != 0 && errno != EEXIST) return PosixError(errno, "create the folder", *it);
    std::string above = FolderOf(*it);
    TRY(SyncFolder(above.empty() ? "/" : above));
  }
  if (stat(folder.c_str(), &info) != 0) return PosixError(errno, "open", folder);
  if (!S_ISDIR(info.st_mode)) return PosixError(ENOTDIR, "open", folder);
  std::error_code error;
  std::string real_path = std::filesystem::canonical(folder, error).string();
  if (error) return PosixError(error.value(), "open", folder);
  return std::unique_ptr<ObjectStore>(std::make_unique<LocalStore>(std::move(folder), std::move(real_path)));
}

}  // namespace caudal
