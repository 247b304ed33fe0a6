#include "serve/run_document.h"

#include "base/json.h"
#include "flow/drift.h"
#include "serve/rows_document.h"

namespace caudal {

Json TimeOrNull(const std::optional<Timestamp>& time) { return time ? Json(FormatTimestampMs(*time)) : Json(nullptr); }

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
  document["drift"] = DriftToJson(outcome->drift);
  document["partitions"] = outcome->partitions;
  document["checks"] = Json::array();
  for (const CheckResult& check : outcome->checks) document["checks"].push_back(CheckDocument(check));
  if (outcome->error && !task.error.empty()) document["error"] = ErrorObject(*outcome->error);
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

}  // namespace caudal
