// Columns that folders name, as Hive, Spark and DuckDB write them: `country=France/day=2010-12-01/`. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "connect/chunk.h"

namespace caudal {

/// The folders of `path` that are `name=value`, in order; percent-encoding is undone, __HIVE_DEFAULT_PARTITION__ is NULL.
std::vector<PartitionValue> PartitionValuesOf(std::string_view path);

/// The SELECT list (DuckDB's SQL) of a file's columns but for those that stand in `values`.
std::string ColumnsBeside(const std::vector<PartitionValue>& values);

}  // namespace caudal
