// One load of one bronze table: source -> raw -> typed candidate -> audit -> commit; or the same with rows that were rejected
// before, from their raw objects. Inside flow only: the parts are in stream_task.cc, load_build.cc and reject_replay.cc.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flow/drift.h"
#include "flow/extraction.h"
#include "flow/task.h"

namespace caudal {

/// Rejected rows that are to be loaded again.
struct RejectReplay {
  std::shared_ptr<const Snapshot> rejects;    // as they are at the table's base
  std::vector<const LiveFile*> touched;       // of these, the files that hold one of them
  std::vector<std::string> chosen_files;      // staged Parquet of ChosenSchema: each row's origin, once
  std::int64_t chosen = 0;
  std::int64_t overtaken = 0;                 // whose raw object a later load replaced
  std::vector<std::string> arrival;           // raw keys that the table is made of, oldest first
};

/// One try from one base snapshot. A conflict at its end means: begin again with a new one.
class Load {
 public:
  Load(const Workspace& workspace, const Node& node, const TaskContext& context, TaskOutcome& outcome);
  Status Run();

 private:
  // stream_task.cc
  std::string Cursor() const;
  Status Fetch();
  Status FetchFromRaw();
  bool Empties() const;
  Status NothingNew(const std::string& note);
  Status DecideSchema();
  Result<Schema> ColumnsOfBatches();
  Result<ComputeResult> Compute(ComputeJob job);
  std::vector<CheckSpec> Checks() const;
  bool Merges() const { return x_stream.write_disposition == WriteDisposition::kMerge; }
  bool Replaces() const;
  bool WidensBySource() const;
  Schema Pinned() const;
  Result<Step> Write(const std::string& name, const std::string& sql, const Schema& columns,
                     const std::vector<std::string>& partition_by) const;
  Status TakeDrift(const ComputeResult& result);
  Status AuditAndCommit(const ComputeResult& result, const AuditScope& scope, Change change);
  Status Commit(Change change);
  std::string NoteOf() const;

  // compare_keys.cc
  std::vector<std::string> KeysToCompare() const;
  Status RefuseToLoseAll() const;
  Status AddGoneKeys(ComputeJob& find) const;
  static void AddKeysAsDeleted(ComputeJob& rewrite, const Schema& keys, std::vector<std::string> files);
  Schema KeySchema() const;
  bool ComparesKeys() const { return !x_extracted.read.keys_file.empty(); }

  // load_build.cc
  Status AddTyped(ComputeJob& job);
  Status AddSplit(ComputeJob& job);
  void AddRefusedColumns(std::string& condition, std::string& reason, std::string& column) const;
  void AddDriftQueries(ComputeJob& job) const;
  std::string NewestOfEachKey(ComputeJob& job) const;
  Status Build();
  Status BuildWhole();
  Result<std::optional<WrittenFile>> ReadyFile() const;
  Status AddRepairs(ComputeJob& job, Change& change, std::vector<std::string>& steps);
  static void AddCount(ComputeJob& job, const std::string& name, const std::string& from);
  void AddParquetCount(ComputeJob& job) const;
  Status BuildMerge();
  Result<bool> CameAgain(const ComputeResult& found, const std::vector<const LiveFile*>& touched);
  Status CommitNoChange(const ComputeResult& found);
  Status AddChecks(ComputeJob& job, AuditScope& scope, const std::vector<std::string>& removes,
                   const std::vector<std::string>& more_views, std::vector<std::string> views, const std::string& changed);
  bool ChecksChanged() const;
  Status CountRows(const ComputeResult& result);

  // reject_replay.cc
  Status FetchRejects();
  Status AddChosen(ComputeJob& job) const;
  std::string NewerThanPublished(ComputeJob& job, const std::string& newest, const std::string& cursor) const;
  Status CountReplayed(const ComputeResult& result);

  const Workspace& x_workspace;
  const Node& x_node;
  const TaskContext& x_context;
  const SourceConfig& x_source;
  const StreamConfig& x_stream;
  Table x_table;
  TaskOutcome& x_outcome;
  std::shared_ptr<const Snapshot> x_base;
  Staging* x_staging = nullptr;
  Extracted x_extracted;
  Schema x_schema;
  Schema x_refused;  // columns of the source that the contract keeps out of it
  std::vector<Drift> x_drift;
  RowCounts x_counts;
  std::vector<WrittenFile> x_rejects;
  std::optional<RejectReplay> x_replay;
  std::int64_t x_gone = 0;  // published rows whose keys the source has no more
  bool x_rebuild = false;
  bool x_blind = true;
};

/// The rows of RejectReplay::chosen_files: _source_file, _source_row.
Schema ChosenSchema();

}  // namespace caudal
