#include "app/run_summary.h"

#include <fmt/format.h>

#include <map>

#include "app/table_print.h"

namespace caudal {
namespace {

constexpr std::size_t kMostPartitions = 12;
constexpr std::size_t kExampleCell = 24;

struct Tally {
  std::size_t succeeded = 0, unchanged = 0, failed = 0, waiting = 0, stopped = 0, before = 0, left_out = 0;
  bool resumed() const { return before + left_out > 0; }
};

Tally Count(const RunReport& report, const RunWatcher& watcher) {
  Tally tally;
  for (const TaskRecord& task : report.tasks) {
    if (!watcher.ended().contains(task.name)) {
      const bool done = task.status == TaskStatus::kSucceeded || task.status == TaskStatus::kUnchanged;
      ++(done ? tally.before : tally.left_out);
      continue;
    }
    switch (task.status) {
      case TaskStatus::kSucceeded: ++tally.succeeded; break;
      case TaskStatus::kUnchanged: ++tally.unchanged; break;
      case TaskStatus::kFailed: ++tally.failed; break;
      case TaskStatus::kBlocked: ++tally.waiting; break;
      default: ++tally.stopped; break;
    }
  }
  return tally;
}

std::string Headline(const Tally& tally) {
  std::vector<std::string> parts;
  parts.push_back(fmt::format("{} succeeded", tally.succeeded));
  if (tally.unchanged > 0) parts.push_back(fmt::format("{} unchanged", tally.unchanged));
  if (tally.failed > 0) parts.push_back(fmt::format("{} failed", tally.failed));
  if (tally.waiting > 0) parts.push_back(fmt::format("{} waiting", tally.waiting));
  if (tally.stopped > 0) parts.push_back(fmt::format("{} stopped", tally.stopped));
  if (tally.before > 0) parts.push_back(fmt::format("{} done before", tally.before));
  if (tally.left_out > 0) parts.push_back(fmt::format("{} left out", tally.left_out));
  return Joined(parts, parts.size());
}

void PrintFailure(const Console& console, const TaskRecord& task, const TaskOutcome& outcome) {
  console.Line("");
  console.Line(console.Paint(Color::kRed, "FAIL") + "  " + console.Paint(Color::kBold, task.name));
  console.Line("  error: " + task.error);
  if (!task.error_next.empty()) console.Line("  next: " + task.error_next);
  for (const CheckResult& check : outcome.checks) {
    if (check.verdict == Verdict::kFail) PrintCheck(console, check, "  ");
  }
}

}  // namespace

void PrintCheck(const Console& console, const CheckResult& check, const std::string& indent) {
  const std::string what = check.message.empty() ? check.observed : check.message;
  const std::string place = check.check.place.file.empty() ? "" : "  (" + check.check.place.ToString() + ")";
  std::string verdict = check.verdict == Verdict::kPass ? "pass"
                        : check.verdict == Verdict::kFail ? console.Paint(Color::kRed, "fail")
                                                          : console.Paint(Color::kYellow, VerdictName(check.verdict));
  console.Line(fmt::format("{}{}  {}  {}{}", indent, verdict, check.id, what, place));
  if (check.examples.rows.empty()) return;
  TextLayout layout;
  layout.indent = indent + "    ";
  layout.cell_width = kExampleCell;
  layout.line_width = static_cast<std::size_t>(console.width() > 0 ? console.width() : 160);
  console.Write(FormatTable(TextTableOf(check.examples), layout));
}

void PrintRunSummary(const Console& console, const RunReport& report, const RunWatcher& watcher,
                     const std::string& resume) {
  for (const TaskRecord& task : report.tasks) {
    const auto ended = watcher.ended().find(task.name);
    const bool here = ended != watcher.ended().end();
    if (here && task.status == TaskStatus::kFailed) PrintFailure(console, task, ended->second.outcome);
  }
  std::map<std::string, std::vector<std::string>> waiting;  // "waits for stores.lines" -> who
  for (const TaskRecord& task : report.tasks) {
    if (task.status == TaskStatus::kBlocked && watcher.ended().contains(task.name)) waiting[task.note].push_back(task.name);
  }
  if (!waiting.empty()) console.Line("");
  for (const auto& [note, tables] : waiting) {
    console.Line(console.Paint(Color::kYellow, "WAIT") + "  " + note + ": " + Joined(tables, tables.size()));
  }
  bool any_partitions = false;
  for (const TaskRecord& task : report.tasks) {
    const auto ended = watcher.ended().find(task.name);
    if (ended == watcher.ended().end() || ended->second.outcome.partitions.empty()) continue;
    if (!any_partitions) console.Line("");
    any_partitions = true;
    console.Line(fmt::format("recomputed  {}  {}", task.name, Joined(ended->second.outcome.partitions, kMostPartitions)));
  }
  const Tally tally = Count(report, watcher);
  const Timestamp end = report.run.ended.value_or(SystemClock().Now());
  Timestamp start = report.run.started;
  if (tally.resumed()) {  // resumed: what counts is the time since then
    for (const auto& [name, ended] : watcher.ended()) {
      if (ended.task.started && (start == report.run.started || *ended.task.started < start)) start = *ended.task.started;
    }
  }
  console.Line("");
  const bool good = report.run.status == RunStatus::kSucceeded;
  const bool nothing = good && tally.succeeded == 0;
  console.Line(fmt::format("{} {} in {}{}", console.Paint(good ? Color::kGreen : Color::kRed, "Done."), Headline(tally),
                           SecondsText(std::chrono::duration_cast<std::chrono::milliseconds>(end - start)),
                           nothing ? ": nothing was new" : ""));
  if (!resume.empty()) console.Line(resume);
}

}  // namespace caudal
