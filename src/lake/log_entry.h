// One version of the Delta log as a value, and as the text of its object. Pure. Format: docs/formats/table.md.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lake/snapshot.h"

namespace caudal {

struct LogRemove {
  std::string path;
  std::map<std::string, Cell> partition;
  std::int64_t size_bytes = 0;
  std::int64_t rows = 0;
  std::string file_id;
  std::string instant;
  std::int64_t added_version = 0;
};

struct LogMetadata {
  std::string id;
  std::string name;
  Schema schema;
  std::vector<std::string> partition_columns;
  std::map<std::string, std::string> configuration;
  std::int64_t created_ms = 0;
};

/// Reject files that the commit placed below the rejects table's root, and the version of that table that they become.
struct LogRejects {
  std::int64_t version = 0;
  /// The commit before this one that had rejects, -1 for none.
  std::int64_t previous_source = -1;
  std::vector<LiveFile> files;
  /// Files of the version before that go: their rows were written to the table, or stand in `files` anew.
  std::vector<LogRemove> removes = {};
};

struct LogEntry {
  std::int64_t version = 0;
  Timestamp time;
  std::string instant;
  std::string operation;
  std::string hudi_operation;
  std::string transaction;  // txnId: unique to the attempt that won
  ChangeKind kind = ChangeKind::kNone;
  bool blind = false;
  std::string task;
  std::vector<RawObject> raw;
  std::optional<RowCounts> counts;
  std::string note;
  std::optional<LogRejects> rejects;
  /// For a rejects table: the version of the main table that this one renders; -1 elsewhere.
  std::int64_t source_version = -1;

  bool creates = false;  // holds the protocol action
  std::optional<LogMetadata> metadata;
  std::map<std::string, std::optional<std::string>> domains;  // without "caudal."; absent = removed
  std::vector<LogRemove> removes;
  std::vector<LiveFile> adds;
};

/// The object's text: one action a line, always the same bytes for the same entry.
std::string LogText(const LogEntry& entry);

/// Errors: kCorruption with the version; kUnsupported where the log asks its readers for more than we know.
Result<LogEntry> ReadLogText(std::int64_t version, std::string_view text);

/// "00000000000000000012.json".
std::string LogFileName(std::int64_t version);

}  // namespace caudal
