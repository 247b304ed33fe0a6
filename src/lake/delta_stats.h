// Statistics of a data file as the JSON text of Delta's add.stats, both ways. Bounds only ever widen on the way, so a
// filter that trusts them never loses a row. Pure. Format: docs/formats/table.md, "Statistics".
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "data/data_file.h"
#include "data/schema.h"

namespace caudal {

std::string DeltaStatsText(const Schema& schema, const std::vector<std::string>& partition_columns, std::int64_t rows,
                           const std::map<std::string, ColumnStats>& columns);

struct DeltaStats {
  std::int64_t rows = 0;
  std::map<std::string, ColumnStats> columns;
};

/// Reads many files' statistics under one schema.
class DeltaStatsReader {
 public:
  explicit DeltaStatsReader(const Schema& schema);
  /// Errors: kCorruption. Columns that the schema does not have are left out.
  Result<DeltaStats> Read(std::string_view text) const;

 private:
  std::map<std::string, TypeKind, std::less<>> x_leaves;
};

/// The longest text that a bound keeps, in code points.
inline constexpr std::size_t kBoundCodePoints = 32;
/// A bound at or below `text`, and one at or above it; the latter is absent where there is none that short.
std::string LowerTextBound(std::string_view text);
std::optional<std::string> UpperTextBound(std::string_view text);

}  // namespace caudal
