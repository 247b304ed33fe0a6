// Rows of the SQLite store as records, for its parts. Not thread-safe: callers hold the file's mutex.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "state/sqlite.h"
#include "state/state_store.h"

namespace caudal {

/// One connection, shared by the parts of a store.
struct SqliteFile {
  std::unique_ptr<Database> database;
  std::mutex mutex;
  int version = 0;  // of the schema: an older one is met only where the file cannot be written
};

std::int64_t Micros(Timestamp t);
std::optional<std::int64_t> Micros(const std::optional<Timestamp>& t);
Timestamp FromMicros(std::int64_t us);
std::optional<Timestamp> FromMicros(std::optional<std::int64_t> us);

template <typename T, typename F>
Result<std::vector<T>> Collect(Statement& select, F read) {
  std::vector<T> all;
  for (;;) {
    TRY_ASSIGN(bool row, select.Step());
    if (!row) return all;
    all.push_back(read(select));
  }
}

/// The columns that ReadRun wants.
std::string RunColumns(const SqliteFile& file);
/// A run whose process is gone reads as interrupted.
RunRecord ReadRun(const Statement& row);
TaskRecord ReadTask(const Statement& row);
inline constexpr const char* kTaskColumns =
    "run, name, status, attempt, started, ended, error_kind, error, error_next, version, rows_read, rows_written, "
    "rows_rejected, bytes_written, peak_memory, cpu_ms, note, staged";
CheckRecord ReadCheck(const Statement& row);
inline constexpr const char* kCheckColumns = "run, tbl, chk, verdict, failing_rows, observed, message, at";

/// Gives its sequence.
Result<std::int64_t> PutEvent(Database& database, const EventRecord& event);
/// The row of a pipeline, made if absent.
Status TouchSchedule(Database& database, const std::string& pipeline);

/// Makes the tables, or brings those of an older version to this one, in the caller's transaction. Errors: kUnsupported
/// for a newer version.
Status PrepareTables(SqliteFile& file, bool writable);

}  // namespace caudal
