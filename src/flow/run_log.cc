#include "flow/run_log.h"

#include <filesystem>

#include "base/json.h"

namespace caudal {

RunLog::RunLog(const std::string& project_folder, const std::string& run) {
  std::string folder = project_folder + "/.caudal/runs";
  std::error_code ignored;
  std::filesystem::create_directories(folder, ignored);
  x_file.open(folder + "/" + run + ".ndjson", std::ios::app);
}

void RunLog::Write(const EventRecord& event) {
  auto body = ParseJson(event.body, "an event");
  Json line = body ? *body : Json::object();
  line["at"] = FormatTimestampMs(event.at);
  line["event"] = event.kind;
  line["run"] = event.run;
  if (!event.task.empty()) line["task"] = event.task;
  std::lock_guard lock(x_mutex);
  x_file << DumpJson(line) << '\n' << std::flush;
}

EventRecord RunEvent(std::string_view kind, const RunRecord& run, Timestamp at) {
  Json body{{"pipeline", run.pipeline}, {"release", run.release}, {"status", RunStatusName(run.status)}, {"cause", run.cause}};
  if (run.scheduled) body["scheduled"] = FormatTimestampMs(*run.scheduled);
  return {0, at, std::string(kind), run.id, "", DumpJson(body)};
}

EventRecord TaskEvent(std::string_view kind, const TaskRecord& task, const TaskOutcome* outcome, Timestamp at) {
  Json body{{"attempt", task.attempt}, {"status", TaskStatusName(task.status)}};
  if (!task.error.empty()) body["error"] = {{"kind", task.error_kind}, {"message", task.error}, {"next", task.error_next}};
  if (outcome) {
    body["version"] = outcome->version;
    body["rows"] = {{"read", outcome->counts.read},
                    {"written", outcome->counts.written},
                    {"rejected", outcome->counts.rejected},
                    {"deduplicated", outcome->counts.deduplicated}};
    if (outcome->counts.discarded_values > 0) body["rows"]["discarded_values"] = outcome->counts.discarded_values;
    if (!outcome->drift.empty()) body["drift"] = DriftToJson(outcome->drift);
    body["bytes_written"] = outcome->bytes_written;
    body["peak_memory_bytes"] = outcome->cost.peak_memory_bytes;
    body["cpu_ms"] = outcome->cost.cpu.count();
    body["note"] = outcome->note;
    body["partitions"] = outcome->partitions;
    for (const CheckResult& check : outcome->checks) {
      body["checks"].push_back({{"check", check.id}, {"verdict", VerdictName(check.verdict)},
                                {"failing_rows", check.failing_rows}, {"observed", check.observed},
                                {"message", check.message}});
    }
  }
  return {0, at, std::string(kind), task.run, task.name, DumpJson(body)};
}

EventRecord DriftEvent(const RunRecord& run, const std::string& table, const std::vector<Drift>& drift, Timestamp at) {
  std::vector<Drift> news;
  for (const Drift& one : drift) {
    if (one.news) news.push_back(one);
  }
  return {0, at, "schema.drifted", run.id, table, DumpJson({{"pipeline", run.pipeline}, {"table", table}, {"drift", DriftToJson(news)}})};
}

}  // namespace caudal
