// Changes that replace whole partitions, or everything, by files that a worker wrote. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "lake/table.h"

namespace caudal {

/// Every row of the table is replaced by those of `files`. A definition may be added to the result: since no old file
/// lives on, any schema may follow.
Change OverwriteTable(const Snapshot& snapshot, const std::vector<WrittenFile>& files);

/// The rows of `partitions` are replaced by those of `files`, which lie in these partitions only; a partition without
/// files loses its rows. Errors: kInvalidArgument for files elsewhere or partitions of other columns.
Result<Change> OverwritePartitions(const Snapshot& snapshot,
                                   const std::vector<std::map<std::string, Cell>>& partitions,
                                   const std::vector<WrittenFile>& files);

}  // namespace caudal
