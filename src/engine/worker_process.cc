#include "engine/worker_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>
#include <vector>

#include "base/ids.h"

namespace caudal {
namespace {

constexpr std::size_t kLastWordsBytes = 4096;
constexpr int kWorkerSocket = 3;

Error Unavailable(std::string_view what) {
  return Error{ErrorKind::kUnavailable, fmt::format("cannot start a worker: {}: {}", what, std::strerror(errno)),
               errno == EAGAIN ? "raise the limit of processes of this user (`ulimit -u`), or end some"
                               : "try again once the machine has processes, files and memory to give",
               ""};
}

struct Descriptor {
  int fd = -1;
  Descriptor() = default;
  explicit Descriptor(int given) : fd(given) {}
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int Release() {
    const int kept = fd;
    fd = -1;
    return kept;
  }
};

// What the worker may see of our environment.
std::vector<std::string> WorkerEnvironment() {
  std::vector<std::string> environment = {"LANG=C.UTF-8", "TZ=UTC"};
  for (const char* name : {"CAUDAL_DUCKDB_EXTENSIONS", "ASAN_OPTIONS", "UBSAN_OPTIONS"}) {
    if (const char* value = std::getenv(name)) environment.push_back(fmt::format("{}={}", name, value));
  }
  return environment;
}

struct ChildSetup {
  int socket;
  int null;
  int stderr_pipe;
  pid_t parent;
  char* const* arguments;
  char* const* environment;
};

// Between fork and exec of a process with threads: calls that are safe in a signal handler, nothing else.
[[noreturn]] void BecomeWorker(const ChildSetup& setup) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != setup.parent) ::_exit(125);  // it died before the line above
  ::setsid();                                     // Ctrl-C is the parent's affair, which then cancels
  // First out of the way of 0 to 3, which dup2 fills.
  const int socket = ::fcntl(setup.socket, F_DUPFD, 10);
  const int null = ::fcntl(setup.null, F_DUPFD, 10);
  const int errors = ::fcntl(setup.stderr_pipe, F_DUPFD, 10);
  ::dup2(null, 0);
  ::dup2(null, 1);
  ::dup2(errors, 2);
  ::dup2(socket, kWorkerSocket);
  ::syscall(SYS_close_range, kWorkerSocket + 1, ~0U, 0U);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int ignored : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(ignored, SIG_DFL);
  ::execve(setup.arguments[0], setup.arguments, setup.environment);
  const char* words = "cannot execute the worker's program\n";
  [[maybe_unused]] const ssize_t written = ::write(2, words, std::strlen(words));
  ::_exit(127);
}

std::string DescribeStatus(int status) {
  if (WIFSIGNALED(status)) {
    const int number = WTERMSIG(status);
    const char* name = ::sigabbrev_np(number);
    std::string text = fmt::format("killed by SIG{}", name != nullptr ? name : std::to_string(number));
    if (number == SIGKILL) text += " (by somebody's hand, or by the kernel because memory ran out)";
    if (number == SIGXFSZ) text += " (a file would have passed the size limit of this user, `ulimit -f`)";
    if (number == SIGXCPU) text += " (it used up the processor time of this user, `ulimit -t`)";
    if (number == SIGSYS) text += " (it tried a system call that its sandbox forbids)";
    return text;
  }
  return fmt::format("exit code {}", WEXITSTATUS(status));
}

}  // namespace

Result<std::unique_ptr<WorkerProcess>> WorkerProcess::Start(const PoolOptions& options) {
  std::unique_ptr<WorkerProcess> worker(new WorkerProcess);
  const std::string folder = options.temp_folder + "/w-" + NewToken();
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure) {
    return Error{ErrorKind::kUnavailable,
                 fmt::format("cannot create a worker's temp folder {}: {}", folder, failure.message()),
                 "free some space there, or make the folder writable", ""};
  }
  worker->x_temp_folder = folder;

  int sockets[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) return Unavailable("socketpair");
  worker->x_socket = sockets[0];
  const Descriptor theirs(sockets[1]);
  ::fcntl(worker->x_socket, F_SETFL, O_NONBLOCK);
  int errors[2];
  if (::pipe2(errors, O_CLOEXEC) != 0) return Unavailable("pipe");
  worker->x_stderr = errors[0];
  const Descriptor their_stderr(errors[1]);
  ::fcntl(worker->x_stderr, F_SETFL, O_NONBLOCK);
  const Descriptor null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (null.fd < 0) return Unavailable("/dev/null");

  std::vector<std::string> words = {options.executable, "worker", "--fd", std::to_string(kWorkerSocket)};
  if (!options.sandbox) words.push_back("--no-sandbox");
  std::vector<std::string> environment = WorkerEnvironment();
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::vector<char*> variables;
  for (std::string& variable : environment) variables.push_back(variable.data());
  variables.push_back(nullptr);

  const ChildSetup setup{theirs.fd, null.fd, their_stderr.fd, ::getpid(), arguments.data(), variables.data()};
  const pid_t pid = ::fork();
  if (pid == 0) BecomeWorker(setup);
  if (pid < 0) return Unavailable("fork");
  worker->x_pid = pid;
  return worker;
}

WorkerProcess::~WorkerProcess() {
  End();
  if (x_socket >= 0) ::close(x_socket);
  if (x_stderr >= 0) ::close(x_stderr);
  std::error_code ignored;
  if (!x_temp_folder.empty()) std::filesystem::remove_all(x_temp_folder, ignored);
}

Status WorkerProcess::SendSome(std::string_view& bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(x_socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return {};
    if (n < 0) return Error{ErrorKind::kUnavailable, "the worker is gone", "", ""};
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

void WorkerProcess::Wait(std::chrono::milliseconds wait, bool to_send) {
  const short events = to_send ? POLLIN | POLLOUT : POLLIN;
  pollfd polled[2] = {{x_socket, events, 0}, {x_stderr, POLLIN, 0}};
  const int n = ::poll(polled, 2, static_cast<int>(wait.count()));
  if (n > 0 && (polled[1].revents & POLLIN) != 0) DrainStderr();
}

Result<std::optional<Frame>> WorkerProcess::Receive() {
  char buffer[65536];
  for (;;) {
    TRY_ASSIGN(std::optional<Frame> frame, x_decoder.Next());
    if (frame) return frame;
    const ssize_t n = ::recv(x_socket, buffer, sizeof buffer, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return std::optional<Frame>();
    if (n <= 0) return Error{ErrorKind::kUnavailable, "the worker is gone", "", ""};
    x_decoder.Feed(std::string_view(buffer, static_cast<std::size_t>(n)));
  }
}

std::int64_t WorkerProcess::ResidentBytes() const {
  if (x_reaped || x_pid < 0) return 0;
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/statm", static_cast<int>(x_pid));
  const Descriptor file(::open(path, O_RDONLY | O_CLOEXEC));
  if (file.fd < 0) return 0;
  char text[128];
  const ssize_t n = ::read(file.fd, text, sizeof text - 1);
  if (n <= 0) return 0;
  text[n] = '\0';
  long long total = 0;
  long long resident = 0;
  if (std::sscanf(text, "%lld %lld", &total, &resident) != 2) return 0;
  return resident * ::sysconf(_SC_PAGESIZE);
}

void WorkerProcess::DrainStderr() {
  char buffer[4096];
  for (;;) {
    const ssize_t n = ::read(x_stderr, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    x_last_words.append(buffer, static_cast<std::size_t>(n));
    if (x_last_words.size() > kLastWordsBytes) x_last_words.erase(0, x_last_words.size() - kLastWordsBytes);
  }
}

void WorkerProcess::Reap(std::chrono::milliseconds grace) {
  if (x_reaped || x_pid < 0) return;
  const auto until = std::chrono::steady_clock::now() + grace;
  rusage usage{};
  for (;;) {
    const pid_t got = ::wait4(x_pid, &x_status, x_killed ? 0 : WNOHANG, &usage);
    if (got < 0 && errno == EINTR) continue;
    if (got != 0) break;
    if (std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      continue;
    }
    ::kill(x_pid, SIGKILL);
    x_killed = true;
  }
  x_reaped = true;
  x_cost.peak_memory_bytes = std::int64_t{usage.ru_maxrss} * 1024;
  const auto spent = [](const timeval& t) { return std::int64_t{t.tv_sec} * 1000 + t.tv_usec / 1000; };
  x_cost.cpu = std::chrono::milliseconds(spent(usage.ru_utime) + spent(usage.ru_stime));
}

JobCost WorkerProcess::End() {
  Reap(std::chrono::milliseconds(0));
  return x_cost;
}

std::string WorkerProcess::CauseOfDeath() {
  // Its socket is closed already; the kernel may still be taking it down.
  Reap(std::chrono::seconds(2));
  DrainStderr();
  std::string cause = x_killed ? "it closed its socket and went on" : DescribeStatus(x_status);
  while (!x_last_words.empty() && x_last_words.back() == '\n') x_last_words.pop_back();
  if (x_last_words.find("bad_alloc") != std::string::npos) cause = "out of memory (" + cause + ")";
  if (!x_last_words.empty()) cause += "; its last words: " + x_last_words;
  return cause;
}

}  // namespace caudal
