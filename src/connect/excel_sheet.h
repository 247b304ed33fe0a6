// The rows of a sheet out of its XML. Used by one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "connect/cell_range.h"
#include "connect/excel_book.h"

namespace caudal {

/// A cell that is not empty.
struct SheetCell {
  std::size_t column = 0;  // from 1
  std::string text;
  /// An error such as #N/A, or a formula that was never calculated, which is its text: no value of any type but text.
  bool no_value = false;
};

class SheetReader final : public XmlHandler {
 public:
  /// Rows come in their order, cells of one in theirs; those without a cell, or outside of `range`, do not come.
  using TakeRow = std::function<Status(std::int64_t number, std::span<const SheetCell> cells)>;
  /// `what` names the file in errors; both outlive it.
  SheetReader(ExcelParts& parts, const std::string& what, CellRange range, TakeRow take)
      : x_parts(parts), x_what(what), x_range(range), x_take(std::move(take)) {}

  Status OnStart(std::string_view name, const XmlAttributes& attributes) override;
  Status OnText(std::string_view text) override;
  Status OnEnd(std::string_view name) override;

 private:
  Status StartRow(const XmlAttributes& attributes);
  Status StartCell(const XmlAttributes& attributes);
  Status EndCell();
  /// Errors: kCorruption where a cell refers to what is not there.
  Status TextOfCell(SheetCell& cell);
  Error Damaged(const std::string& why) const;

  ExcelParts& x_parts;
  const std::string& x_what;
  CellRange x_range;
  TakeRow x_take;
  std::vector<SheetCell> x_cells;  // the first x_count are this row's
  std::size_t x_count = 0;
  std::size_t x_row_bytes = 0;
  bool x_in_data = false;
  std::int64_t x_row = 0;
  std::size_t x_column = 0;
  char x_type = 'n';  // of the cell: n, s (shared), i (inline), t (text of a formula), b, e, d
  NumberForm x_form = NumberForm::kNumber;
  std::string x_value;    // <v>, or the texts of <is>
  std::string x_formula;  // <f>
  bool x_has_formula = false;
  std::string* x_into = nullptr;  // where text goes now
  bool x_in_inline = false;
  bool x_in_phonetic = false;
};

}  // namespace caudal
