#include "flow/maintain.h"

#include <charconv>
#include <memory>
#include <utility>

namespace caudal {
namespace {

constexpr int kRecentRuns = 1000;

Result<std::int64_t> VersionOf(const Table& table, const Snapshot& newest, const std::string& target) {
  std::int64_t version = 0;
  auto [end, error] = std::from_chars(target.data(), target.data() + target.size(), version);
  if (error == std::errc() && end == target.data() + target.size() && version >= 0) return version;
  TRY_ASSIGN(const auto savepoints, SavepointsOf(newest));
  for (const Savepoint& savepoint : savepoints) {
    if (savepoint.name == target) return savepoint.version;
  }
  auto time = ParseTimestamp(target);
  if (!time) {
    return Error{ErrorKind::kInvalidArgument, "'" + target + "' is no version, no savepoint and no time",
                 "give a version of `caudal history`, a name of `caudal savepoint " + newest.name + "`, or a time such as 2026-01-31T10:00:00Z", ""};
  }
  return table.VersionAt(*time);
}

Result<std::shared_ptr<const Snapshot>> Published(const Table& table, const Node& node) {
  TRY_ASSIGN(auto newest, LatestOrNone(table));
  if (newest) return newest;
  return Error{ErrorKind::kNotFound, node.table + " is not published yet", "`caudal run -s +" + node.table + "`", ""};
}

/// The version that was the newest at `time`; the first one where there was none.
Result<std::int64_t> NewestAt(const Table& table, Timestamp time) {
  auto version = table.VersionAt(time);
  if (!version && version.error().kind == ErrorKind::kInvalidArgument) return 0;
  return version;
}

}  // namespace

Result<std::shared_ptr<const Snapshot>> SnapshotAt(const Workspace& workspace, const Node& node, const std::string& target) {
  Table table = workspace.TableOf(node.table);
  TRY_ASSIGN(auto newest, Published(table, node));
  if (target.empty()) return newest;
  TRY_ASSIGN(const std::int64_t version, VersionOf(table, *newest, target));
  auto snapshot = table.At(version);
  if (!snapshot && snapshot.error().next.empty()) snapshot.error().next = "`caudal history " + node.table + "` lists them";
  return snapshot;
}

Result<RollbackReport> RollbackTable(const Workspace& workspace, const Node& node, const std::string& target, bool dry_run) {
  Table table = workspace.TableOf(node.table);
  TRY_ASSIGN(auto newest, Published(table, node));
  TRY_ASSIGN(std::int64_t version, VersionOf(table, *newest, target));
  if (version == newest->version) {
    return Error{ErrorKind::kInvalidArgument, node.table + " is at version " + std::to_string(version) + " already",
                 "`caudal history " + node.table + "` lists the others", ""};
  }
  TRY_ASSIGN(const std::shared_ptr<const Snapshot> then, SnapshotAt(workspace, node, std::to_string(version)));
  Change change = RollbackTo(*newest, then);
  TRY_ASSIGN(const auto rejects, table.RejectsAt(*newest));
  TRY_ASSIGN(const auto rejects_then, table.RejectsAt(*then));
  if (rejects) RollbackRejects(*rejects, rejects_then.get(), change);
  RollbackReport report;
  report.from = newest->version;
  report.to = version;
  report.files_gone = static_cast<std::int64_t>(change.removes.size());
  report.files_back = static_cast<std::int64_t>(then->files.size() + change.removes.size() - newest->files.size());
  report.rows_before = newest->rows();
  report.rows_after = then->rows();
  report.source_again = newest->domains.count("cursor") != 0 && newest->domains != then->domains;
  if (dry_run) return report;
  auto committed = table.Commit(change);
  if (!committed && committed.error().kind == ErrorKind::kNotFound) {
    return Error{ErrorKind::kNotFound, "files of version " + std::to_string(version) + " are gone: " + committed.error().message,
                 "nothing was changed; choose a newer version", ""};
  }
  if (!committed) return std::move(committed).error();
  report.version = committed->version;
  return report;
}

Result<std::int64_t> SaveTable(const Workspace& workspace, const Node& node, const Savepoint& savepoint, const std::string& target) {
  Table table = workspace.TableOf(node.table);
  TRY_ASSIGN(auto newest, Published(table, node));
  Savepoint saved = savepoint;
  TRY_ASSIGN(saved.version, target.empty() ? Result<std::int64_t>(newest->version) : VersionOf(table, *newest, target));
  TRY_ASSIGN(const Change change, AddSavepoint(*newest, saved));
  TRY(table.Commit(change));
  return saved.version;
}

Status ForgetSavepoint(const Workspace& workspace, const Node& node, const std::string& name) {
  Table table = workspace.TableOf(node.table);
  TRY_ASSIGN(auto newest, Published(table, node));
  TRY_ASSIGN(const Change change, DropSavepoint(*newest, name));
  TRY(table.Commit(change));
  return {};
}

Result<std::vector<Savepoint>> SavepointsOfTable(const Workspace& workspace, const Node& node) {
  TRY_ASSIGN(auto newest, Published(workspace.TableOf(node.table), node));
  return SavepointsOf(*newest);
}

Result<std::optional<TablePurge>> PurgeTable(const Workspace& workspace, const Node& node, const Retention& retention, bool dry_run) {
  if (!retention.any()) {
    return Error{ErrorKind::kInvalidArgument, "nothing says which versions are to be kept",
                 "`caudal purge --older-than 30d`, or --keep-versions 10", ""};
  }
  Table table = workspace.TableOf(node.table);
  TRY_ASSIGN(auto newest, LatestOrNone(table));
  if (!newest) return std::optional<TablePurge>();
  const Timestamp now = workspace.clock.Now();
  Timestamp readers = now - retention.reader_grace;
  TRY_ASSIGN(const auto runs, workspace.state.Runs(kRecentRuns));
  for (const RunRecord& run : runs) {
    if (run.status == RunStatus::kRunning) readers = std::min(readers, run.started);
  }
  TRY_ASSIGN(std::int64_t horizon, NewestAt(table, readers));
  if (retention.versions) horizon = std::min(horizon, newest->version + 1 - *retention.versions);
  if (retention.older_than) {
    TRY_ASSIGN(const std::int64_t then, NewestAt(table, now - *retention.older_than));
    horizon = std::min(horizon, then);
  }
  horizon = std::max(horizon, HorizonOf(*newest));
  TablePurge purge{node.table, horizon, {}};
  TRY_ASSIGN(purge.report, table.Purge(horizon, true));
  if (purge.report.files == 0) purge.horizon = HorizonOf(*newest);  // versions that cost nothing stay
  if (purge.report.files > 0 && !dry_run) {
    TRY_ASSIGN(purge.report, table.Purge(horizon, false));
  }
  return std::optional(std::move(purge));
}

Result<std::vector<std::string>> PurgeOrphans(const Workspace& workspace, const Node& node, std::chrono::milliseconds older_than, bool dry_run) {
  Table table = workspace.TableOf(node.table);
  TRY_ASSIGN(auto newest, LatestOrNone(table));
  if (!newest) return std::vector<std::string>();
  return table.PurgeOrphans(workspace.clock.Now() - older_than, dry_run);
}

Result<std::vector<std::string>> RepairFormats(const Workspace& workspace, const CancelFlag* cancel) {
  std::vector<std::string> repaired;
  for (const Node& node : workspace.project.nodes) {
    if (cancel != nullptr && cancel->load()) return Error{ErrorKind::kCancelled, "the repair was stopped", "run it again", ""};
    Table table = workspace.TableOf(node.table);
    TRY_ASSIGN(auto newest, LatestOrNone(table));
    if (!newest) continue;
    auto done = table.RepairFormats();
    if (!done) {
      done.error().message = node.table + ": " + done.error().message;
      return std::move(done).error();
    }
    if (*done) repaired.push_back(node.table);
  }
  return repaired;
}

}  // namespace caudal
