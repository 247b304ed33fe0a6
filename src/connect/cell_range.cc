#include "connect/cell_range.h"

#include <algorithm>

namespace caudal {
namespace {

/// Letters, then digits; either may be missing, then it is 0. Nothing where there is something else, or too much of it.
std::optional<CellPlace> Split(std::string_view name) {
  CellPlace place;
  std::size_t at = 0;
  for (; at < name.size() && ((name[at] | 0x20) >= 'a' && (name[at] | 0x20) <= 'z'); ++at) {
    place.column = place.column * 26 + static_cast<std::size_t>((name[at] | 0x20) - 'a' + 1);
    if (place.column > kMostSheetColumns) return std::nullopt;
  }
  const std::size_t digits = at;
  for (; at < name.size() && name[at] >= '0' && name[at] <= '9'; ++at) {
    place.row = place.row * 10 + (name[at] - '0');
    if (place.row > kMostSheetRows) return std::nullopt;
  }
  if (at != name.size() || (at > digits && place.row == 0)) return std::nullopt;
  return place;
}

}  // namespace

std::optional<CellPlace> CellOfName(std::string_view name) {
  const std::optional<CellPlace> place = Split(name);
  return place && place->row > 0 && place->column > 0 ? place : std::nullopt;
}

std::string ColumnLetters(std::size_t column) {
  std::string letters;
  for (; column > 0; column = (column - 1) / 26) letters.insert(letters.begin(), static_cast<char>('A' + (column - 1) % 26));
  return letters;
}

Result<CellRange> ParseCellRange(std::string_view text) {
  CellRange range;
  std::string name(text);
  std::erase_if(name, [](char c) { return c == '$' || c == ' '; });
  if (name.empty()) return range;
  const std::size_t colon = name.find(':');
  const std::string_view parts = name;
  const std::optional<CellPlace> first = Split(parts.substr(0, colon));
  const std::optional<CellPlace> last = colon == std::string::npos ? CellPlace{} : Split(parts.substr(colon + 1));
  const auto none = [](const std::optional<CellPlace>& place) { return !place || (place->row == 0 && place->column == 0); };
  const bool one_is_bad = none(first) || (colon != std::string::npos && none(last));
  if (!one_is_bad) {
    if (first->row > 0) range.first_row = first->row;
    if (last->row > 0) range.last_row = last->row;
    if (first->column > 0) range.first_column = first->column;
    if (last->column > 0) range.last_column = last->column;
  }
  const bool backwards = range.first_row > range.last_row || (range.first_column && range.last_column && *range.first_column > *range.last_column);
  if (!one_is_bad && !backwards) return range;
  return Error{ErrorKind::kInvalidArgument, "`range` names cells, such as A5, A5:F, A5:F100 or B:D, not: " + std::string(text), "correct `range:` of the stream", ""};
}

}  // namespace caudal
