#include "app/progress.h"

#include <fmt/format.h>

#include "app/live_lines.h"
#include "base/json.h"
#include "serve/run_document.h"

namespace caudal {
namespace {

constexpr std::size_t kPartitionsInLine = 4;

std::string_view WordOf(const TaskRecord& task) {
  switch (task.status) {
    case TaskStatus::kSucceeded: return "OK";
    case TaskStatus::kUnchanged: return "SKIP";
    case TaskStatus::kFailed: return "FAIL";
    case TaskStatus::kBlocked: return "WAIT";
    case TaskStatus::kCancelled: return "STOP";
    case TaskStatus::kWaiting: return "RETRY";
    case TaskStatus::kRunning: break;
  }
  return "START";
}

Color ColorOf(std::string_view word) {
  if (word == "OK") return Color::kGreen;
  if (word == "FAIL" || word == "STOP") return Color::kRed;
  if (word == "WARN" || word == "WAIT" || word == "RETRY") return Color::kYellow;
  return Color::kDim;
}

/// What stands behind the table's name when its task has ended.
std::string Ending(const TaskRecord& task, const TaskOutcome& outcome) {
  switch (task.status) {
    case TaskStatus::kSucceeded: {
      std::string text = TaskFigures(task, outcome);
      if (!outcome.partitions.empty()) {
        text += fmt::format("  {}: {}", Counted(static_cast<std::int64_t>(outcome.partitions.size()), "partition"),
                            Joined(outcome.partitions, kPartitionsInLine));
      } else if (!task.note.empty()) {
        text += "  (" + task.note + ")";
      }
      return text;
    }
    case TaskStatus::kUnchanged: return task.note.empty() ? "unchanged" : "unchanged: " + task.note;
    case TaskStatus::kFailed: return task.error;
    default: return task.note;
  }
}

class PlainWatcher : public RunWatcher {
 public:
  PlainWatcher(const Console& console, bool verbose) : x_console(console), x_verbose(verbose) {}

  void OnRunStarted(const RunRecord& run, const std::vector<TaskRecord>& tasks) override {
    RunWatcher::OnRunStarted(run, tasks);
    Say(fmt::format("run {}  pipeline {}  {}", run.id, run.pipeline,
                    Counted(static_cast<std::int64_t>(tasks.size()), "task")));
  }
  void OnTaskStarted(const TaskRecord& task) override { Tell("START", task, Attempt(task)); }
  void OnTaskProgress(const std::string&, const JobProgress&) override {}
  void OnTaskEnded(const TaskRecord& task, const TaskOutcome& outcome) override {
    RunWatcher::OnTaskEnded(task, outcome);
    for (const CheckResult& check : outcome.checks) {
      const bool told = check.verdict == Verdict::kPass ? x_verbose : task.status != TaskStatus::kFailed;
      if (!told) continue;
      const char* word = check.verdict == Verdict::kPass ? "PASS" : "WARN";
      Tell(word, task, check.id + ": " + (check.message.empty() ? check.observed : check.message));
    }
    Tell(WordOf(task), task, Ending(task, outcome));
  }
  void OnCatalogAsked(const CatalogAnswer& answer) override {
    if (const std::string words = AnswerInWords(answer); !words.empty()) Say((answer.error ? x_console.Paint(Color::kYellow, "WARN") + "  " : "") + words);
  }
  void OnRunQueued(const Error& holder) override { Say(holder.message + "; waiting for its end"); }
  void OnTaskWaits(const TaskRecord& task, const Error& error, Timestamp at) override {
    Tell("RETRY", task, fmt::format("{}; again at {}", error.message, LocalTimeOfDay(at)));
  }
  void OnRunEnded(const RunRecord&, const std::vector<TaskRecord>&) override {}

 protected:
  virtual void Say(const std::string& line) { x_console.Line(line); }

  void Tell(std::string_view word, const TaskRecord& task, const std::string& more) {
    std::string line = fmt::format("{}  {}  {}  {}", LocalTimeOfDay(SystemClock().Now()), Ordinal(task.name),
                                   x_console.Paint(ColorOf(word), fmt::format("{:<5}", word)), task.name);
    if (!more.empty()) line += "  " + more;
    Say(line);
  }

  static std::string Attempt(const TaskRecord& task) {
    return task.attempt > 1 ? fmt::format("attempt {}", task.attempt) : "";
  }

  const Console& x_console;
  const bool x_verbose;
};

/// Running tasks as lines below, redrawn; what ended scrolls away above them.
class LiveWatcher final : public PlainWatcher {
 public:
  LiveWatcher(const Console& console, bool verbose) : PlainWatcher(console, verbose), x_lines(console) {}

  void OnTaskStarted(const TaskRecord& task) override { x_lines.Begin(task.name, Ordinal(task.name)); }
  void OnTaskProgress(const std::string& table, const JobProgress& progress) override {
    x_lines.Update(table, progress);
  }
  void OnTaskEnded(const TaskRecord& task, const TaskOutcome& outcome) override {
    x_lines.End(task.name);
    PlainWatcher::OnTaskEnded(task, outcome);
  }
  void OnTaskWaits(const TaskRecord& task, const Error& error, Timestamp at) override {
    x_lines.End(task.name);
    PlainWatcher::OnTaskWaits(task, error, at);
  }
  void OnRunEnded(const RunRecord&, const std::vector<TaskRecord>&) override { x_lines.Stop(); }

 private:
  void Say(const std::string& line) override { x_lines.Say(line); }

  LiveLines x_lines;
};

class JsonWatcher final : public RunWatcher {
 public:
  explicit JsonWatcher(const Console& console) : x_console(console) {}

  void OnRunStarted(const RunRecord& run, const std::vector<TaskRecord>& tasks) override {
    RunWatcher::OnRunStarted(run, tasks);
    Json names = Json::array();
    for (const TaskRecord& task : tasks) names.push_back(task.name);
    Tell("run.started", {{"run", run.id}, {"pipeline", run.pipeline}, {"release", run.release}, {"tables", names}});
  }
  void OnTaskStarted(const TaskRecord& task) override {
    Tell("task.started", {{"table", task.name}, {"attempt", task.attempt}});
  }
  void OnTaskProgress(const std::string& table, const JobProgress& progress) override {
    Tell("task.progress", {{"table", table},
                           {"rows", progress.rows},
                           {"bytes", progress.bytes},
                           {"memory_bytes", progress.memory_bytes}});
  }
  void OnTaskEnded(const TaskRecord& task, const TaskOutcome& outcome) override {
    RunWatcher::OnTaskEnded(task, outcome);
    Tell("task." + std::string(TaskStatusName(task.status)), TaskDocument(task, &outcome));
  }
  void OnCatalogAsked(const CatalogAnswer& answer) override {
    Json document{{"source", answer.source}, {"tables", answer.tables}, {"new", answer.appeared}, {"gone", answer.gone}};
    if (answer.error) document.update(ErrorDocument(*answer.error));
    Tell("catalog.asked", std::move(document));
  }
  void OnRunQueued(const Error& holder) override { Tell("run.queued", ErrorDocument(holder)); }
  void OnTaskWaits(const TaskRecord& task, const Error& error, Timestamp at) override {
    Json document = ErrorDocument(error);
    document["table"] = task.name;
    document["again_at"] = FormatTimestampMs(at);
    Tell("task.retrying", document);
  }
  void OnRunEnded(const RunRecord&, const std::vector<TaskRecord>&) override {}

 private:
  void Tell(const std::string& event, Json document) {
    document["event"] = event;
    document["at"] = FormatTimestampMs(SystemClock().Now());
    x_console.Document(document);
  }

  const Console& x_console;
};

}  // namespace

void RunWatcher::OnRunStarted(const RunRecord&, const std::vector<TaskRecord>& tasks) {
  for (const TaskRecord& task : tasks) x_ordinals.emplace(task.name, x_ordinals.size() + 1);
}

void RunWatcher::OnTaskEnded(const TaskRecord& task, const TaskOutcome& outcome) {
  x_ended[task.name] = Ended{task, outcome};
}

std::string RunWatcher::Ordinal(const std::string& table) const {
  const auto it = x_ordinals.find(table);
  const std::string total = fmt::format("{}", x_ordinals.size());
  return fmt::format("{:>{}} of {}", it == x_ordinals.end() ? 0 : it->second, total.size(), total);
}

std::string TaskFigures(const TaskRecord& task, const TaskOutcome& outcome) {
  std::string text = Counted(task.rows_written, "row");
  if (task.rows_rejected > 0) text += fmt::format(" ({} rejected)", Grouped(task.rows_rejected));
  if (outcome.counts.deduplicated > 0) text += fmt::format(" ({} repeated)", Grouped(outcome.counts.deduplicated));
  if (task.bytes_written > 0) text += "  " + SizeText(task.bytes_written);
  if (task.started && task.ended) {
    text += "  " + SecondsText(std::chrono::duration_cast<std::chrono::milliseconds>(*task.ended - *task.started));
  }
  if (task.peak_memory_bytes > 0) text += "  peak " + SizeText(task.peak_memory_bytes);
  return text;
}

std::unique_ptr<RunWatcher> MakeRunWatcher(const Console& console, bool verbose) {
  if (console.json()) return std::make_unique<JsonWatcher>(console);
  if (console.live()) return std::make_unique<LiveWatcher>(console, verbose);
  return std::make_unique<PlainWatcher>(console, verbose);
}

}  // namespace caudal
