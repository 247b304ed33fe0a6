// Partition values and the folders they live in: docs/formats/table.md, "Partitions". Pure functions.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "data/rows.h"
#include "data/schema.h"

namespace caudal {

/// Column -> value; an absent value is NULL.
using PartitionValues = std::map<std::string, Cell>;

/// `values` as a table's log and snapshot hold them: the table's spelling of the column names, '' as NULL, times as
/// "2026-01-01T02:03:04.567891Z". Errors: kInvalidArgument where the columns are not exactly `partition_columns`.
Result<PartitionValues> NormalPartition(const Schema& schema, const std::vector<std::string>& partition_columns,
                                        const PartitionValues& values);

/// "region=a b/day=2026-01-31", or "" for a table without partitions. `values` are normal.
std::string PartitionFolder(const std::vector<std::string>& partition_columns, const PartitionValues& values);

/// A path below the table's root as the URI that Delta keeps; PercentDecoded (base/percent.h) is the way back.
std::string EncodeUriPath(std::string_view path);

}  // namespace caudal
