// Cells by their names, as a spreadsheet has them: "B7", "A5:F100". Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace caudal {

constexpr std::int64_t kMostSheetRows = 1'048'576;
constexpr std::size_t kMostSheetColumns = 16'384;

/// A cell's place; both count from 1.
struct CellPlace {
  std::int64_t row = 0;
  std::size_t column = 0;
};

/// "B7"; nothing for what is no cell.
std::optional<CellPlace> CellOfName(std::string_view name);
/// 1 is "A", 27 is "AA".
std::string ColumnLetters(std::size_t column);

/// Part of a sheet; what is not said goes as far as there are cells.
struct CellRange {
  std::int64_t first_row = 1;
  std::int64_t last_row = kMostSheetRows;
  std::optional<std::size_t> first_column;
  std::optional<std::size_t> last_column;
};

/// "" (everything), "A5", "A5:F", "A5:F100", "B:D", "5:100"; $ is left out. Errors: kInvalidArgument.
Result<CellRange> ParseCellRange(std::string_view text);

}  // namespace caudal
