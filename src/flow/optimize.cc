#include "flow/optimize.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <utility>

#include "base/ids.h"
#include "flow/candidate.h"
#include "flow/decide.h"
#include "lake/checkpoint.h"

namespace caudal {
namespace {

constexpr std::size_t kGroupsAtOnce = 64;
constexpr int kRaces = 5;
constexpr std::size_t kFilesWorthJoining = 32;
constexpr std::int64_t kVersionsPerCheckpoint = 100;

/// Models below that take only new rows, each once they were built: up to which version of `table` they have read.
Result<std::optional<std::int64_t>> OldestRead(const Workspace& workspace, const Node& node, const std::string& table) {
  std::optional<std::int64_t> oldest;
  auto take = [&](std::optional<std::int64_t> version) {
    if (version) oldest = std::min(oldest.value_or(*version), *version);
  };
  for (const std::string& below : node.downstream) {
    const Node* reader = workspace.project.Find(below);
    if (reader == nullptr || reader->kind != Node::Kind::kModel) continue;
    const Materialize materialize = workspace.project.model(*reader).materialize;
    if (materialize == Materialize::kView) {
      TRY_ASSIGN(auto behind, OldestRead(workspace, *reader, table));
      take(behind);
    }
    if (materialize != Materialize::kAppend && materialize != Materialize::kMerge) continue;
    TRY_ASSIGN(auto built, LatestOrNone(workspace.TableOf(below)));
    if (!built || !built->domains.contains("model")) continue;
    TRY_ASSIGN(const BuildRecord record, BuildRecordFromJson(built->domains.at("model")));
    if (auto input = record.inputs.find(table); input != record.inputs.end()) take(input->second.version);
  }
  return oldest;
}

class Optimizer {
 public:
  Optimizer(const Workspace& workspace, const Node& node, const OptimizeRequest& request, const CancelFlag* cancel)
      : x_workspace(workspace), x_node(node), x_request(request), x_cancel(cancel), x_table(workspace.TableOf(node.table)) {
    x_options.cluster_by = request.cluster_by;
    x_options.target_file_bytes = request.target_file_bytes;
    x_options.least_files = request.least_files;
  }

  Result<OptimizeReport> Run() {
    TRY_ASSIGN(auto oldest, OldestRead(x_workspace, x_node, x_node.table));
    if (oldest) x_options.newest_version = *oldest;
    TRY_ASSIGN(auto newest, Newest());
    TRY(CheckColumns(*newest));
    CountWaiting(*newest);
    const std::int64_t last = newest->version;  // what others add meanwhile is for the next time
    x_options.newest_version = std::min(x_options.newest_version, last);
    for (int races = 0;;) {
      std::vector<FileGroup> groups = PlanCompaction(*newest, x_options);
      if (groups.empty()) return x_report;
      if (x_request.dry_run) return Foreseen(groups);
      if (groups.size() > kGroupsAtOnce) groups.resize(kGroupsAtOnce);
      Status joined = Join(*newest, groups);
      if (!joined && (joined.error().kind != ErrorKind::kConflict || ++races == kRaces)) return std::move(joined).error();
      TRY_ASSIGN(newest, Newest());
    }
  }

 private:
  Result<std::shared_ptr<const Snapshot>> Newest() const {
    if (x_cancel != nullptr && x_cancel->load()) return Error{ErrorKind::kCancelled, "stopped before all files were joined", "run it again", ""};
    TRY_ASSIGN(auto newest, LatestOrNone(x_table));
    if (newest) return newest;
    return Error{ErrorKind::kNotFound, x_node.table + " is not published yet", "`caudal run -s +" + x_node.table + "`", ""};
  }

  Status CheckColumns(const Snapshot& snapshot) const {
    for (const std::string& column : x_request.cluster_by) {
      const Field* field = snapshot.schema.Find(column);
      if (field != nullptr && !field->type.nested()) continue;
      return Error{ErrorKind::kInvalidArgument,
                   snapshot.name + (field == nullptr ? " has no column '" : " cannot be sorted by '") + column + "'",
                   "`caudal show " + snapshot.name + "` lists its columns", ""};
    }
    return {};
  }

  void CountWaiting(const Snapshot& snapshot) {
    CompactionOptions all = x_options;
    all.newest_version = snapshot.version;
    for (const FileGroup& group : PlanCompaction(snapshot, all)) {
      x_report.files_waiting += std::count_if(group.files.begin(), group.files.end(), [&](const LiveFile* file) {
        return file->added_version > x_options.newest_version;
      });
    }
  }

  void Count(const std::vector<FileGroup>& groups) {
    for (const FileGroup& group : groups) {
      x_report.files_before += static_cast<std::int64_t>(group.files.size());
      x_report.bytes_before += group.size_bytes;
    }
  }

  OptimizeReport Foreseen(const std::vector<FileGroup>& groups) {
    Count(groups);
    for (const FileGroup& group : groups) {
      x_report.files_after += (group.size_bytes + x_options.target_file_bytes - 1) / x_options.target_file_bytes;
    }
    x_report.bytes_after = x_report.bytes_before;
    return x_report;
  }

  Status Join(const Snapshot& snapshot, const std::vector<FileGroup>& groups) {
    TRY_ASSIGN(const Staging staging, Staging::Make(x_workspace, x_request.staging + "-" + NewToken()));
    ComputeJob job;
    job.output_folder = staging.path();
    AddCompaction(job, snapshot, groups, x_options, x_workspace.RootOf(x_node.table), staging.path());
    RunOptions options;
    options.limits = x_workspace.Limits();
    options.cancel = x_cancel;
    TRY_ASSIGN(const ComputeResult result, RunCompute(x_workspace.engine, std::move(job), options, nullptr));
    const Change change = ChangeOfCompaction(snapshot, groups, result);
    TRY_ASSIGN(const CommitOutcome committed, x_table.Commit(change));
    x_report.version = committed.version;
    Count(groups);
    for (const AddFile& add : change.adds) {
      x_report.bytes_after += add.file.size_bytes;
      ++x_report.files_after;
    }
    x_options.newest_version = std::min(x_options.newest_version, committed.version - 1);  // what was written now is done
    return {};
  }

  const Workspace& x_workspace;
  const Node& x_node;
  const OptimizeRequest& x_request;
  const CancelFlag* x_cancel;
  Table x_table;
  CompactionOptions x_options;
  OptimizeReport x_report;
};

/// A worker makes Parquet of the actions; once it is in the log's folder, readers begin there.
Status WriteCheckpoint(const Workspace& workspace, Table& table, const Snapshot& snapshot, const std::string& staging_name,
                       const CancelFlag* cancel) {
  TRY_ASSIGN(const Staging staging, Staging::Make(workspace, staging_name));
  const std::string actions = staging.path() + "/actions.ndjson", parquet = staging.path() + "/checkpoint.parquet";
  const std::string text = CheckpointText(snapshot);
  std::ofstream(actions, std::ios::binary) << text;
  ComputeJob job;
  job.output_folder = staging.path();
  job.steps.push_back(Step::Run("checkpoint", CheckpointSql(actions, parquet)));
  RunOptions options;
  options.limits = workspace.Limits();
  options.cancel = cancel;
  TRY(RunCompute(workspace.engine, std::move(job), options, nullptr));
  return table.PutCheckpoint(snapshot.version, parquet, std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

Result<std::string> KeepInOrder(const Workspace& workspace, const Node& node, const std::string& staging, const CancelFlag* cancel) {
  Table table = workspace.TableOf(node.table);
  TRY_ASSIGN(auto newest, LatestOrNone(table));
  if (!newest) return std::string();
  OptimizeRequest request;
  request.least_files = kFilesWorthJoining;
  request.staging = staging;
  TRY_ASSIGN(const OptimizeReport report, OptimizeTable(workspace, node, request, cancel));
  std::string done;
  if (report.files_before > 0) done = fmt::format("{} small files became {}", report.files_before, report.files_after);
  TRY_ASSIGN(newest, LatestOrNone(table));
  TRY_ASSIGN(const std::int64_t last, table.LastCheckpoint());
  if (newest->version - last < kVersionsPerCheckpoint) return done;
  TRY(WriteCheckpoint(workspace, table, *newest, staging + "-" + NewToken(), cancel));
  return done + fmt::format("{}checkpoint of version {}", done.empty() ? "" : "; ", newest->version);
}

Result<OptimizeReport> OptimizeTable(const Workspace& workspace, const Node& node, const OptimizeRequest& request,
                                     const CancelFlag* cancel) {
  return Optimizer(workspace, node, request, cancel).Run();
}

}  // namespace caudal
