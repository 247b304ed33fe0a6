#include "worker/sandbox.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "worker/syscall_filter.h"

namespace caudal {
namespace {

// Newer than Debian 12's headers: https://docs.kernel.org/userspace-api/landlock.html
struct RulesetAttributes {
  std::uint64_t handled_access_fs;
  std::uint64_t handled_access_net;  // since version 4
  std::uint64_t scoped;              // since version 6
};
constexpr std::uint64_t kFsTruncate = 1ULL << 14;     // version 3
constexpr std::uint64_t kFsIoctlDev = 1ULL << 15;     // version 5
constexpr std::uint64_t kNetBindAndConnect = 3;       // version 4
constexpr std::uint64_t kScopeSocketsAndSignals = 3;  // version 6

constexpr std::uint64_t kRead = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t kWrite = kRead | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                                 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |
                                 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REFER | kFsTruncate;
constexpr std::uint64_t kOfAFile = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |
                                   LANDLOCK_ACCESS_FS_READ_FILE | kFsTruncate | kFsIoctlDev;

Error Failed(std::string_view what) {
  return Error{ErrorKind::kInternal, fmt::format("the sandbox cannot be set up: {}: {}", what, std::strerror(errno)),
               "", ""};
}

int LandlockVersion() {
  return static_cast<int>(::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION));
}

Status AllowBeneath(int ruleset, const std::string& path, std::uint64_t access) {
  const int fd = ::open(path.c_str(), O_PATH | O_CLOEXEC);
  if (fd < 0) return {};  // what is not there cannot be opened either
  struct stat facts {};
  Status status;
  if (::fstat(fd, &facts) != 0) {
    status = Failed(path);
  } else {
    if (!S_ISDIR(facts.st_mode)) access &= kOfAFile;
    const landlock_path_beneath_attr rule{access, fd};
    if (::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0) status = Failed(path);
  }
  ::close(fd);
  return status;
}

// linux/landlock.h of version 4: struct landlock_net_port_attr, LANDLOCK_RULE_NET_PORT.
struct NetPortAttributes {
  std::uint64_t allowed_access;
  std::uint64_t port;
};
constexpr int kRuleNetPort = 2;
constexpr std::uint64_t kNetConnect = 2;
constexpr int kNameServerPort = 53;

Status AllowPort(int ruleset, int port) {
  const NetPortAttributes rule{kNetConnect, static_cast<std::uint64_t>(port)};
  if (::syscall(SYS_landlock_add_rule, ruleset, kRuleNetPort, &rule, 0) == 0) return {};
  return Failed("the port " + std::to_string(port));
}

Status RestrictFiles(const Rights& rights) {
  const int version = LandlockVersion();
  std::uint64_t handled = (LANDLOCK_ACCESS_FS_REFER << 1) - 1;
  if (version >= 3) handled |= kFsTruncate;
  if (version >= 5) handled |= kFsIoctlDev;
  RulesetAttributes attributes{handled, 0, 0};
  std::size_t size = sizeof attributes.handled_access_fs;
  if (version >= 4) {
    size = offsetof(RulesetAttributes, scoped);
    if (!rights.network || rights.tcp_port != 0) attributes.handled_access_net = kNetBindAndConnect;
  }
  if (version >= 6) {
    size = sizeof attributes;
    attributes.scoped = kScopeSocketsAndSignals;
  }
  const int ruleset = static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, size, 0));
  if (ruleset < 0) return Failed("landlock_create_ruleset");
  Status status;
  for (const std::string& path : rights.read_paths) {
    if (status) status = AllowBeneath(ruleset, path, kRead & handled);
  }
  for (const std::string& path : rights.write_folders) {
    if (status) status = AllowBeneath(ruleset, path, kWrite & handled);
  }
  for (const std::string& path : rights.execute_paths) {
    if (status) status = AllowBeneath(ruleset, path, (kRead | LANDLOCK_ACCESS_FS_EXECUTE) & handled);
  }
  if (status && rights.network) {
    for (const char* path : {"/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf", "/etc/gai.conf",
                             "/etc/services", "/etc/ssl", "/usr/lib/ssl", "/usr/share/ca-certificates",
                             "/usr/local/share/ca-certificates", "/etc/pki", "/run/systemd/resolve"}) {
      if (status) status = AllowBeneath(ruleset, path, kRead & handled);
    }
  }
  if (status && rights.network && attributes.handled_access_net != 0) {
    status = AllowPort(ruleset, rights.tcp_port);
    if (status) status = AllowPort(ruleset, kNameServerPort);
  }
  if (status && ::syscall(SYS_landlock_restrict_self, ruleset, 0) != 0) status = Failed("landlock_restrict_self");
  ::close(ruleset);
  return status;
}

Result<int> CountThreads() {
  DIR* folder = ::opendir("/proc/self/task");
  if (folder == nullptr) return Failed("/proc/self/task");
  int threads = 0;
  while (const dirent* entry = ::readdir(folder)) threads += entry->d_name[0] != '.' ? 1 : 0;
  ::closedir(folder);
  return threads;
}

Status CloseOthers(std::vector<int> keep_fds) {
  std::sort(keep_fds.begin(), keep_fds.end());
  unsigned from = 3;
  for (const int fd : keep_fds) {
    const auto kept = static_cast<unsigned>(std::max(fd, 2));
    if (kept > from && ::syscall(SYS_close_range, from, kept - 1, 0U) != 0) return Failed("close_range");
    from = std::max(from, kept + 1);
  }
  if (::syscall(SYS_close_range, from, ~0U, 0U) != 0) return Failed("close_range");
  return {};
}

// Bytes of private writable memory now, which is what RLIMIT_DATA counts.
std::int64_t DataBytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return 0;
  long long numbers[6] = {};
  const int n = std::fscanf(file, "%lld %lld %lld %lld %lld %lld", &numbers[0], &numbers[1], &numbers[2], &numbers[3],
                            &numbers[4], &numbers[5]);
  std::fclose(file);
  return n == 6 ? numbers[5] * ::sysconf(_SC_PAGESIZE) : 0;
}

Status Limit(decltype(RLIMIT_CORE) what, std::int64_t most) {
  rlimit now{};
  if (::getrlimit(what, &now) != 0) return Failed("getrlimit");
  const auto wanted = std::min<rlim_t>(static_cast<rlim_t>(most), now.rlim_max);
  now = rlimit{wanted, wanted};
  if (::setrlimit(what, &now) != 0) return Failed("setrlimit");
  return {};
}

/// Of root's powers those to open files by others' rights stay, where Landlock lets it. Without this a process of root could read
/// other processes' environments on Linux 6.15 and newer (CAP_PERFMON), which Landlock would refuse.
Status DropCapabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {};
  if (::syscall(SYS_capget, &header, sets) != 0) return Failed("capget");
  constexpr std::uint32_t kFiles = 1U << CAP_DAC_OVERRIDE | 1U << CAP_DAC_READ_SEARCH;
  for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; ++i) {
    const std::uint32_t kept = i == 0 ? sets[i].permitted & kFiles : 0;
    sets[i] = {kept, kept, 0};
  }
  if (::syscall(SYS_capset, &header, sets) != 0) return Failed("capset");
  return {};
}

}  // namespace

Status SandboxSupported() {
  if (LandlockVersion() < 2) {
    return Error{ErrorKind::kUnsupported,
                 "this kernel has no Landlock (version 2 or newer, Linux 5.19), which confines worker processes to the "
                 "files of their job",
                 "boot with lsm=landlock,..., or run with --no-sandbox if you trust every source and query", ""};
  }
  if (::prctl(PR_GET_SECCOMP) < 0) {
    return Error{
        ErrorKind::kUnsupported,
        "this kernel has no seccomp filters, which keep worker processes from network and other processes",
        "use a kernel with CONFIG_SECCOMP_FILTER, or run with --no-sandbox if you trust every source and query", ""};
  }
  return {};
}

Status ApplyLimits(const Rights& rights) {
  TRY(Limit(RLIMIT_CORE, 0));
  TRY(Limit(RLIMIT_NOFILE, 4096));
  // The pool looks at resident memory every few milliseconds and is exact; this one stops what is faster than that.
  // It counts what is reserved, too (thread stacks, the allocator's free pages), hence the quarter.
  if (rights.memory_bytes > 0) {
    TRY(Limit(RLIMIT_DATA, DataBytes() + rights.memory_bytes + rights.memory_bytes / 4 + (std::int64_t{64} << 20)));
  }
  if (::prctl(PR_SET_DUMPABLE, 0) != 0) return Failed("PR_SET_DUMPABLE");
  return {};
}

Status ApplySandbox(const Rights& rights, const std::vector<int>& keep_fds) {
  TRY(SandboxSupported());
  TRY_ASSIGN(const int threads, CountThreads());
  if (threads != 1) {
    return Error{ErrorKind::kInternal,
                 fmt::format("the sandbox needs a process of one thread, this one has {}", threads), "", ""};
  }
  ::tzset();  // reads files that are out of reach below
  TRY(CloseOthers(keep_fds));
  TRY(ApplyLimits(rights));
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return Failed("PR_SET_NO_NEW_PRIVS");
  TRY(RestrictFiles(rights));
  TRY(DropCapabilities());
  return rights.execute_paths.empty() ? FilterSystemCalls(rights.network) : FilterSystemCallsOfPrograms();
}

}  // namespace caudal
