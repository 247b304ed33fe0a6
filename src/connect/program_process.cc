#include "connect/program_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <vector>

#include "base/json.h"

namespace caudal {
namespace {

constexpr std::size_t kLastWordsBytes = 8192;
constexpr std::chrono::seconds kLastOutput{2};  // for what still holds the output of a program that has ended

std::string HowItEnded(int status) {
  if (WIFEXITED(status)) return fmt::format("exit code {}", WEXITSTATUS(status));
  const char* name = ::sigabbrev_np(WTERMSIG(status));
  return fmt::format("killed by SIG{}", name != nullptr ? name : std::to_string(WTERMSIG(status)));
}

class ProgramProcess {
 public:
  ProgramProcess(int socket, const std::string& path, const std::string& folder) : x_socket(socket), x_path(path) {
    x_environment = {"LANG=C.UTF-8", "TZ=UTC", "PATH=/usr/local/bin:/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE=1", "HOME=" + folder, "TMPDIR=" + folder};
    x_words = {x_path};
  }

  void Serve() {
    for (;;) {
      const std::string message = ReceiveProgramMessage(x_socket);
      if (message.empty()) return;
      const std::string_view bytes = std::string_view(message).substr(1);
      switch (static_cast<ProgramMessage>(message[0])) {
        case ProgramMessage::kWord: x_words.emplace_back(bytes); break;
        case ProgramMessage::kFile: AddFile(); break;
        case ProgramMessage::kBytes: AddBytes(bytes); break;
        case ProgramMessage::kStart:
          if (!Run()) return;
          for (const int file : x_files) ::close(file);
          x_files.clear();
          x_words = {x_path};
          break;
        default: return;
      }
    }
  }

 private:
  void AddFile() {
    const int file = ::memfd_create("caudal", 0);  // open for the program, too
    x_files.push_back(file);
    x_words.push_back("/proc/self/fd/" + std::to_string(file));
  }

  void AddBytes(std::string_view bytes) const {
    while (!bytes.empty() && !x_files.empty()) {
      const ssize_t n = ::write(x_files.back(), bytes.data(), bytes.size());
      if (n < 0 && errno != EINTR) return;  // the program reads a short file and says so
      if (n > 0) bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }

  [[noreturn]] void Become(pid_t parent, int output, int errors) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(125);
    ::dup2(output, 1);
    ::dup2(errors, 2);
    std::vector<char*> words;
    for (std::string& word : x_words) words.push_back(word.data());
    words.push_back(nullptr);
    std::vector<char*> variables;
    for (std::string& variable : x_environment) variables.push_back(variable.data());
    variables.push_back(nullptr);
    ::execve(x_path.c_str(), words.data(), variables.data());
    const std::string failed = fmt::format("cannot execute {}: {}", x_path, std::strerror(errno));
    [[maybe_unused]] const ssize_t written = ::write(2, failed.data(), failed.size());
    ::_exit(127);
  }

  /// False where the worker is gone.
  bool Run() {
    int output[2];
    int errors[2];
    if (::pipe2(output, O_CLOEXEC) != 0) return false;
    if (::pipe2(errors, O_CLOEXEC) != 0) return false;
    ::fcntl(errors[0], F_SETFL, O_NONBLOCK);
    const pid_t parent = ::getpid();
    const pid_t program = ::fork();
    if (program == 0) Become(parent, output[1], errors[1]);
    ::close(output[1]);
    ::close(errors[1]);
    if (program > 0) ::setpgid(program, program);
    x_last_words.clear();
    int status = 0;
    const bool there = program > 0 && Forward(program, output[0], errors[0], status);
    ::close(output[0]);
    ::close(errors[0]);
    if (!there) return false;
    const Json end{{"well", WIFEXITED(status) && WEXITSTATUS(status) == 0}, {"how", HowItEnded(status)}, {"last_words", x_last_words}};
    return SendProgramMessage(x_socket, ProgramMessage::kEnd, DumpJson(end));
  }

  /// Until the program and its output have ended. False where the worker is gone; nothing of the program is left then.
  bool Forward(pid_t program, int output, int errors, int& status) {
    bool reaped = false;
    std::chrono::steady_clock::time_point until;
    while (output >= 0 || !reaped) {
      pollfd polled[3] = {{x_socket, POLLIN, 0}, {output, POLLIN, 0}, {errors, POLLIN, 0}};
      ::poll(polled, 3, 20);
      bool there = polled[0].revents == 0;  // nothing is sent while it runs
      if (polled[2].revents != 0 && !TakeWords(errors)) errors = -1;
      if (there && polled[1].revents != 0) {
        char buffer[kProgramMessageBytes];
        const ssize_t n = ::read(output, buffer, sizeof buffer);
        if (n > 0) there = SendProgramMessage(x_socket, ProgramMessage::kOutput, std::string_view(buffer, static_cast<std::size_t>(n)));
        if (n == 0) output = -1;
      }
      if (!there) {
        ::kill(-program, SIGKILL);
        if (!reaped) ::waitpid(program, &status, 0);
        return false;
      }
      if (!reaped && ::waitpid(program, &status, WNOHANG) == program) {
        reaped = true;
        until = std::chrono::steady_clock::now() + kLastOutput;
      }
      if (reaped && std::chrono::steady_clock::now() > until) ::kill(-program, SIGKILL);
    }
    ::kill(-program, SIGKILL);
    if (errors >= 0) TakeWords(errors);
    return true;
  }

  /// False at the end. Keeps what came last.
  bool TakeWords(int errors) {
    char buffer[4096];
    const ssize_t n = ::read(errors, buffer, sizeof buffer);
    if (n <= 0) return n < 0;
    x_last_words.append(buffer, static_cast<std::size_t>(n));
    if (x_last_words.size() > kLastWordsBytes) x_last_words.erase(0, x_last_words.size() - kLastWordsBytes);
    return true;
  }

  int x_socket;
  std::string x_path;
  std::vector<std::string> x_words;
  std::vector<std::string> x_environment;
  std::vector<int> x_files;
  std::string x_last_words;
};

}  // namespace

bool SendProgramMessage(int socket, ProgramMessage what, std::string_view bytes) {
  std::string message(1, static_cast<char>(what));
  message.append(bytes);
  for (;;) {
    if (::send(socket, message.data(), message.size(), MSG_NOSIGNAL) >= 0) return true;
    if (errno != EINTR) return false;
  }
}

std::string ReceiveProgramMessage(int socket) {
  std::string message(kProgramMessageBytes + 1, '\0');
  for (;;) {
    const ssize_t n = ::recv(socket, message.data(), message.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    message.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return message;
  }
}

void ServeProgram(int socket, const std::string& path, const std::string& folder) {
  ProgramProcess(socket, path, folder).Serve();
  ::_exit(0);
}

}  // namespace caudal
