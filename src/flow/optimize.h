// Keeps the files of a table few and large, and its log short for foreign readers: asked for by `caudal optimize`, and by a
// run for the tables that it wrote.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "flow/workspace.h"
#include "lake/compaction.h"

namespace caudal {

struct OptimizeRequest {
  std::vector<std::string> cluster_by;  // columns; empty = only join small files
  std::int64_t target_file_bytes = CompactionOptions{}.target_file_bytes;
  std::size_t least_files = CompactionOptions{}.least_files;
  bool dry_run = false;
  /// Of the staging folder: "<run>-<what>", or anything for a call outside of a run.
  std::string staging = "optimize";
};

struct OptimizeReport {
  std::int64_t version = -1;  // the last one that was committed; -1 = none
  std::int64_t files_before = 0, files_after = 0;  // that were joined or are to be, and what they became
  std::int64_t bytes_before = 0, bytes_after = 0;
  /// Small files that stay until the models that read them row by row have done so.
  std::int64_t files_waiting = 0;
};

/// Joins or sorts files without changing a row. Appends of others go on; where others rewrite the same files, theirs stands and
/// the rest is planned again. Errors: kNotFound without the table, kInvalidArgument for a column that is none, kCancelled.
Result<OptimizeReport> OptimizeTable(const Workspace& workspace, const Node& node, const OptimizeRequest& request,
                                     const CancelFlag* cancel);

/// What a run does for a table that it wrote: joins files where there are many small ones, and leaves foreign readers of Delta
/// a checkpoint now and then. In words what was done, "" = nothing. `staging` begins with the run's id.
Result<std::string> KeepInOrder(const Workspace& workspace, const Node& node, const std::string& staging, const CancelFlag* cancel);

}  // namespace caudal
