// Which versions of a table can still be read, and the commits that decide it: savepoints and purges. They are domains of
// the log, so every face is rendered from the same facts; a rollback leaves them alone. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lake/table.h"

namespace caudal {

/// A version with a name: it stays readable, whatever is purged.
struct Savepoint {
  std::string name;
  std::int64_t version = 0;
  std::string comment;
};

/// Ordered by name. Errors: kCorruption.
Result<std::vector<Savepoint>> SavepointsOf(const Snapshot& newest);

/// Versions from here on have all their files; 0 where nothing was purged.
std::int64_t HorizonOf(const Snapshot& newest);

/// The oldest version that is a savepoint or not purged. Errors: kCorruption.
Result<std::int64_t> OldestKept(const Snapshot& newest);

/// True where the files of `version` are kept. Errors: kCorruption.
Result<bool> IsKept(const Snapshot& newest, std::int64_t version);

/// The versions that can be read, ascending. Errors: kCorruption.
Result<std::vector<std::int64_t>> KeptVersions(const Snapshot& newest);

/// Errors: kInvalidArgument for a name that is none, is taken, or a version that is not kept.
Result<Change> AddSavepoint(const Snapshot& newest, const Savepoint& savepoint);
/// Errors: kNotFound with the names that there are.
Result<Change> DropSavepoint(const Snapshot& newest, const std::string& name);

/// The commit that gives up the versions before `horizon`; Table::Purge deletes their files. Errors: kInvalidArgument for a
/// horizon that is above `newest`, or below the one that it has.
Result<Change> PurgeTo(const Snapshot& newest, std::int64_t horizon);
/// The next purge deletes the files that versions after this one removed, up to its horizon: those that the last purge had
/// to delete are among them, so that one that was killed is made up for.
std::int64_t PurgedFrom(const Snapshot& newest);

/// True for a path below a table's root that is one of a data file.
bool IsDataFile(std::string_view path);

/// True for the domains above, which belong to the table and not to one of its versions.
bool OutlivesRollback(std::string_view domain);

}  // namespace caudal
