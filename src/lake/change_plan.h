// A Change against the newest snapshot: checked, and turned into the log entry and the objects that publish it.
// Pure but for random file ids.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lake/log_entry.h"
#include "lake/table.h"

namespace caudal {

/// Requirements that need no snapshot: JSON texts, names, kinds. Errors: kInvalidArgument.
Status CheckChange(const Change& change);

struct Placement {
  std::string key;         // final name in the store
  std::string local_path;  // staged; or
  std::string copied_key;  // an object that lives on beside it
};

struct CommitPlan {
  LogEntry entry;
  std::vector<Placement> files;
  /// Keys of files that go once the commit stands.
  std::vector<std::string> deletes;
  /// Folders of partitions ("" for the root) that get their first file now.
  std::vector<std::string> new_folders;
};

/// `newest` is null for a new table. `transaction` names the attempt. The time is `now`, or just after the newest
/// version's where the clock is behind. Errors: kInvalidArgument, kNotFound (a removed file is not live).
Result<CommitPlan> PlanCommit(const Change& change, const Snapshot* newest, const std::string& prefix,
                              const std::string& transaction, Timestamp now);

/// The key of the rejects table's root: `<prefix>__rejects`.
std::string RejectsPrefix(const std::string& prefix);

}  // namespace caudal
