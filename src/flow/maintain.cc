#include "flow/maintain.h"

#include <charconv>
#include <memory>
#include <utility>

namespace caudal {
namespace {

Result<std::int64_t> VersionOf(const Table& table, const std::string& target) {
  std::int64_t version = 0;
  auto [end, error] = std::from_chars(target.data(), target.data() + target.size(), version);
  if (error == std::errc() && end == target.data() + target.size() && version >= 0) return version;
  auto time = ParseTimestamp(target);
  if (!time) {
    return Error{ErrorKind::kInvalidArgument, "'" + target + "' is no version and no time",
                 "give a version of `caudal history`, or a time such as 2026-01-31T10:00:00Z", ""};
  }
  return table.VersionAt(*time);
}

}  // namespace

Result<RollbackReport> RollbackTable(const Workspace& workspace, const Node& node, const std::string& target, bool dry_run) {
  Table table = workspace.TableOf(node.table);
  TRY_ASSIGN(auto newest, LatestOrNone(table));
  if (!newest) {
    return Error{ErrorKind::kNotFound, node.table + " is not published yet", "`caudal run -s +" + node.table + "`", ""};
  }
  TRY_ASSIGN(std::int64_t version, VersionOf(table, target));
  if (version == newest->version) {
    return Error{ErrorKind::kInvalidArgument, node.table + " is at version " + std::to_string(version) + " already",
                 "`caudal history " + node.table + "` lists the others", ""};
  }
  auto at = table.At(version);
  if (!at) {
    if (at.error().next.empty()) at.error().next = "`caudal history " + node.table + "` lists them";
    return std::move(at).error();
  }
  const std::shared_ptr<const Snapshot> then = *std::move(at);
  const Change change = RollbackTo(*newest, then);
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
