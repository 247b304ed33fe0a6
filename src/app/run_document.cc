#include "app/run_document.h"

#include "app/table_print.h"
#include "base/json.h"

namespace caudal {
namespace {

Json TimeOrNull(const std::optional<Timestamp>& time) {
  return time ? Json(FormatTimestampMs(*time)) : Json(nullptr);
}

}  // namespace

Json CheckDocument(const CheckResult& check) {
  return {{"check", check.id},
          {"verdict", VerdictName(check.verdict)},
          {"failing_rows", check.failing_rows},
          {"observed", check.observed},
          {"message", check.message},
          {"where", check.check.place.ToString()},
          {"columns", ColumnsDocument(check.examples.schema)},
          {"examples", RowsDocument(check.examples)}};
}

Json TaskDocument(const TaskRecord& task, const TaskOutcome* outcome) {
  Json document{{"table", task.name},
                {"status", TaskStatusName(task.status)},
                {"attempt", task.attempt},
                {"started", TimeOrNull(task.started)},
                {"ended", TimeOrNull(task.ended)},
                {"version", task.version},
                {"rows_read", task.rows_read},
                {"rows_written", task.rows_written},
                {"rows_rejected", task.rows_rejected},
                {"bytes_written", task.bytes_written},
                {"peak_memory_bytes", task.peak_memory_bytes},
                {"cpu_ms", task.cpu_ms},
                {"note", task.note}};
  if (!task.error.empty()) {
    document["error"] = {{"kind", task.error_kind}, {"message", task.error}, {"next", task.error_next}, {"where", ""}};
  }
  if (outcome == nullptr) return document;
  document["rows_deduplicated"] = outcome->counts.deduplicated;
  document["partitions"] = outcome->partitions;
  document["checks"] = Json::array();
  for (const CheckResult& check : outcome->checks) document["checks"].push_back(CheckDocument(check));
  if (outcome->error && !task.error.empty()) document["error"] = ErrorDocument(*outcome->error)["error"];
  return document;
}

Json RunDocument(const RunRecord& run) {
  return {{"run", run.id},
          {"pipeline", run.pipeline},
          {"release", run.release},
          {"status", RunStatusName(run.status)},
          {"started", FormatTimestampMs(run.started)},
          {"ended", TimeOrNull(run.ended)},
          {"cause", run.cause},
          {"scheduled", TimeOrNull(run.scheduled)}};
}

Json ReportDocument(const RunReport& report, const RunWatcher& watcher, const std::string& resume) {
  Json document = RunDocument(report.run);
  document["event"] = "report";
  document["resume"] = resume.empty() ? Json(nullptr) : Json(resume);
  document["tasks"] = Json::array();
  Json counts = Json::object();
  for (const TaskRecord& task : report.tasks) {
    const auto ended = watcher.ended().find(task.name);
    document["tasks"].push_back(TaskDocument(task, ended == watcher.ended().end() ? nullptr : &ended->second.outcome));
    Json& count = counts[std::string(TaskStatusName(task.status))];
    count = (count.is_null() ? 0 : count.get<int>()) + 1;
  }
  document["counts"] = counts;
  return document;
}

}  // namespace caudal
