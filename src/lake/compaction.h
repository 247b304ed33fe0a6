// Joins the small files of a table, or sorts it anew, without changing a row: which files, as a compute job, and its commit.
// No I/O here. A concurrent append is not disturbed; a commit that rewrites one of the files wins over the compaction.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "engine/job.h"
#include "lake/snapshot.h"
#include "lake/table.h"

namespace caudal {

struct CompactionOptions {
  std::int64_t target_file_bytes = std::int64_t{128} << 20;
  /// Columns by which the rows of a partition are sorted, all its files at once; empty: only small files are joined.
  std::vector<std::string> cluster_by;
  /// Files of later versions are left alone: somebody has not read them yet.
  std::int64_t newest_version = std::numeric_limits<std::int64_t>::max();
  /// A partition with fewer small files than this is left alone.
  std::size_t least_files = 2;
};

/// Files of one partition that become one file, or where they are more than the target, a few.
struct FileGroup {
  std::map<std::string, Cell> partition;
  std::vector<const LiveFile*> files;  // of the snapshot
  std::int64_t size_bytes = 0;
};

/// Ordered by partition. Empty where there is nothing to gain. Pure.
std::vector<FileGroup> PlanCompaction(const Snapshot& snapshot, const CompactionOptions& options);

/// Adds to `job` a write step for each group below `folder`; `root` as for InputOf.
void AddCompaction(ComputeJob& job, const Snapshot& snapshot, const std::vector<FileGroup>& groups, const CompactionOptions& options,
                   const std::string& root, const std::string& folder);

/// The commit of that job's result.
Change ChangeOfCompaction(const Snapshot& snapshot, const std::vector<FileGroup>& groups, const ComputeResult& result);

}  // namespace caudal
