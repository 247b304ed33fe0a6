// The process behind a Program, and the messages that it and the worker exchange: one byte that says what, then bytes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace caudal {

enum class ProgramMessage : char {
  kWord = 'w',   // to the process: a word of the command line
  kFile = 'f',   // a word that is a file, empty so far
  kBytes = 'b',  // goes on with the file
  kStart = 's',  // all words are there
  kOutput = 'o',  // from the process: of the program's standard output
  kEnd = 'e',     // it has ended: JSON of ProgramEnd
};

constexpr std::size_t kProgramMessageBytes = 60'000;

/// False where nobody is there any more.
bool SendProgramMessage(int socket, ProgramMessage what, std::string_view bytes);
/// "" where nobody is there any more; else the byte and what follows it.
std::string ReceiveProgramMessage(int socket);

/// Serves until the other end of `socket` is closed, then ends this process.
[[noreturn]] void ServeProgram(int socket, const std::string& path, const std::string& folder);

}  // namespace caudal
