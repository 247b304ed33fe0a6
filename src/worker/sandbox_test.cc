// Native code inside the sandbox of each kind of job: it tries what it may not do, and what it may. Each probe runs in
// a forked child that confines itself first and reports by its exit code.
#include "worker/sandbox.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "worker/rights.h"

namespace caudal {
namespace {

namespace fs = std::filesystem;

// 0 = the probe got what it wanted; else errno.
using Probe = std::function<int()>;

int OpenFor(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
  if (fd < 0) return errno;
  ::close(fd);
  return 0;
}

int Outcome(long result) { return result < 0 ? errno : 0; }

class SandboxTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(SandboxSupported()) << SandboxSupported().error().message;
    std::string pattern = ::testing::TempDir() + "/sandboxXXXXXX";
    x_folder = ::mkdtemp(pattern.data());
    for (const char* name : {"/in", "/out", "/staging", "/lake", "/tmp", "/other"})
      fs::create_directories(x_folder + name);
    for (const char* name : {"/in/a", "/in/b", "/staging/s", "/lake/l", "/other/o", "/erp.db", "/erp.db-wal"}) {
      std::ofstream(x_folder + name) << "x";
    }
    fs::create_symlink(x_folder + "/other/o", x_folder + "/out/link");
    x_listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    x_address.sin_family = AF_INET;
    x_address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(::bind(x_listener, Address(), sizeof x_address), 0);
    ASSERT_EQ(::listen(x_listener, 16), 0);
    socklen_t length = sizeof x_address;
    ASSERT_EQ(::getsockname(x_listener, Address(), &length), 0);
  }
  void TearDown() override {
    if (x_listener >= 0) ::close(x_listener);
    if (!x_folder.empty()) fs::remove_all(x_folder);
  }

  sockaddr* Address() { return reinterpret_cast<sockaddr*>(&x_address); }

  WorkOrder Order(Job job) const { return WorkOrder{std::move(job), JobLimits{}, x_folder + "/tmp"}; }

  WorkOrder Compute() const {
    ComputeJob job;
    job.inputs.push_back(TableInput{"s", "t", Schema{}, {x_folder + "/in/a"}, false});
    job.output_folder = x_folder + "/out";
    return Order(job);
  }
  WorkOrder Analyze() const { return Order(AnalyzeJob{}); }
  WorkOrder Extract(bool network) const {
    ExtractJob job;
    job.read_paths = {x_folder + "/erp.db"};
    job.network = network;
    job.staging_folder = x_folder + "/staging";
    return Order(job);
  }
  WorkOrder Move() const {
    MoveJob job;
    job.store_url = "file://" + x_folder + "/lake";
    job.items.push_back(MoveJob::Item{x_folder + "/staging/s", "k"});
    return Order(job);
  }

  // The probe's errno inside that sandbox; 250 = the sandbox failed, 251 = killed.
  int Try(const WorkOrder& order, const Probe& probe) const {
    const auto rights = RightsOf(order, x_folder + "/extensions");
    EXPECT_TRUE(rights);
    const pid_t child = ::fork();
    if (child == 0) {
      int pair[2];
      if (::socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) ::_exit(249);
      if (!ApplySandbox(*rights, {pair[0]})) ::_exit(250);
      ::_exit(probe());
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 251;
  }

  std::vector<std::pair<std::string, WorkOrder>> EveryKind() const {
    return {{"compute", Compute()},
            {"analyze", Analyze()},
            {"extract", Extract(false)},
            {"extract with network", Extract(true)},
            {"move", Move()}};
  }

  Probe Connect() {
    return [this] {
      const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
      if (fd < 0) return errno;
      return Outcome(::connect(fd, Address(), sizeof x_address));
    };
  }

  std::string x_folder;
  int x_listener = -1;
  sockaddr_in x_address{};
};

TEST_F(SandboxTest, ProbesWorkWithoutASandbox) {
  EXPECT_EQ(OpenFor("/etc/passwd", O_RDONLY), 0);
  EXPECT_EQ(Connect()(), 0);
  EXPECT_EQ(OpenFor(x_folder + "/other/o", O_WRONLY), 0);
}

TEST_F(SandboxTest, NoKindTouchesFilesThatAreNotItsOwn) {
  const std::string parent = std::to_string(::getpid());
  for (const auto& [kind, order] : EveryKind()) {
    SCOPED_TRACE(kind);
    for (const std::string& path : std::vector<std::string>{
             "/etc/passwd", "/etc/shadow", "/proc/" + parent + "/environ", "/proc/" + parent + "/mem",
             "/proc/self/environ", x_folder + "/other/o", x_folder + "/in/b", x_folder + "/out/link"}) {
      EXPECT_EQ(Try(order, [&] { return OpenFor(path, O_RDONLY); }), EACCES) << path;
    }
    EXPECT_EQ(Try(order, [&] { return OpenFor(x_folder + "/other/new", O_WRONLY | O_CREAT); }), EACCES);
    EXPECT_EQ(Try(order, [&] { return OpenFor(x_folder + "/in/a", O_WRONLY); }), EACCES);
    EXPECT_EQ(Try(order, [&] { return Outcome(::truncate((x_folder + "/in/a").c_str(), 0)); }), EACCES);
    EXPECT_EQ(Try(order, [&] { return Outcome(::unlink((x_folder + "/other/o").c_str())); }), EACCES);
    EXPECT_EQ(Try(order, [&] { return Outcome(::chmod((x_folder + "/other/o").c_str(), 0777)); }), EPERM);
    EXPECT_EQ(Try(order, [&] { return Outcome(::chown((x_folder + "/other/o").c_str(), 1, 1)); }), EPERM);
    EXPECT_EQ(Try(order, [&] { return Outcome(::mkdir((x_folder + "/other/new").c_str(), 0700)); }), EACCES);
    EXPECT_EQ(Try(order, [&] { return OpenFor("/", O_RDONLY | O_DIRECTORY); }), EACCES);
    EXPECT_EQ(Try(order, [&] { return OpenFor(x_folder + "/tmp/spill", O_RDWR | O_CREAT); }), 0);
  }
}

TEST_F(SandboxTest, EachKindHasItsOwnFiles) {
  const auto read = [&](const std::string& name) {
    return [this, name] { return OpenFor(x_folder + name, O_RDONLY); };
  };
  const auto write = [&](const std::string& name) {
    return [this, name] { return OpenFor(x_folder + name, O_RDWR | O_CREAT); };
  };
  EXPECT_EQ(Try(Compute(), read("/in/a")), 0);
  EXPECT_EQ(Try(Compute(), write("/out/new")), 0);
  EXPECT_EQ(Try(Compute(), read("/lake/l")), EACCES);
  EXPECT_EQ(Try(Compute(), write("/staging/new")), EACCES);

  EXPECT_EQ(Try(Analyze(), read("/in/a")), EACCES);
  EXPECT_EQ(Try(Analyze(), write("/out/new")), EACCES);

  EXPECT_EQ(Try(Extract(false), read("/erp.db")), 0);
  EXPECT_EQ(Try(Extract(false), read("/erp.db-wal")), 0);
  EXPECT_EQ(Try(Extract(false), write("/erp.db")), EACCES);
  EXPECT_EQ(Try(Extract(false), write("/staging/new")), 0);
  EXPECT_EQ(Try(Extract(true), read("/lake/l")), EACCES);

  EXPECT_EQ(Try(Move(), read("/staging/s")), 0);
  EXPECT_EQ(Try(Move(), write("/lake/new")), 0);
  EXPECT_EQ(
      Try(Move(),
          [&] { return Outcome(::link((x_folder + "/staging/s").c_str(), (x_folder + "/lake/linked").c_str())); }),
      0);
  EXPECT_EQ(Try(Move(), read("/in/a")), EACCES);
}

TEST_F(SandboxTest, AnExtractThatNamesItsPortReachesNoOther) {
  if (::syscall(SYS_landlock_create_ruleset, nullptr, 0, 1U) < 4) GTEST_SKIP() << "this kernel's Landlock has no rules for TCP";
  WorkOrder order = Extract(true);
  auto& job = std::get<ExtractJob>(order.job);
  job.tcp_port = ntohs(x_address.sin_port);
  EXPECT_EQ(Try(order, Connect()), 0);
  job.tcp_port = job.tcp_port == 5432 ? 5433 : 5432;
  EXPECT_EQ(Try(order, Connect()), EACCES);
  EXPECT_EQ(Try(order, [] {
              sockaddr_in any{};
              any.sin_family = AF_INET;
              const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
              return fd < 0 ? errno : Outcome(::bind(fd, reinterpret_cast<sockaddr*>(&any), sizeof any));
            }), EACCES);
}

TEST_F(SandboxTest, OnlyAnExtractThatAskedReachesTheNetwork) {
  for (const auto& [kind, order] : EveryKind()) {
    SCOPED_TRACE(kind);
    EXPECT_EQ(Try(order, Connect()), kind == "extract with network" ? 0 : EPERM);
    EXPECT_EQ(Try(order, [] { return Outcome(::socket(AF_UNIX, SOCK_STREAM, 0)); }), EPERM);
    EXPECT_EQ(Try(order, [] { return Outcome(::socket(AF_PACKET, SOCK_RAW, 0)); }), EPERM);
    EXPECT_EQ(Try(order,
                  [] {
                    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
                    return fd < 0 ? errno : Outcome(::listen(fd, 1));
                  }),
              EPERM);
  }
}

TEST_F(SandboxTest, NoKindStartsTouchesOrSignalsAProcess) {
  const pid_t parent = ::getpid();
  static char byte = 'x';
  const std::vector<std::pair<const char*, Probe>> probes = {
      {"fork", [] { return Outcome(::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)); }},
      {"libc fork", [] { return Outcome(::fork()); }},
      {"vfork", [] { return Outcome(::syscall(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0, 0)); }},
      {"namespaces", [] { return Outcome(::unshare(CLONE_NEWUSER)); }},
      {"execve",
       [] {
         char name[] = "/bin/true";
         char* arguments[] = {name, nullptr};
         return Outcome(::execve(name, arguments, nullptr));
       }},
      {"ptrace", [parent] { return Outcome(::ptrace(PTRACE_ATTACH, parent, nullptr, nullptr)); }},
      {"read memory",
       [parent] {
         iovec vector{&byte, 1};
         return Outcome(::process_vm_readv(parent, &vector, 1, &vector, 1, 0));
       }},
      {"kill", [parent] { return Outcome(::kill(parent, SIGTERM)); }},
      {"kill group", [] { return Outcome(::kill(0, SIGTERM)); }},
      {"tgkill", [parent] { return Outcome(::syscall(SYS_tgkill, parent, parent, SIGTERM)); }},
      {"sigqueue", [parent] { return Outcome(::sigqueue(parent, SIGTERM, sigval{})); }},
      {"pidfd", [parent] { return Outcome(::syscall(SYS_pidfd_open, parent, 0)); }},
      {"limits",
       [parent] {
         rlimit none{0, 0};
         return Outcome(::prlimit(parent, RLIMIT_NOFILE, &none, nullptr));
       }},
      {"capabilities of root",
       [] {
         __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
         __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {};
         if (::syscall(SYS_capget, &header, sets) != 0) return errno;
         const bool other = (sets[0].permitted & ~(1U << CAP_DAC_OVERRIDE | 1U << CAP_DAC_READ_SEARCH)) != 0 || sets[1].permitted != 0;
         return other ? 0 : EPERM;
       }},
      {"bpf", [] { return Outcome(::syscall(SYS_bpf, 0, nullptr, 0)); }},
      {"perf", [] { return Outcome(::syscall(SYS_perf_event_open, nullptr, 0, 0, 0, 0)); }},
      {"io_uring", [] { return Outcome(::syscall(SYS_io_uring_setup, 1, nullptr)); }},
      {"keyctl", [] { return Outcome(::syscall(SYS_keyctl, 0, 0)); }},
      {"mount", [] { return Outcome(::syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, nullptr)); }},
      {"userfaultfd", [] { return Outcome(::syscall(SYS_userfaultfd, 0)); }},
      {"more limits",
       [] {
         rlimit core{1 << 20, 1 << 20};
         return ::geteuid() == 0 ? EPERM : Outcome(::setrlimit(RLIMIT_CORE, &core));
       }},
  };
  for (const auto& [kind, order] : EveryKind()) {
    for (const auto& [name, probe] : probes) EXPECT_EQ(Try(order, probe), EPERM) << kind << ": " << name;
  }
}

TEST_F(SandboxTest, ThreadsAndMemoryStillWork) {
  EXPECT_EQ(Try(Compute(),
                [] {
                  int answer = 1;
                  std::thread([&] { answer = 0; }).join();
                  return answer;
                }),
            0);
  EXPECT_EQ(Try(Compute(), [] { return ::raise(SIGCONT); }), 0) << "signals to itself";
}

TEST_F(SandboxTest, MemoryAboveTheCeilingIsRefusedByTheKernel) {
  WorkOrder order = Compute();
  order.limits.memory_bytes = std::int64_t{64} << 20;
  const auto map = [](std::size_t mib) {
    return [mib] {
      void* memory = ::mmap(nullptr, mib << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      return memory == MAP_FAILED ? errno : 0;
    };
  };
  EXPECT_EQ(Try(order, map(48)), 0);
  EXPECT_EQ(Try(order, map(512)), ENOMEM);
}

TEST_F(SandboxTest, OtherDescriptorsAreClosed) {
  const int secret = ::open("/etc/passwd", O_RDONLY);
  ASSERT_GE(secret, 0);
  EXPECT_EQ(Try(Compute(),
                [secret] {
                  char read_byte = 0;
                  return Outcome(::read(secret, &read_byte, 1));
                }),
            EBADF);
  ::close(secret);
}

TEST_F(SandboxTest, AProcessWithThreadsIsRefused) {
  std::thread other([] { std::this_thread::sleep_for(std::chrono::milliseconds(200)); });
  const Status refused = ApplySandbox(Rights{}, {0});
  other.join();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kInternal);
}

TEST(RightsTest, AStoreElsewhereIsUnsupported) {
  MoveJob job;
  job.store_url = "s3://bucket";
  EXPECT_EQ(RightsOf(WorkOrder{job, JobLimits{}, ""}, "").error().kind, ErrorKind::kUnsupported);
}

}  // namespace
}  // namespace caudal
