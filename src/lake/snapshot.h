// What a table is at one version: a value that never changes, made from the Delta log alone.
// Thread-safe to read. Formats: docs/formats/table.md.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "data/data_file.h"
#include "data/schema.h"

namespace caudal {

struct LiveFile {
  std::string path;  // below the table's root, as on disk (not percent-encoded)
  /// Values as the log has them: '' is NULL, a time is "2026-01-01T02:03:04.567891Z" (lake/partition_path.h).
  std::map<std::string, Cell> partition;
  std::int64_t size_bytes = 0;
  std::int64_t rows = 0;
  /// Delta's statistics as the log has them, read by StatsOf; null where it has none. Shared by all snapshots that the
  /// file is in, so that a new version does not copy what it keeps.
  std::shared_ptr<const std::string> stats;
  std::string file_id;                         // Hudi file group; survives rewrites of the file
  std::string instant;
  std::int64_t added_version = 0;
  std::string sha256 = {};  // of its bytes; "" in files of versions that did not note it
};

struct Snapshot {
  std::int64_t version = -1;
  Timestamp time;
  std::string instant;
  Timestamp created;
  std::string table_id;
  std::string name;  // "silver.orders"
  Schema schema;     // ids given
  std::vector<std::string> partition_columns;
  std::vector<std::string> key;
  std::map<std::string, std::string> configuration;
  std::vector<LiveFile> files;                 // ordered by path
  std::map<std::string, std::string> domains;  // domainMetadata: name without "caudal." -> JSON text

  std::int64_t rows() const;
  std::int64_t size_bytes() const;
  const LiveFile* Find(std::string_view path) const;
};

/// min, max and null_count of the file's leaf columns, where the log has them. Errors: kCorruption.
Result<std::map<std::string, ColumnStats>> StatsOf(const Snapshot& snapshot, const LiveFile& file);

/// How a commit changed the rows, for those who read the table incrementally.
enum class ChangeKind {
  kNone,       // metadata, cursors, compaction: the same rows
  kAppend,     // rows were added, none changed or vanished
  kUpsert,     // rows of some keys were replaced or added
  kDelete,     // rows vanished
  kOverwrite,  // partitions, or everything, were replaced
};
std::string_view ChangeKindName(ChangeKind kind);

/// Where bronze rows came from: one raw object that a commit loaded.
struct RawObject {
  std::string key;  // below the lake's root
  std::string sha256;
  std::int64_t size_bytes = 0;
  std::int64_t rows = 0;
  std::string origin;   // file name or URL without credentials
  std::string format;   // JSON: how it is to be parsed (connect/chunk.h)
};

/// Rows counted at every station of a bronze commit; read == written + rejected + deduplicated.
struct RowCounts {
  std::int64_t read = 0;
  std::int64_t written = 0;
  std::int64_t rejected = 0;
  std::int64_t deduplicated = 0;
  /// Values, not rows: what the schema contract left out of rows that were written.
  std::int64_t discarded_values = 0;
};

/// One line of a table's history.
struct CommitRecord {
  std::int64_t version = 0;
  Timestamp time;
  std::string instant;
  std::string operation;  // "CREATE", "APPEND", "MERGE", ...
  ChangeKind change = ChangeKind::kNone;
  std::string task;  // run/task, "" for none
  std::int64_t files_added = 0;
  std::int64_t files_removed = 0;
  std::int64_t rows_added = 0;    // rows in the added files
  std::int64_t rows_removed = 0;  // rows in the removed files
  /// Partitions whose files changed: each as partition column -> value, ordered, unique.
  std::vector<std::map<std::string, Cell>> partitions;
  std::vector<std::string> added_paths, removed_paths;
  std::vector<RawObject> raw;
  std::optional<RowCounts> counts;
  /// Further facts that the writer noted (JSON object text).
  std::string note;
};

}  // namespace caudal
