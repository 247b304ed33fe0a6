// One task of a run: one table brought up to date. Values that the runner hands in and gets back.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "flow/decide.h"
#include "flow/drift.h"
#include "flow/workspace.h"
#include "quality/audit.h"

namespace caudal {

/// Where a load stood when its task ended without a commit, so that a retry does not ask the source again. Kept in the
/// task's record. Used only where the cursor and the definition are still the same and the failure was not about the rows.
struct RawManifest {
  std::string cursor_from;  // of the table, when the source was asked
  std::string cursor_to;
  std::string definition;   // hash of the source's and the stream's words
  std::vector<RawObject> objects;
  std::map<std::string, std::int64_t> replaces;  // origins that were loaded before -> index into objects
};
std::string RawManifestToJson(const RawManifest& manifest);
Result<RawManifest> RawManifestFromJson(const std::string& text);

struct TaskContext {
  std::string run;
  Timestamp run_started;
  int attempt = 1;
  const CancelFlag* cancel = nullptr;  // set, too, where a time limit has passed
  std::function<void(const JobProgress&)> progress;
  bool full_refresh = false;
  std::optional<RawManifest> manifest;  // of an earlier attempt
  /// backfill --from-raw: the table is rebuilt from the raw objects that its commits name; the source is not asked.
  bool from_raw = false;
  /// retry --rejects: rejected rows that meet this condition are loaded again, "" = all; absent = no such replay.
  std::optional<std::string> rejects_where;
  /// backfill --start --end: partitions of the model in [start, end), "" = open; absent = no backfill.
  std::optional<std::pair<std::string, std::string>> interval;

  std::string Id(const std::string& table) const { return run + "/" + table; }
};

struct TaskOutcome {
  TaskStatus status = TaskStatus::kUnchanged;
  std::optional<Error> error;
  std::int64_t version = -1;
  RowCounts counts;
  std::int64_t bytes_written = 0;
  JobCost cost;
  std::string note;
  std::vector<std::string> partitions;  // "order_date=2010-12-13", where exactly these were built
  std::vector<CheckResult> checks;
  std::vector<Drift> drift;  // of a load: what was different at the source
  std::optional<RawManifest> manifest;
};

/// Asks the source, keeps the raw bytes, types, audits, commits. Never throws; a failure is outcome.error.
TaskOutcome LoadStream(const Workspace& workspace, const Node& node, const TaskContext& context);
/// Decides what to recompute, computes, audits, commits.
TaskOutcome BuildModel(const Workspace& workspace, const Node& node, const TaskContext& context);

}  // namespace caudal
