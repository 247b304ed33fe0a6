#include "worker/worker_main.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <system_error>
#include <thread>

#include "base/error.h"
#include "connect/program.h"
#include "duckdb/connection.h"
#include "engine/frame.h"
#include "engine/job_json.h"
#include "worker/job_runner.h"
#include "worker/rights.h"
#include "worker/sandbox.h"

namespace caudal {
namespace {

// By the user's word, beside the installed binary, or in the tree that built it.
std::string ExtensionFolder() {
  if (const char* given = std::getenv("CAUDAL_DUCKDB_EXTENSIONS")) return given;
  std::error_code failure;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", failure);
  const std::filesystem::path beside = self.parent_path() / "extensions";
  if (!failure && std::filesystem::is_directory(beside, failure)) return beside.string();
  return CAUDAL_EXTENSIONS_FOLDER;
}

// Tells the parent how many rows an extraction has counted; silent after its destructor.
class ProgressTeller {
 public:
  ProgressTeller(int fd, const std::atomic<std::int64_t>& rows) : x_fd(fd), x_rows(rows), x_thread([this] { Tell(); }) {}
  ~ProgressTeller() {
    {
      const std::lock_guard lock(x_mutex);
      x_done = true;
    }
    x_changed.notify_all();
    x_thread.join();
  }
  ProgressTeller(const ProgressTeller&) = delete;
  ProgressTeller& operator=(const ProgressTeller&) = delete;

 private:
  void Tell() {
    JobProgress progress;
    std::unique_lock lock(x_mutex);
    while (!x_changed.wait_for(lock, std::chrono::milliseconds(200), [this] { return x_done; })) {
      progress.rows = x_rows;
      // Nobody listens any more: the parent is gone.
      if (!WriteFrame(x_fd, FrameType::kProgress, ProgressToJson(progress))) ::_exit(1);
    }
  }

  int x_fd;
  const std::atomic<std::int64_t>& x_rows;
  std::mutex x_mutex;
  std::condition_variable x_changed;
  bool x_done = false;
  std::thread x_thread;  // last: it uses the others
};

Result<JobResult> DoOrder(const WorkOrder& order, std::unique_ptr<Connection> connection, int fd, bool sandbox) {
  const std::string extensions = ExtensionFolder();
  TRY_ASSIGN(const Rights rights, RightsOf(order, extensions));
  if (std::holds_alternative<MoveJob>(order.job)) connection.reset();
  std::unique_ptr<Program> program;
  const ExtractJob* extract = std::get_if<ExtractJob>(&order.job);
  if (extract != nullptr && !extract->program.empty()) {
    const auto confine = [&](int socket) {
      const Rights its = RightsOfProgram(*extract, order);
      return sandbox ? ApplySandbox(its, {socket}) : ApplyLimits(its);
    };
    TRY_ASSIGN(program, Program::Fork(extract->program, order.temp_folder, confine));
  }
  if (sandbox) {
    std::vector<int> keep_fds = {fd};
    if (program != nullptr) keep_fds.push_back(program->socket());
    TRY(ApplySandbox(rights, keep_fds));
  } else {
    TRY(ApplyLimits(rights));
  }
  std::atomic<std::int64_t> rows{0};
  std::optional<ProgressTeller> teller;
  if (extract != nullptr) teller.emplace(fd, rows);
  return RunJob(order, connection.get(), extensions, {&rows, program.get()});
}

Result<JobResult> Answer(std::string_view payload, std::unique_ptr<Connection> connection, int fd, bool sandbox) {
  try {
    TRY_ASSIGN(const WorkOrder order, OrderFromJson(payload));
    return DoOrder(order, std::move(connection), fd, sandbox);
  } catch (const std::bad_alloc&) {
    return Error{ErrorKind::kUnavailable, "the worker ran out of memory", "raise the memory limit, or split the work",
                 ""};
  } catch (const std::system_error& e) {
    if (e.code() != std::errc::resource_unavailable_try_again) {
      return Error{ErrorKind::kInternal, fmt::format("the worker failed: {}", e.what()), "please report it with the command", ""};
    }
    return Error{ErrorKind::kUnavailable, fmt::format("the system gave the worker no thread: {}", e.what()),
                 "raise the limit of processes of this user (`ulimit -u`), or end some", ""};
  } catch (const std::exception& e) {
    return Error{ErrorKind::kInternal, fmt::format("the worker failed: {}", e.what()), "please report it with the command", ""};
  }
}

int Refuse(int fd, const Error& error) { return WriteFrame(fd, FrameType::kError, ErrorToJson(error)) ? 0 : 1; }

}  // namespace

int WorkerMain(int fd, bool sandbox) {
  if (sandbox) {
    if (const Status supported = SandboxSupported(); !supported) return Refuse(fd, supported.error());
  }
  // Before the job comes: it costs the job nothing then, and reads of the machine what the sandbox hides.
  auto connection = Connection::Open();
  if (!connection) return Refuse(fd, connection.error());
  if (!WriteFrame(fd, FrameType::kReady, sandbox ? R"({"sandbox":true})" : R"({"sandbox":false})")) return 1;

  FrameDecoder decoder;
  const auto frame = ReadFrame(fd, decoder);
  if (!frame) return Refuse(fd, frame.error());
  if (!*frame) return 0;  // the parent needed none, or is gone
  if ((*frame)->type != FrameType::kJob) {
    return Refuse(fd, Error{ErrorKind::kCorruption, "a worker's first message must be its job", "", ""});
  }
  const auto result = Answer((*frame)->payload, std::move(connection).value(), fd, sandbox);
  if (!result) return Refuse(fd, result.error());
  const Status sent = WriteFrame(fd, FrameType::kResult, JobResultToJson(*result));
  if (sent) return 0;
  return sent.error().kind == ErrorKind::kInvalidArgument ? Refuse(fd, sent.error()) : 1;
}

}  // namespace caudal
