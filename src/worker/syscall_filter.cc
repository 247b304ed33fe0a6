#include "worker/syscall_filter.h"

#include <fmt/format.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace caudal {
namespace {

struct Release {
  void operator()(void* context) const { seccomp_release(context); }
};
using Filter = std::unique_ptr<void, Release>;

// Names, since libseccomp knows them for every machine and version. One that it does not know cannot be called by its
// number under this kernel's filter either way, so it is skipped.
constexpr const char* kDenied[] = {
    // other processes
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "process_mrelease", "kcmp", "pidfd_getfd",
    "ioprio_set", "migrate_pages", "move_pages", "personality",
    // the kernel itself
    "bpf", "perf_event_open", "keyctl", "add_key", "request_key", "unshare", "setns", "io_uring_setup",
    "io_uring_enter", "io_uring_register", "userfaultfd", "kexec_load", "kexec_file_load", "init_module",
    "finit_module", "delete_module", "reboot", "swapon", "swapoff", "syslog", "acct", "quotactl", "quotactl_fd",
    "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "sethostname", "setdomainname", "iopl", "ioperm",
    "vhangup", "lookup_dcookie", "nfsservctl", "fanotify_init", "fanotify_mark", "open_by_handle_at",
    "name_to_handle_at", "memfd_secret",
    // file systems, and the facts of files that Landlock does not guard
    "mount", "umount2", "pivot_root", "chroot", "open_tree", "move_mount", "fsopen", "fsconfig", "fsmount", "fspick",
    "mount_setattr", "mknod", "mknodat", "chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "lchown", "fchown",
    "fchownat", "setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr", "fremovexattr", "utime", "utimes",
    "futimesat", "utimensat",
    // identity
    "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups", "setfsuid", "setfsgid", "capset",
    // messages between processes
    "shmget", "shmat", "shmctl", "msgget", "msgsnd", "msgrcv", "msgctl", "semget", "semop", "semctl", "mq_open",
    "mq_unlink"};

// Of a process that is alone: it starts none, and speaks to none.
constexpr const char* kDeniedAlone[] = {
    "execve", "execveat", "fork", "vfork", "pidfd_open", "pidfd_send_signal", "rt_sigqueueinfo", "rt_tgsigqueueinfo",
    "tkill", "setpgid", "setsid", "setpriority", "sched_setattr", "sched_setscheduler", "sched_setparam"};

constexpr const char* kDeniedWithoutNetwork[] = {"socket", "connect", "bind", "listen", "accept", "accept4"};

class Builder {
 public:
  Builder() : x_filter(seccomp_init(SCMP_ACT_ALLOW)) {}

  void Deny(const char* name, const scmp_arg_cmp* condition = nullptr, int error = EPERM) {
    const int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR) return;
    const int code = seccomp_rule_add_array(x_filter.get(), SCMP_ACT_ERRNO(static_cast<unsigned>(error)), number,
                                            condition != nullptr ? 1 : 0, condition);
    if (code != 0 && x_failure == 0) {
      x_failure = -code;
      x_failed = name;
    }
  }

  Status Load() {
    if (x_filter == nullptr) return Refused("init", ENOMEM);
    if (x_failure != 0) return Refused(x_failed, x_failure);
    if (const int code = seccomp_load(x_filter.get()); code != 0) return Refused("load", -code);
    return {};
  }

 private:
  static Error Refused(std::string_view what, int code) {
    return Error{ErrorKind::kInternal,
                 fmt::format("the system call filter cannot be set up: {}: {}", what, std::strerror(code)), "", ""};
  }

  Filter x_filter;
  int x_failure = 0;
  std::string_view x_failed;
};

}  // namespace

Status FilterSystemCalls(bool network) {
  Builder builder;
  for (const char* name : kDenied) builder.Deny(name);
  for (const char* name : kDeniedAlone) builder.Deny(name);

  // Threads, and nothing else that clone makes.
  const scmp_arg_cmp no_thread = SCMP_A0_64(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0);
  builder.Deny("clone", &no_thread);
  builder.Deny("clone3", nullptr, ENOSYS);  // its flags lie in memory, where a filter cannot look

  // Signals and limits for itself only.
  const auto self = static_cast<scmp_datum_t>(::getpid());
  const scmp_arg_cmp other = SCMP_A0_64(SCMP_CMP_NE, self);
  builder.Deny("kill", &other);
  builder.Deny("tgkill", &other);
  const scmp_arg_cmp not_zero = SCMP_A0_64(SCMP_CMP_NE, 0);
  builder.Deny("prlimit64", &not_zero);

  if (network) {
    const scmp_arg_cmp too_low = SCMP_A0_64(SCMP_CMP_LT, AF_INET);  // AF_UNIX: sockets of this machine's services
    builder.Deny("socket", &too_low);
    const scmp_arg_cmp between = SCMP_A0_64(SCMP_CMP_GT, AF_NETLINK);
    builder.Deny("socket", &between);
    for (scmp_datum_t family = AF_INET + 1; family <= AF_NETLINK; ++family) {
      if (family == AF_INET6 || family == AF_NETLINK) continue;
      const scmp_arg_cmp this_one = SCMP_A0_64(SCMP_CMP_EQ, family);
      builder.Deny("socket", &this_one);
    }
    for (const char* name : {"listen", "accept", "accept4"}) builder.Deny(name);
  } else {
    for (const char* name : kDeniedWithoutNetwork) builder.Deny(name);
  }
  return builder.Load();
}

Status FilterSystemCallsOfPrograms() {
  Builder builder;
  for (const char* name : kDenied) builder.Deny(name);
  return builder.Load();
}

}  // namespace caudal
