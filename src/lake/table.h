// A table of the lake: open, look, commit. The truth is the Delta log below `<prefix>/_delta_log`; a commit is the
// creation, if absent, of one object there. Everything else is derived and healed from it.
// Thread-safe; several processes may hold the same table. Format: docs/formats/table.md.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "data/table_formats.h"
#include "lake/snapshot.h"
#include "store/object_store.h"

namespace caudal {

class Log;

/// A staged Parquet file that a commit publishes. Its partition values may be spelt as DuckDB prints them. A partition
/// value that is the empty string is stored as NULL, because Delta cannot tell them apart: the SQL that writes the
/// file must store NULL in the column, too (nullif(column, '')). Files without rows are not published.
struct AddFile {
  WrittenFile file;
  /// Path of the live file whose rows it carries on (same Hudi file group, same partition; also in `removes`); "" = a
  /// new group. At most one file carries on another.
  std::string rewrites;
};

/// What a table is to be from this commit on. While files of the table live on, columns may be added, dropped and
/// widened, no more; a commit that removes every file may change all of it.
struct TableDefinition {
  std::string name;
  Schema schema;  // ids need not be given: they follow from the names and the table's past
  std::vector<std::string> partition_columns;
  std::vector<std::string> key;
  std::map<std::string, std::string> properties;  // kept under "caudal." in the configuration
};

/// One commit, built against `base`. Plain data; the first broken requirement refuses all of it.
struct Change {
  std::string operation;
  ChangeKind kind = ChangeKind::kNone;
  /// Version that was read; -1 = the table must not exist yet.
  std::int64_t base_version = -1;
  /// Set at creation and where the definition changes.
  std::optional<TableDefinition> definition;
  std::vector<AddFile> adds;
  std::vector<std::string> removes;
  /// Becomes what an earlier version of the table was: its definition, its domains, and those of its files that are not
  /// live now, under new names. `removes` are the live files that it did not have; nothing else may be given. Made by RollbackTo.
  std::shared_ptr<const Snapshot> restores;
  /// Keys of data files that go once the commit stands, whoever finishes it. Given by Table::Purge.
  std::vector<std::string> deletes;
  /// Domain -> JSON text; absent value removes it. "cursor.<stream>", "inputs.<table>", ... ("rejects" is taken.)
  std::map<std::string, std::optional<std::string>> domains;
  /// Rejected rows: staged files for `<table>__rejects`, published from this very commit.
  std::vector<WrittenFile> rejects;
  /// Files of `<table>__rejects`, as it is at `base_version`, that go with this commit: their rows are among `adds` or
  /// `rejects` now. Two commits cannot take the same one.
  std::vector<LiveFile> reject_removes;
  /// Files of an earlier version of it that come back, under new names.
  std::vector<LiveFile> reject_returns;
  std::vector<RawObject> raw;
  std::optional<RowCounts> counts;
  /// "<run>/<task>": a second commit of the same task is recognised and does nothing.
  std::string task;
  /// JSON object text for the history; "" = nothing.
  std::string note;
  /// True where the adds do not depend on what the table holds: later appends of others do not conflict.
  bool blind = false;
  /// Partitions (as in LiveFile::partition) that were read to build this; absent = the whole table.
  std::optional<std::vector<std::map<std::string, Cell>>> read_partitions;
};

struct CommitOutcome {
  std::int64_t version = 0;
  /// The task had committed before; nothing was written now.
  bool already_applied = false;
};

struct PurgeReport {
  std::int64_t version = -1;  // that was committed; -1 = none, the call only looked
  std::int64_t files = 0;     // deleted, or to be deleted
  std::int64_t bytes = 0;
};

/// The commit that makes the table of `newest` what it was at `then`. The cursor goes back, too: what came after is read
/// again. Rejected rows stay where they are, unless RollbackRejects is called for it, too.
Change RollbackTo(const Snapshot& newest, std::shared_ptr<const Snapshot> then);
/// Lets `rollback` make the rejects table, which is `now`, what it was at `then`; null: it had no row.
void RollbackRejects(const Snapshot& now, const Snapshot* then, Change& rollback);

/// Stops of a commit, for tests that kill or fail there. Called with the step's name.
using CommitProbe = std::function<void(std::string_view step)>;

class Table {
 public:
  /// A table that may not exist yet. `store` outlives it. `prefix` has no slash at its end ("silver/orders").
  /// Every writer of a table has to give the same `formats`: those left out are dropped.
  Table(ObjectStore& store, std::string prefix, const Clock& clock, TableFormats formats = {});

  /// The newest snapshot. Errors: kNotFound where there is no table, kCorruption.
  Result<std::shared_ptr<const Snapshot>> Latest() const;
  /// Errors: those, and kNotFound for a version that was purged.
  Result<std::shared_ptr<const Snapshot>> At(std::int64_t version) const;
  /// The version that was newest at `time`. Errors: kInvalidArgument before the first.
  Result<std::int64_t> VersionAt(Timestamp time) const;
  /// Commits with from < version <= to, oldest first.
  Result<std::vector<CommitRecord>> History(std::int64_t from, std::int64_t to) const;

  /// Publishes all of `change` or nothing.
  /// Errors: kConflict, with the winner's operation and task (read again, plan again); kAlreadyExists;
  /// kCommitUnknown (never clean up, look again); kInvalidArgument (a change that breaks the table's rules).
  Result<CommitOutcome> Commit(const Change& change);

  /// Gives up the versions before `horizon` but for savepoints, first in the log and in the other formats, then deletes the
  /// files that only they have. Readers of those versions lose their files: the caller sees to it that there are none.
  /// Errors: kInvalidArgument (lake/retention.h), those of a commit; safe to repeat.
  Result<PurgeReport> Purge(std::int64_t horizon, bool dry_run);

  /// The keys of data files below the table that no version names which can be read, last changed before `before`: a killed
  /// writer's or a killed purge's. Unless `dry_run` they are deleted.
  Result<std::vector<std::string>> PurgeOrphans(Timestamp before, bool dry_run);

  /// Finishes what a killed writer left: removes files of dead intents, publishes rejects of committed versions, renders
  /// the other formats and drops those that are not chosen any more.
  Status Heal();
  /// Renders every version of the other formats again where CheckFormats finds a difference; true where it did.
  Result<bool> RepairFormats();
  /// What Heal() has to render or to drop, in words, told by a few small reads; "" = nothing. Errors: kNotFound without a table.
  Result<std::string> FormatsBehind() const;
  /// What of the chosen formats differs from the log, object by object; empty = nothing. Reads all of them.
  Result<std::vector<std::string>> CheckFormats() const;

  /// The version of the newest checkpoint for foreign readers of Delta, 0 where there is none.
  Result<std::int64_t> LastCheckpoint() const;
  /// Publishes a file of CheckpointSql with so many actions; one that is there already stays.
  Status PutCheckpoint(std::int64_t version, const std::string& local_path, std::int64_t actions);

  /// The table's rejected rows: a table of its own at `<prefix>__rejects`.
  Table Rejects() const;
  /// What they are at a version of the table; null where there were none yet. Writes what a killed writer left out.
  Result<std::shared_ptr<const Snapshot>> RejectsAt(const Snapshot& snapshot);

  const std::string& prefix() const { return x_prefix; }
  /// The key of a data file's object.
  std::string KeyOf(const LiveFile& file) const;
  void set_probe(CommitProbe probe) { x_probe = std::move(probe); }

 private:
  ObjectStore& x_store;
  std::string x_prefix;
  const Clock& x_clock;
  TableFormats x_formats;
  CommitProbe x_probe;
  std::shared_ptr<Log> x_log;  // shared: copies of a Table see the same parsed log
};

/// The schema of every `__rejects` table.
Schema RejectSchema();

}  // namespace caudal
