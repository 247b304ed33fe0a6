// Copy-on-write changes as compute jobs: which files hold the keys, and their new versions. No I/O here: jobs are
// built, a worker runs them, the caller commits what it wrote.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/job.h"
#include "lake/snapshot.h"
#include "lake/table.h"

namespace caudal {

/// Files of `snapshot` as input of a job, under `schema.name`. `root` is where a worker reads the table's folder
/// ("/lake/silver/orders"), so the input's files, and kOriginColumn, are root + "/" + LiveFile::path.
TableInput InputOf(const Snapshot& snapshot, const std::string& schema, const std::string& name,
                   const std::vector<const LiveFile*>& files, const std::string& root, bool with_origin);

/// The live files that rows of a kQuery step name in their first column, as kOriginColumn gives them; unknown ones are left out.
std::vector<const LiveFile*> FilesNamedBy(const Snapshot& snapshot, const std::string& root, const Rows& rows);

/// A set of changed rows that a job sees as the view or table `view` (one plain name): all columns of the table, unique
/// by `key`, no NULL in the key, and optionally a BOOLEAN column `_deleted` (true: the row with this key goes).
struct ChangeSet {
  std::string view;
  std::vector<std::string> key;
  bool has_deleted = false;
};

/// Files that may hold one of the keys, by their min/max; `bounds`: key column -> (min, max) of the change set.
std::vector<const LiveFile*> FilesInBounds(const Snapshot& snapshot,
                                           const std::map<std::string, ColumnStats>& bounds);

/// Adds to `job` the exact search: a kQuery step `name` with rows (file, matched rows). Only key columns are read.
void AddKeySearch(ComputeJob& job, const Snapshot& snapshot, const std::vector<const LiveFile*>& candidates,
                  const std::string& root, const ChangeSet& changes, const std::string& name);

/// Adds to `job` the new versions of `touched`, which must be all files that hold one of the keys (step "rewritten", left
/// out where none is touched), and files for the rows whose key no file has, or whose partition changes (step "inserted").
/// Both write below `folder`, under the columns of `snapshot`.
void AddRewrite(ComputeJob& job, const Snapshot& snapshot, const std::vector<const LiveFile*>& touched,
                const std::string& root, const ChangeSet& changes, const std::string& folder);

/// Adds to `job` a kQuery step `name` with the files that hold rows where `predicate` is true, and how many.
void AddPredicateSearch(ComputeJob& job, const Snapshot& snapshot, const std::vector<const LiveFile*>& candidates,
                        const std::string& root, const std::string& predicate, const std::string& name);

/// Adds to `job` the step "rewritten": `touched` without the rows where `predicate` (SQL over the table's columns) is true.
void AddDelete(ComputeJob& job, const Snapshot& snapshot, const std::vector<const LiveFile*>& touched,
               const std::string& root, const std::string& predicate, const std::string& folder);

/// The commit of AddRewrite's or AddDelete's result. Files that lost all rows are removed only. Operation and kind say
/// "MERGE", kUpsert (only "rewritten": "DELETE", kDelete); the caller may say it better.
Change ChangeOfRewrite(const Snapshot& snapshot, const std::vector<const LiveFile*>& touched,
                       const ComputeResult& result);

/// SQL of the change set that brings a history table (SCD2: valid_from, valid_to, is_current) from `history` up to
/// `current` at `now`: rows to close, rows to open. Its key is key + valid_from. A key that vanished is closed. Both
/// relations are given as SQL that may stand behind FROM; `columns` are those of `current`.
std::string HistoryChangesSql(const Schema& columns, const std::vector<std::string>& key, const std::string& history,
                              const std::string& current, Timestamp now);

}  // namespace caudal
