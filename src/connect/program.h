// A program that speaks for a source. A worker may start no program; this is a process beside it that may, one run after
// another, with rights of its own. It ends with the worker, and whatever the program started ends with it.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace caudal {

struct ProgramWord {
  std::string text;
  /// The program is given the path of a file that holds `text`: in memory only, read by nobody else.
  bool as_file = false;
};

struct ProgramEnd {
  bool well = false;       // exit code 0
  std::string how;         // "exit code 1", "killed by SIGSEGV"
  std::string last_words;  // the end of what it wrote to standard error
};

/// Not thread-safe.
class Program {
 public:
  /// Forks the process, which calls `confine` first: its rights are the program's, and `socket` stays open. `path`: of the
  /// program. `folder`: HOME and TMPDIR of the program. Requires: one thread. Errors: kUnavailable.
  static Result<std::unique_ptr<Program>> Fork(const std::string& path, const std::string& folder,
                                               const std::function<Status(int socket)>& confine);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// Runs the program. Requires: the run before has ended. Errors: kUnavailable.
  Status Start(const std::vector<ProgramWord>& words);
  /// The next bytes of its standard output, valid until the next call; "" once it has ended. Errors: kUnavailable.
  Result<std::string_view> Read();
  /// Of the run that has ended.
  const ProgramEnd& end() const { return x_end; }
  /// What a sandbox around the caller must leave open.
  int socket() const { return x_socket; }

 private:
  Program() = default;

  int x_socket = -1;
  pid_t x_process = -1;
  std::string x_message;
  ProgramEnd x_end;
};

}  // namespace caudal
