// An Engine for tests that does each job in a fork of this process, with the code that a worker runs and a DuckDB that was
// opened once: milliseconds instead of a process start. No sandbox, no limits. A job can be made to die: it is done, and its
// answer is lost.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "duckdb/connection.h"
#include "engine/engine.h"
#include "engine/job_json.h"
#include "worker/job_runner.h"

namespace caudal {

/// Not thread-safe: runs with one slot.
class ForkingEngine final : public Engine {
 public:
  /// `connection` is open, has one thread, and is asked nothing while this lives.
  ForkingEngine(Connection& connection, std::string temp_folder)
      : x_connection(connection), x_temp_folder(std::move(temp_folder)) {}

  /// One for many engines; the scanner of SQLite is loaded here, so that no job has to verify its signature, and what
  /// libduckdb makes or binds at first use is there before the forks. `folder`: for a file that is written and read.
  static Result<std::unique_ptr<Connection>> OpenConnection(const std::string& folder) {
    TRY_ASSIGN(std::unique_ptr<Connection> connection, Connection::Open());
    TRY(connection->Run("LOAD '" CAUDAL_EXTENSIONS_FOLDER "/sqlite_scanner.duckdb_extension'"));
    TRY(connection->QueryText("SELECT json_serialize_plan('SELECT 1')"));
    const std::string file = folder + "/warm.parquet";
    TRY(connection->Copy("COPY (SELECT i AS id, DATE '2010-12-01' AS d, i % 2 = 0 AS even FROM range(9) t(i)) TO '" + file +
                             "' (FORMAT parquet, COMPRESSION zstd, RETURN_STATS)", {}));
    TRY(connection->Run("SELECT d, count(*), max(n) FROM (SELECT *, row_number() OVER (PARTITION BY d ORDER BY id) AS n FROM "
                        "read_parquet('" + file + "')) a JOIN (SELECT 1 AS id) b USING (id) GROUP BY d ORDER BY d"));
    return connection;
  }

  /// The job that comes after `jobs` others dies, as a worker that is killed.
  void DieAfter(int jobs) { x_jobs_to_live = jobs; }
  void LiveOn() { x_jobs_to_live = -1; }

  Result<JobResult> Run(const Job& job, const RunOptions& options, JobCost* cost) override {
    if (cost != nullptr) *cost = {};
    if (options.cancel != nullptr && *options.cancel) return Error{ErrorKind::kCancelled, "stopped", "", ""};
    WorkOrder order{job, options.limits, x_temp_folder};
    order.limits.threads = 1;
    Result<JobResult> result = std::holds_alternative<MoveJob>(job) ? RunJob(order, nullptr, "") : RunInFork(order);
    if (x_jobs_to_live >= 0 && x_jobs_to_live-- == 0) return Error{ErrorKind::kUnavailable, "the worker was killed", "", ""};
    return result;
  }

 private:
  Result<JobResult> RunInFork(const WorkOrder& order) {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) return Error{ErrorKind::kInternal, "no pipe", "", ""};
    AwaitRest();
    const ::pid_t child = ::fork();
    if (child == 0) {
      ::close(ends[0]);
      Result<JobResult> result = RunJob(order, &x_connection, CAUDAL_EXTENSIONS_FOLDER);
      Write(ends[1], result ? "+" + JobResultToJson(*result) : "-" + ErrorToJson(result.error()));
      ::_exit(0);  // nothing of the parent's is closed or flushed twice
    }
    ::close(ends[1]);
    const std::string answer = child > 0 ? ReadToEnd(ends[0]) : "";
    ::close(ends[0]);
    int status = 0;
    if (child > 0) ::waitpid(child, &status, 0);
    if (answer.empty()) return Error{ErrorKind::kInternal, "the job's process did not answer", "", ""};
    if (answer[0] == '-') return ErrorFromJson(answer.substr(1));
    return JobResultFromJson(answer.substr(1));
  }

  /// Returns when this is the only thread that runs: a child of a fork gets the allocator as it is, and that of a sanitizer
  /// stays locked for ever where another thread was inside it.
  static void AwaitRest() {
    for (int look = 0; look < 1000; ++look) {
      int running = 0;
      std::error_code gone;
      for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task", gone)) {
        std::ifstream file(thread.path() / "stat");
        std::string stat;
        std::getline(file, stat);
        const std::size_t name_end = stat.rfind(')');
        running += name_end != std::string::npos && stat.compare(name_end, 3, ") R") == 0;
      }
      if (running <= 1) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  static void Write(int fd, const std::string& text) {
    std::size_t done = 0;
    while (done < text.size()) {
      const ::ssize_t n = ::write(fd, text.data() + done, text.size() - done);
      if (n <= 0) ::_exit(1);
      done += static_cast<std::size_t>(n);
    }
  }
  static std::string ReadToEnd(int fd) {
    std::string text;
    std::array<char, 65536> buffer{};
    for (::ssize_t n = 0; (n = ::read(fd, buffer.data(), buffer.size())) > 0;) {
      text.append(buffer.data(), static_cast<std::size_t>(n));
    }
    return text;
  }

  Connection& x_connection;
  const std::string x_temp_folder;
  int x_jobs_to_live = -1;
};

}  // namespace caudal
