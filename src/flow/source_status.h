// How sources stand: what they brought last and when, what was expected, what would be asked next. Read-only; no source is
// reached. The one place that knows, for the command line and for the API.
#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "flow/drift.h"
#include "flow/workspace.h"

namespace caudal {

enum class SourceState { kOk, kLate, kFailed, kNeverLoaded, kPaused };
/// "ok", "late", "failed", "never loaded", "paused"
std::string_view SourceStateName(SourceState state);

/// A load that brought rows.
struct LoadSeen {
  Timestamp at;
  std::int64_t version = 0;
  std::int64_t rows = 0;  // written
};

struct StreamStatus {
  std::string stream, table;
  SourceState state = SourceState::kNeverLoaded;
  std::optional<LoadSeen> last_load;
  std::optional<std::chrono::milliseconds> lag;  // since the last load
  std::optional<std::chrono::milliseconds> freshness;
  std::optional<TaskRecord> last_task;  // the newest that has begun, whatever became of it
  std::vector<Drift> drift;  // what its loads met, the oldest first
  std::string cursor;  // JSON of the connector, "" = none
  std::string next;    // what would be asked, in words
};

struct SourceStatus {
  SourceState state = SourceState::kNeverLoaded;  // of the stream that is worst off
  std::optional<LoadSeen> last_load;              // when the newest of its streams, rows of the last load of each
  std::optional<std::chrono::milliseconds> lag;   // the longest of its streams'
  std::optional<std::chrono::milliseconds> freshness;  // the shortest
  std::vector<Drift> drift;                       // of all its streams, the oldest first
  std::vector<StreamStatus> streams;
};

/// Tables that pipelines build, all of which are paused. Errors: those of the state store.
Result<std::set<std::string>> PausedTables(const Workspace& workspace);

/// What `stream` brought and asks, by its table and `snapshot` (null: never published) as they were just read.
/// Errors: those of the state store and of the table's log.
Result<StreamStatus> StatusOfStream(const Workspace& workspace, const SourceConfig& source, const StreamConfig& stream,
                                    const Table& table, const Snapshot* snapshot, bool paused);

/// Of streams whose status is known, in the order of the source's.
SourceStatus StatusOfSource(std::vector<StreamStatus> streams);

/// "2d4h", "3h05m", "12m": what a person wants to know of an age.
std::string AgeInWords(std::chrono::milliseconds age);

}  // namespace caudal
