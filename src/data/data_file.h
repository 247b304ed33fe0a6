// A Parquet file that a worker wrote, as its footer describes it. A value.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json_fwd.h"
#include "base/result.h"
#include "data/rows.h"

namespace caudal {

/// Facts of one leaf column in one file. Text as DuckDB prints the value; absent = not known.
struct ColumnStats {
  std::optional<std::string> min;
  std::optional<std::string> max;
  std::optional<std::int64_t> null_count;
  bool has_nan = false;
};

struct WrittenFile {
  /// Absolute path of the staged file.
  std::string path;
  std::int64_t rows = 0;
  std::int64_t size_bytes = 0;
  /// Partition column -> value as text; absent value = NULL. Empty for a table without partitions.
  std::map<std::string, Cell> partition;
  /// Leaf path, members joined by '.': "amount", "address.zip".
  std::map<std::string, ColumnStats> columns;
  /// Of its bytes, lower-case hex; "" = not known.
  std::string sha256 = {};
};

Json WrittenFileToJson(const WrittenFile& file);
Result<WrittenFile> WrittenFileFromJson(const Json& json);

}  // namespace caudal
