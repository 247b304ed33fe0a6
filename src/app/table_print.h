// Rows for eyes, for spreadsheets and for programs. Pure functions; thread-safe.
#pragma once

#include <string>
#include <vector>

#include "data/rows.h"
#include "serve/rows_document.h"

namespace caudal {

/// A table of text that is laid out in columns.
struct TextTable {
  struct Column {
    std::string name;
    bool right = false;  // numbers
  };
  std::vector<Column> columns;
  std::vector<std::vector<Cell>> rows;  // absent: NULL
};

struct TextLayout {
  std::string indent;           // before every line
  std::size_t cell_width = 60;  // wider text is cut, with "…" at its end
  std::size_t line_width = 0;   // the terminal's; 0 = no limit. Columns that do not fit are named below instead
};

/// Head, rule and rows, each line with its end. Control characters are shown escaped, so that data cannot move the cursor.
std::string FormatTable(const TextTable& table, const TextLayout& layout);

/// Rows of an answer: numbers to the right.
TextTable TextTableOf(const Rows& rows);

/// RFC 4180 with a head; NULL is an empty field, an empty text is "". `safe`: a text that a spreadsheet would take for a
/// formula gets ' in front.
std::string FormatCsv(const Rows& rows, bool safe);

/// Columns that `text` takes on a terminal.
std::size_t DisplayWidth(std::string_view text);

}  // namespace caudal
