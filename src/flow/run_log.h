// Every step of a run as one NDJSON line in .caudal/runs/<run>.ndjson, and the same as events of the state store.
// Schema of the lines: docs/formats/run-log.md. Thread-safe.
#pragma once

#include <fstream>
#include <mutex>
#include <string>

#include "base/json_fwd.h"
#include "flow/task.h"
#include "state/state_store.h"

namespace caudal {

class RunLog {
 public:
  /// Appends to the run's file; a file that cannot be written costs the log, not the run.
  RunLog(const std::string& project_folder, const std::string& run);
  /// The event's line.
  void Write(const EventRecord& event);

 private:
  std::mutex x_mutex;
  std::ofstream x_file;
};

EventRecord RunEvent(std::string_view kind, const RunRecord& run, Timestamp at);
EventRecord TaskEvent(std::string_view kind, const TaskRecord& task, const TaskOutcome* outcome, Timestamp at);
/// "schema.drifted": what `drift` has of news.
EventRecord DriftEvent(const RunRecord& run, const std::string& table, const std::vector<Drift>& drift, Timestamp at);

}  // namespace caudal
