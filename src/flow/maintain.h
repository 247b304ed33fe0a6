// What keeps a table in order without changing what it is made of: going back to an earlier version, joining small files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "flow/workspace.h"

namespace caudal {

struct RollbackReport {
  std::int64_t from = 0, to = 0;      // versions
  std::int64_t version = -1;          // that was committed; -1 = none, the call only looked
  std::int64_t files_back = 0, files_gone = 0;
  std::int64_t rows_before = 0, rows_after = 0;
  bool source_again = false;          // a source's cursor goes back: what came after is read again
};

/// Makes the table what it was at `target`, a version or a time, by a commit of its own. `dry_run`: commits nothing.
/// Errors: kInvalidArgument for a target that is none or is the newest; kNotFound without the table or the version;
/// kConflict where another commit came between.
Result<RollbackReport> RollbackTable(const Workspace& workspace, const Node& node, const std::string& target, bool dry_run);

/// Writes the objects of Hudi and Iceberg again that differ from the log; reads all of them. Names of the tables where it did.
/// Errors: kCancelled between two tables; those of a table, with its name.
Result<std::vector<std::string>> RepairFormats(const Workspace& workspace, const CancelFlag* cancel);

}  // namespace caudal
