// A server of tests/servers as a process of its own: it prints a line, and ends when its standard input is closed. Header only.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <sstream>
#include <string>
#include <vector>

#include "connect/source_testing.h"

namespace caudal {

class ServerProcess {
 public:
  /// `words`: the script's name below tests/servers, and its arguments. `python`: one made for its packages.
  explicit ServerProcess(std::vector<std::string> words, const std::string& python = "/usr/bin/python3") {
    int in[2];
    int out[2];
    EXPECT_EQ(::pipe2(in, O_CLOEXEC), 0);
    EXPECT_EQ(::pipe2(out, O_CLOEXEC), 0);
    words[0] = TreeFolder() + "/tests/servers/" + words[0];
    words.insert(words.begin(), python);
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    x_pid = ::fork();
    if (x_pid == 0) {
      ::dup2(in[0], 0);
      ::dup2(out[1], 1);
      ::execvp(arguments[0], arguments.data());
      ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    x_in = in[1];
    x_out = ::fdopen(out[0], "r");
    x_first = ReadLine();
    EXPECT_FALSE(x_first.empty()) << words[1] << " does not start";
  }
  ~ServerProcess() {
    ::close(x_in);
    std::fclose(x_out);
    ::waitpid(x_pid, nullptr, 0);
  }
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  /// The words of the line that it printed first: the port, and what else it tells.
  std::string Word(std::size_t n) const {
    std::istringstream in(x_first);
    std::string word;
    for (std::size_t i = 0; i <= n; ++i) in >> word;
    return word;
  }
  int port() const { return std::atoi(x_first.c_str()); }
  /// Has it do something, and waits for the line that answers.
  std::string Say(const std::string& line) {
    const std::string text = line + "\n";
    EXPECT_EQ(::write(x_in, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    return ReadLine();
  }

 private:
  std::string ReadLine() const {
    std::string line;
    for (int c; (c = std::fgetc(x_out)) != EOF && c != '\n';) line.push_back(static_cast<char>(c));
    return line;
  }
  pid_t x_pid = 0;
  int x_in = -1;
  std::FILE* x_out = nullptr;
  std::string x_first;
};

}  // namespace caudal
