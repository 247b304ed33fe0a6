#include "connect/excel_sheet.h"

#include <fmt/format.h>

#include <charconv>

namespace caudal {
namespace {

constexpr std::size_t kMostTextBytes = std::size_t{1} << 20;  // of one cell
constexpr std::size_t kMostRowBytes = std::size_t{64} << 20;

template <typename T>
bool Number(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

Error SheetReader::Damaged(const std::string& why) const {
  const std::string cell = x_column > 0 ? ColumnLetters(x_column) + std::to_string(x_row) : fmt::format("row {}", x_row);
  return Error{ErrorKind::kCorruption, fmt::format("{} is damaged: {} {}", x_what, cell, why), "ask for the file again", ""};
}

Status SheetReader::OnStart(std::string_view name, const XmlAttributes& attributes) {
  if (name == "sheetData") x_in_data = true;
  if (!x_in_data) return {};
  if (name == "c") return StartCell(attributes);
  if (name == "row") return StartRow(attributes);
  if (name == "v") {
    x_into = &x_value;
  } else if (name == "f") {
    x_into = &x_formula;
    x_has_formula = true;
  } else if (name == "is") {
    x_in_inline = true;
  } else if (name == "rPh") {
    x_in_phonetic = true;
  } else if (name == "t" && x_in_inline && !x_in_phonetic) {
    x_into = &x_value;
  }
  return {};
}

Status SheetReader::OnText(std::string_view text) {
  if (x_into == nullptr) return {};
  x_into->append(text);
  if (x_into->size() <= kMostTextBytes) return {};
  return Error{ErrorKind::kPermission, x_what + " has a text of more than 1 MiB: no Excel wrote it", "ask for the file again", ""};
}

Status SheetReader::OnEnd(std::string_view name) {
  if (!x_in_data) return {};
  if (name == "c") return EndCell();
  if (name == "v" || name == "f" || name == "t") {
    x_into = nullptr;
  } else if (name == "is") {
    x_in_inline = false;
  } else if (name == "rPh") {
    x_in_phonetic = false;
  } else if (name == "sheetData") {
    x_in_data = false;
  } else if (name == "row" && x_count > 0) {
    return x_take(x_row, std::span<const SheetCell>(x_cells.data(), x_count));
  }
  return {};
}

Status SheetReader::StartRow(const XmlAttributes& attributes) {
  const std::int64_t before = x_row++;
  x_column = 0;
  x_count = 0;
  x_row_bytes = 0;
  const std::string_view number = attributes.Of("r");
  if (!number.empty() && (!Number(number, x_row) || x_row <= before || x_row > kMostSheetRows)) {
    x_row = before;
    return Damaged(fmt::format("is followed by row '{}'", number.substr(0, 20)));
  }
  return {};
}

Status SheetReader::StartCell(const XmlAttributes& attributes) {
  const std::size_t before = x_column++;
  if (const std::string_view name = attributes.Of("r"); !name.empty()) {
    const std::optional<CellPlace> place = CellOfName(name);
    if (!place || place->row != x_row || place->column <= before) {
      x_column = before;
      return Damaged(fmt::format("is followed by cell '{}'", name.substr(0, 20)));
    }
    x_column = place->column;
  }
  if (x_column > kMostSheetColumns) return Damaged("is in no column of Excel");
  const std::string_view type = attributes.Of("t");
  x_type = type.empty() || type == "n" ? 'n' : type == "str" ? 't' : type == "inlineStr" ? 'i' : type[0];
  x_form = NumberForm::kNumber;
  if (const std::string_view style = attributes.Of("s"); !style.empty() && x_type == 'n') {
    std::size_t number = 0;
    if (Number(style, number) && number < x_parts.styles.size()) x_form = x_parts.styles[number];
  }
  x_value.clear();
  x_formula.clear();
  x_has_formula = false;
  x_in_inline = x_in_phonetic = false;
  x_into = nullptr;
  return {};
}

Status SheetReader::EndCell() {
  x_into = nullptr;
  const bool inside = x_row >= x_range.first_row && x_row <= x_range.last_row && (!x_range.first_column || x_column >= *x_range.first_column) &&
                      (!x_range.last_column || x_column <= *x_range.last_column);
  // A formula whose result is the empty text says so by its type.
  const bool not_calculated = x_has_formula && x_value.empty() && x_type != 't';
  if (!inside || (x_value.empty() && !not_calculated)) return {};
  if (x_count == x_cells.size()) x_cells.emplace_back();
  SheetCell& cell = x_cells[x_count];
  cell.column = x_column;
  cell.no_value = not_calculated || x_type == 'e';
  if (not_calculated) {
    cell.text = "=" + x_formula;
  } else {
    TRY(TextOfCell(cell));
  }
  if (cell.text.empty()) return {};
  ++x_count;
  x_row_bytes += cell.text.size();
  if (x_row_bytes <= kMostRowBytes) return {};
  return Error{ErrorKind::kPermission, fmt::format("{} has a row of more than 64 MiB: row {}", x_what, x_row), "ask for the file again", ""};
}

Status SheetReader::TextOfCell(SheetCell& cell) {
  switch (x_type) {
    case 's': {
      std::int64_t index = -1;
      if (!Number(x_value, index) || index < 0 || index >= x_parts.strings.size()) {
        return Damaged(fmt::format("refers to the text '{}' of {}", x_value.substr(0, 20), x_parts.strings.size()));
      }
      TRY_ASSIGN(const std::string_view text, x_parts.strings.At(index));
      cell.text = text;
      return {};
    }
    case 'b':
      cell.text = x_value == "1" || x_value == "true" ? "true" : x_value == "0" || x_value == "false" ? "false" : x_value;
      return {};
    case 'i':
    case 't':
      cell.text = WithoutEscapes(x_value);
      return {};
    case 'e':
    case 'd':
      cell.text = x_value;
      return {};
    case 'n':
      cell.text = NumberText(x_value, x_form, x_parts.since_1904);
      return {};
    default:
      return Damaged("has a type that no Excel writes");
  }
}

}  // namespace caudal
