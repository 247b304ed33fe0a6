// What the tests of connectors share: a real folder, a real server, a read into a real sink. Header only.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "connect/source.h"
#include "connect/staging_sink.h"

namespace caudal {

class TempFolder {
 public:
  TempFolder() {
    std::string pattern = ::testing::TempDir() + "connect-XXXXXX";
    x_path = ::mkdtemp(pattern.data());
  }
  ~TempFolder() { std::filesystem::remove_all(x_path); }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::string& path() const { return x_path; }
  std::string operator/(const std::string& name) const { return x_path + "/" + name; }

  /// Writes a file that looks a minute old, so that it counts as settled.
  void Write(const std::string& name, const std::string& bytes, int seconds_ago = 60) const {
    const std::string path = x_path + "/" + name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
    timeval now{};
    ::gettimeofday(&now, nullptr);
    now.tv_sec -= seconds_ago;
    const timeval times[2] = {now, now};
    ::utimes(path.c_str(), times);
  }

 private:
  std::string x_path;
};

inline std::string Contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

inline std::string Shell(const std::string& command) {
  std::string out;
  std::FILE* pipe = ::popen(command.c_str(), "r");
  char buffer[4096];
  for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) out.append(buffer, n);
  EXPECT_EQ(::pclose(pipe), 0) << command;
  return out;
}

/// The folder of the sources, as the compiler saw it.
inline std::string TreeFolder() {
  return std::filesystem::canonical(__FILE__).parent_path().parent_path().parent_path().string();
}

/// tests/servers/http_server.py as a process of its own; ends with this object.
class TestServer {
 public:
  TestServer() {
    int in[2];
    int out[2];
    EXPECT_EQ(::pipe(in), 0);
    EXPECT_EQ(::pipe(out), 0);
    x_pid = ::fork();
    if (x_pid == 0) {
      ::dup2(in[0], 0);
      ::dup2(out[1], 1);
      for (const int fd : {in[0], in[1], out[0], out[1]}) ::close(fd);
      const std::string script = TreeFolder() + "/tests/servers/http_server.py";
      ::execlp("python3", "python3", script.c_str(), static_cast<char*>(nullptr));
      ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    x_stdin = in[1];
    std::FILE* answer = ::fdopen(out[0], "r");
    EXPECT_EQ(std::fscanf(answer, "%d", &x_port), 1);
    std::fclose(answer);
  }
  ~TestServer() {
    ::close(x_stdin);
    ::kill(x_pid, SIGTERM);
    ::waitpid(x_pid, nullptr, 0);
  }
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;
  std::string url() const { return "http://127.0.0.1:" + std::to_string(x_port); }
  int port() const { return x_port; }

 private:
  pid_t x_pid = 0;
  int x_stdin = -1;
  int x_port = 0;
};

/// One read into its own staging folder.
struct ReadDone {
  std::unique_ptr<TempFolder> staging = std::make_unique<TempFolder>();
  Result<StagedRead> read = Error{ErrorKind::kInternal, "not run", "", ""};

  /// All records of all batches, in order, as the batch files hold them.
  std::string Records() const {
    std::string all;
    for (const StagedBatch& batch : read->batches) all += Contents(batch.path);
    return all;
  }
  std::int64_t rows() const {
    std::int64_t n = 0;
    for (const StagedChunk& chunk : read->chunks) n += chunk.rows;
    return n;
  }
};

inline ReadDone ReadFrom(const Connector& connector, SourceRequest request,
                         std::function<bool()> cancelled = {}) {
  ReadDone done;
  StagingOptions options;
  request.scratch_folder = done.staging->path();
  options.folder = done.staging->path();
  options.cancelled = std::move(cancelled);
  StagingSink sink(std::move(options));
  const auto source = connector.make_bytes();
  Result<ReadOutcome> outcome = source->Read(request, sink);
  if (!outcome) {
    done.read = outcome.error();
    return done;
  }
  done.read = sink.Finish();
  if (done.read) {
    done.read->cursor = outcome->cursor;
    done.read->unchanged = outcome->unchanged;
    done.read->notes = outcome->notes;
  }
  return done;
}

}  // namespace caudal
