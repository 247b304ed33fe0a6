// What keeps tables in order: going back to an earlier version, naming one, giving up old ones, mending the other formats.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flow/workspace.h"
#include "lake/retention.h"

namespace caudal {

struct RollbackReport {
  std::int64_t from = 0, to = 0;      // versions
  std::int64_t version = -1;          // that was committed; -1 = none, the call only looked
  std::int64_t files_back = 0, files_gone = 0;
  std::int64_t rows_before = 0, rows_after = 0;
  bool source_again = false;          // a source's cursor goes back: what came after is read again
};

/// The table at `target`: a version, a savepoint or a time; "" = the newest. Errors: kInvalidArgument for a target that is none;
/// kNotFound without the table or the version.
Result<std::shared_ptr<const Snapshot>> SnapshotAt(const Workspace& workspace, const Node& node, const std::string& target);

/// Makes the table what it was at `target`, a version, a time or a savepoint, by a commit of its own. `dry_run`: commits nothing.
/// Errors: kInvalidArgument for a target that is none or is the newest; kNotFound without the table or the version;
/// kConflict where another commit came between.
Result<RollbackReport> RollbackTable(const Workspace& workspace, const Node& node, const std::string& target, bool dry_run);

/// Names the version `target` ("" = the newest), so that no purge takes it. Gives the version.
/// Errors: those of RollbackTable's target, and of AddSavepoint (lake/retention.h).
Result<std::int64_t> SaveTable(const Workspace& workspace, const Node& node, const Savepoint& savepoint, const std::string& target);
Status ForgetSavepoint(const Workspace& workspace, const Node& node, const std::string& name);
Result<std::vector<Savepoint>> SavepointsOfTable(const Workspace& workspace, const Node& node);

struct TablePurge {
  std::string table;
  std::int64_t horizon = 0;  // the oldest version that is kept, but for savepoints
  PurgeReport report;
};

/// Gives up old versions of `table` and deletes files that no other version has; none where that would free nothing. What a
/// run reads that is going on is kept.
/// Nothing for a table that is not published. Errors: kInvalidArgument without a rule; those of Table::Purge.
Result<std::optional<TablePurge>> PurgeTable(const Workspace& workspace, const Node& node, const Retention& retention, bool dry_run);

/// Data files that no version names, last changed before `older_than` ago: listed, and unless `dry_run`, deleted.
Result<std::vector<std::string>> PurgeOrphans(const Workspace& workspace, const Node& node, std::chrono::milliseconds older_than, bool dry_run);

/// Writes the objects of Hudi and Iceberg again that differ from the log; reads all of them. Names of the tables where it did.
/// Errors: kCancelled between two tables; those of a table, with its name.
Result<std::vector<std::string>> RepairFormats(const Workspace& workspace, const CancelFlag* cancel);

}  // namespace caudal
