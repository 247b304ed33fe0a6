#include "connect/program.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/json.h"
#include "connect/program_process.h"

namespace caudal {
namespace {

Error Gone() { return Error{ErrorKind::kUnavailable, "the process that runs the source's program is gone", "run it again", ""}; }

}  // namespace

Result<std::unique_ptr<Program>> Program::Fork(const std::string& path, const std::string& folder,
                                               const std::function<Status(int socket)>& confine) {
  int sockets[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0) {
    return Error{ErrorKind::kUnavailable, fmt::format("cannot start the source's program: {}", std::strerror(errno)), "try again", ""};
  }
  const pid_t process = ::fork();
  if (process == 0) {
    const auto mine = static_cast<unsigned>(sockets[1]);
    if (mine > 3) ::syscall(SYS_close_range, 3U, mine - 1, 0U);
    ::syscall(SYS_close_range, mine + 1, ~0U, 0U);
    if (const Status confined = confine(sockets[1]); !confined) {
      const Json end{{"well", false}, {"how", confined.error().message}, {"last_words", ""}};
      SendProgramMessage(sockets[1], ProgramMessage::kEnd, DumpJson(end));
      ::_exit(1);
    }
    ServeProgram(sockets[1], path, folder);
  }
  ::close(sockets[1]);
  std::unique_ptr<Program> program(new Program);
  program->x_socket = sockets[0];
  program->x_process = process;
  if (process < 0) return Error{ErrorKind::kUnavailable, fmt::format("cannot start the source's program: {}", std::strerror(errno)), "try again", ""};
  return program;
}

Program::~Program() {
  if (x_socket >= 0) ::close(x_socket);
  if (x_process > 0) ::waitpid(x_process, nullptr, 0);
}

Status Program::Start(const std::vector<ProgramWord>& words) {
  bool sent = true;
  for (const ProgramWord& word : words) {
    sent = sent && SendProgramMessage(x_socket, word.as_file ? ProgramMessage::kFile : ProgramMessage::kWord, word.as_file ? "" : word.text);
    if (!word.as_file) continue;
    for (std::size_t at = 0; sent && at < word.text.size(); at += kProgramMessageBytes) {
      sent = SendProgramMessage(x_socket, ProgramMessage::kBytes, std::string_view(word.text).substr(at, kProgramMessageBytes));
    }
  }
  if (!sent || !SendProgramMessage(x_socket, ProgramMessage::kStart, "")) return Gone();
  return {};
}

Result<std::string_view> Program::Read() {
  x_message = ReceiveProgramMessage(x_socket);
  if (x_message.empty()) return Gone();
  if (x_message[0] == static_cast<char>(ProgramMessage::kOutput)) return std::string_view(x_message).substr(1);
  TRY_ASSIGN(const Json end, ParseJson(x_message.substr(1), "how a source's program ended"));
  x_end = ProgramEnd{end.value("well", false), JsonString(end, "how", ""), JsonString(end, "last_words", "")};
  return std::string_view();
}

}  // namespace caudal
