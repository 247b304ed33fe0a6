#include "lake/change_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/ids.h"
#include "base/json.h"
#include "lake/delta_stats.h"
#include "lake/log_names.h"
#include "lake/partition_path.h"
#include "lake/retention.h"
#include "lake/table_config.h"

namespace caudal {
namespace {

Error Refuse(const std::string& message) { return Error{ErrorKind::kInvalidArgument, message, "", ""}; }

std::string HudiOperation(const Change& change, bool all_removed) {
  switch (change.kind) {
    case ChangeKind::kAppend: return "INSERT";
    case ChangeKind::kUpsert: return "UPSERT";
    case ChangeKind::kDelete: return "DELETE";
    case ChangeKind::kOverwrite: return all_removed ? "INSERT_OVERWRITE_TABLE" : "INSERT_OVERWRITE";
    case ChangeKind::kNone: break;
  }
  if (!change.adds.empty() || !change.removes.empty()) return "CLUSTER";
  return change.definition ? "ALTER_SCHEMA" : "UNKNOWN";
}

/// What stays the same while the parts of one commit are planned.
class Planner {
 public:
  Planner(const Change& change, const Snapshot* newest, const std::string& prefix) :
      x_change(change), x_newest(newest), x_prefix(prefix) {}

  Result<CommitPlan> Plan(const std::string& transaction, Timestamp now) {
    bool all_removed = x_newest != nullptr && x_change.removes.size() == x_newest->files.size();
    SetHead(transaction, now, all_removed);
    TRY(PlanDefinition(all_removed));
    TRY(PlanRemoves());
    std::size_t number = 0;
    for (const AddFile& add : x_change.adds) TRY(PlanAdd(add, number++));
    TRY(CheckRowsOfCompaction());
    TRY(PlanRejects(number));
    std::sort(x_plan.entry.adds.begin(), x_plan.entry.adds.end(),
              [](const LiveFile& a, const LiveFile& b) { return a.path < b.path; });
    x_plan.new_folders.assign(x_new_folders.begin(), x_new_folders.end());
    x_plan.deletes = x_change.deletes;
    return std::move(x_plan);
  }

 private:
  void SetHead(const std::string& transaction, Timestamp now, bool all_removed) {
    LogEntry& entry = x_plan.entry;
    auto ms = MillisecondsOf(now);
    if (x_newest != nullptr) ms = std::max(ms, MillisecondsOf(x_newest->time) + 1);
    entry.version = x_newest != nullptr ? x_newest->version + 1 : 0;
    entry.time = FromMilliseconds(ms);
    entry.instant = FormatInstant(entry.time);
    entry.operation = x_change.operation;
    entry.hudi_operation = HudiOperation(x_change, all_removed);
    entry.transaction = transaction;
    entry.kind = x_change.kind;
    entry.blind = x_change.blind;
    entry.task = x_change.task;
    entry.raw = x_change.raw;
    entry.counts = x_change.counts;
    entry.note = x_change.note;
    entry.domains = x_change.domains;
  }

  Status PlanDefinition(bool all_removed) {
    if (x_change.restores) return PlanRestore();
    LogEntry& entry = x_plan.entry;
    if (x_newest != nullptr) {
      x_schema = x_newest->schema;
      x_partition_columns = x_newest->partition_columns;
    }
    if (!x_change.definition) return {};
    TRY_ASSIGN(LogMetadata next, NextMetadata(x_newest, *x_change.definition, all_removed, NewUuid(), entry.time));
    x_schema = next.schema;
    x_partition_columns = next.partition_columns;
    entry.creates = x_newest == nullptr;
    if (x_newest == nullptr || !SameMetadata(*x_newest, next)) entry.metadata = std::move(next);
    return {};
  }

  /// Files of the restored version that are not live now come back in new file groups: in a group of Hudi's the newest
  /// file wins, so an old one could not be seen again under its own name.
  Status PlanRestore() {
    LogEntry& entry = x_plan.entry;
    const Snapshot& then = *x_change.restores;
    LogMetadata restored = RestoredMetadata(*x_newest, then);
    if (!SameMetadata(*x_newest, restored)) entry.metadata = std::move(restored);
    x_schema = then.schema;
    x_partition_columns = then.partition_columns;
    for (const auto& [domain, configuration] : x_newest->domains) {
      if (!OutlivesRollback(domain) && !then.domains.contains(domain)) entry.domains[domain] = std::nullopt;
    }
    for (const auto& [domain, configuration] : then.domains) {
      auto now = x_newest->domains.find(domain);
      bool same = now != x_newest->domains.end() && now->second == configuration;
      if (!OutlivesRollback(domain) && !same) entry.domains[domain] = configuration;
    }
    std::size_t number = 0;
    for (const LiveFile& old : then.files) {
      if (x_newest->Find(old.path) != nullptr) continue;
      LiveFile file = old;
      file.file_id = NewUuid() + "-0";
      std::string folder = PartitionFolder(x_partition_columns, file.partition);
      file.path = (folder.empty() ? "" : folder + "/") + FileName(file.file_id, number++);
      file.instant = entry.instant;
      file.added_version = entry.version;
      if (!HasFilesIn(folder)) x_new_folders.insert(folder);
      x_plan.files.push_back(Placement{x_prefix + "/" + file.path, "", x_prefix + "/" + old.path});
      entry.adds.push_back(std::move(file));
    }
    return {};
  }

  Status PlanRemoves() {
    std::set<std::string> paths(x_change.removes.begin(), x_change.removes.end());
    if (paths.size() != x_change.removes.size()) return Refuse("a commit removes the same file twice");
    for (const std::string& path : paths) {
      const LiveFile* file = x_newest != nullptr ? x_newest->Find(path) : nullptr;
      if (file == nullptr) {
        return Error{ErrorKind::kNotFound, "the commit removes " + path + ", which " + x_prefix + " does not have", "", ""};
      }
      x_plan.entry.removes.push_back(LogRemove{path, file->partition, file->size_bytes, file->rows, file->file_id,
                                               file->instant, file->added_version});
      x_rows_removed += file->rows;
    }
    return {};
  }

  /// Hudi's name. The write token ends in a number of this attempt, so that two writers that race for one version
  /// without a common lock never name the same object, and each can clean up after itself.
  std::string FileName(const std::string& file_id, std::size_t number) const {
    auto attempt = std::stoul(Sha256Hex(x_plan.entry.transaction).substr(0, 8), nullptr, 16) & 0x7fffffffUL;
    return fmt::format("{}_{}-0-{}_{}.parquet", file_id, number, attempt, x_plan.entry.instant);
  }

  Result<std::string> GroupOf(const AddFile& add, const PartitionValues& partition) {
    if (add.rewrites.empty()) return NewUuid() + "-0";
    const auto& removes = x_plan.entry.removes;
    auto it = std::find_if(removes.begin(), removes.end(), [&](const LogRemove& r) { return r.path == add.rewrites; });
    if (it == removes.end()) {
      return Refuse("a file carries on " + add.rewrites + ", which the same commit does not remove");
    }
    if (!x_rewritten.insert(add.rewrites).second) {
      return Refuse("two files carry on " + add.rewrites + "; a file group has one file a version");
    }
    if (it->partition != partition) {
      return Refuse("a file carries on " + add.rewrites + " in another partition; rows that move go into a new file");
    }
    return it->file_id;
  }

  Status PlanAdd(const AddFile& add, std::size_t number) {
    if (add.file.rows == 0) return {};
    if (add.file.rows < 0 || add.file.size_bytes <= 0 || add.file.path.empty()) {
      return Refuse("a written file without a path, a size or a number of rows: '" + add.file.path + "'");
    }
    if (!x_staged.insert(add.file.path).second) return Refuse("the commit publishes " + add.file.path + " twice");
    LiveFile file;
    TRY_ASSIGN(file.partition, NormalPartition(x_schema, x_partition_columns, add.file.partition));
    TRY_ASSIGN(file.file_id, GroupOf(add, file.partition));
    std::string folder = PartitionFolder(x_partition_columns, file.partition);
    file.path = (folder.empty() ? "" : folder + "/") + FileName(file.file_id, number);
    file.size_bytes = add.file.size_bytes;
    file.rows = add.file.rows;
    file.sha256 = add.file.sha256;
    file.instant = x_plan.entry.instant;
    file.added_version = x_plan.entry.version;
    file.stats = std::make_shared<const std::string>(
        DeltaStatsText(x_schema, x_partition_columns, add.file.rows, add.file.columns));
    x_rows_added += file.rows;
    if (!HasFilesIn(folder)) x_new_folders.insert(folder);
    x_plan.files.push_back(Placement{x_prefix + "/" + file.path, add.file.path, ""});
    x_plan.entry.adds.push_back(std::move(file));
    return {};
  }

  /// True where the newest version has a file in that folder, so that its .hoodie_partition_metadata is there.
  bool HasFilesIn(const std::string& folder) const {
    if (x_newest == nullptr) return false;
    if (folder.empty()) return !x_newest->files.empty();
    std::string below = folder + "/";
    auto it = std::lower_bound(x_newest->files.begin(), x_newest->files.end(), below,
                               [](const LiveFile& file, const std::string& wanted) { return file.path < wanted; });
    return it != x_newest->files.end() && it->path.starts_with(below);
  }

  Status CheckRowsOfCompaction() const {
    if (x_change.kind != ChangeKind::kNone || x_rows_added == x_rows_removed) return {};
    return Refuse(fmt::format("a commit that changes no rows replaces {} rows by {}", x_rows_removed, x_rows_added));
  }

  Status PlanRejects(std::size_t number) {
    LogRejects rejects;
    for (const WrittenFile& written : x_change.rejects) {
      if (written.rows == 0) continue;
      if (!x_staged.insert(written.path).second) return Refuse("the commit publishes " + written.path + " twice");
      LiveFile file;
      file.file_id = NewUuid() + "-0";
      file.path = FileName(file.file_id, number++);
      file.size_bytes = written.size_bytes;
      file.rows = written.rows;
      file.sha256 = written.sha256;
      file.instant = x_plan.entry.instant;
      x_plan.files.push_back(Placement{RejectsPrefix(x_prefix) + "/" + file.path, written.path, ""});
      rejects.files.push_back(std::move(file));
    }
    for (LiveFile file : x_change.reject_returns) {
      const std::string key = RejectsPrefix(x_prefix) + "/" + file.path;
      file.file_id = NewUuid() + "-0";
      file.path = FileName(file.file_id, number++);
      file.instant = x_plan.entry.instant;
      file.stats.reset();
      x_plan.files.push_back(Placement{RejectsPrefix(x_prefix) + "/" + file.path, "", key});
      rejects.files.push_back(std::move(file));
    }
    for (const LiveFile& file : x_change.reject_removes) {
      rejects.removes.push_back(LogRemove{file.path, {}, file.size_bytes, file.rows, file.file_id, file.instant, file.added_version});
    }
    if (rejects.files.empty() && rejects.removes.empty()) return {};
    if (x_newest != nullptr) {
      auto it = x_newest->domains.find(std::string(kRejectsDomain));
      if (it != x_newest->domains.end()) {
        TRY_ASSIGN(Json last, ParseJson(it->second, "domain caudal.rejects"));
        rejects.version = JsonInt(last, "version", -1) + 1;
        rejects.previous_source = JsonInt(last, "source", -1);
      }
    }
    x_plan.entry.domains[std::string(kRejectsDomain)] =
        DumpJson(Json{{"version", rejects.version}, {"source", x_plan.entry.version}});
    x_plan.entry.rejects = std::move(rejects);
    return {};
  }

  const Change& x_change;
  const Snapshot* x_newest;
  const std::string& x_prefix;
  CommitPlan x_plan;
  Schema x_schema;
  std::vector<std::string> x_partition_columns;
  std::set<std::string> x_staged;
  std::set<std::string> x_rewritten;
  std::set<std::string> x_new_folders;
  std::int64_t x_rows_removed = 0;
  std::int64_t x_rows_added = 0;
};

}  // namespace

Status CheckChange(const Change& change) {
  if (change.operation.empty()) return Refuse("a commit names its operation");
  if (change.base_version < -1) return Refuse(fmt::format("no table has a version {}", change.base_version));
  if (change.base_version == -1 && !change.definition) return Refuse("the first commit of a table brings its definition");
  if (change.restores && (change.definition || !change.adds.empty() || !change.domains.empty())) {
    return Refuse("a commit that restores a version brings nothing of its own");
  }
  if (change.kind == ChangeKind::kAppend && !change.removes.empty()) return Refuse("an append removes no file");
  if (change.blind && !change.removes.empty()) return Refuse("a commit that removes files has read the table");
  if (!change.note.empty()) {
    auto note = ParseJson(change.note, "the note of a commit");
    if (!note || !note->is_object()) return Refuse("the note of a commit is a JSON object, not " + change.note);
  }
  for (const auto& [domain, value] : change.domains) {
    if (domain.empty() || domain == kRejectsDomain) return Refuse("a commit cannot set the domain '" + domain + "'");
    if (!value) continue;
    auto json = ParseJson(*value, "domain " + domain);
    if (!json) return Refuse(json.error().message);
  }
  return {};
}

Result<CommitPlan> PlanCommit(const Change& change, const Snapshot* newest, const std::string& prefix,
                              const std::string& transaction, Timestamp now) {
  return Planner(change, newest, prefix).Plan(transaction, now);
}

std::string RejectsPrefix(const std::string& prefix) { return prefix + "__rejects"; }

}  // namespace caudal
