#include "app/table_print.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/json.h"

namespace caudal {
namespace {

/// The code point at `at`, which moves behind it; a broken byte is taken for U+FFFD.
char32_t NextCodePoint(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at++);
  if (first < 0x80) return first;
  const std::size_t more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : first >= 0xC2 ? 1 : 0;
  if (more == 0 || at + more > text.size()) return 0xFFFD;
  char32_t point = first & (0x3FU >> more);
  for (std::size_t i = 0; i < more; ++i) {
    if ((byte(at + i) & 0xC0U) != 0x80) return 0xFFFD;
    point = (point << 6) | (byte(at + i) & 0x3FU);
  }
  at += more;
  return point;
}

std::size_t WidthOf(char32_t c) {
  const auto in = [c](char32_t from, char32_t to) { return c >= from && c <= to; };
  if (in(0x0300, 0x036F) || in(0x200B, 0x200F) || in(0xFE00, 0xFE0F) || c == 0xFEFF) return 0;
  const bool wide = in(0x1100, 0x115F) || in(0x2E80, 0xA4CF) || in(0xAC00, 0xD7A3) || in(0xF900, 0xFAFF) ||
                    in(0xFE30, 0xFE6F) || in(0xFF00, 0xFF60) || in(0x1F300, 0x1FAFF) || in(0x20000, 0x3FFFD);
  return wide ? 2 : 1;
}

/// Nothing in it moves the cursor or starts an escape sequence.
std::string Shown(std::string_view text) {
  std::string shown;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t from = at;
    const char32_t c = NextCodePoint(text, at);
    const bool direction = (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
    if (c == '\n') {
      shown += "\\n";
    } else if (c == '\t') {
      shown += "\\t";
    } else if (c == '\r') {
      shown += "\\r";
    } else if (c < 0x20 || (c >= 0x7F && c < 0xA0) || direction) {
      shown += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else if (c == 0xFFFD) {
      shown += "\xEF\xBF\xBD";
    } else {
      shown += text.substr(from, at - from);
    }
  }
  return shown;
}

std::string Cut(const std::string& text, std::size_t width) {
  if (DisplayWidth(text) <= width) return text;
  std::size_t used = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t from = at;
    used += WidthOf(NextCodePoint(text, at));
    if (used > width - 1) return text.substr(0, from) + "…";
  }
  return text;
}

std::string Padded(const std::string& text, std::size_t width, bool right) {
  const std::size_t own = DisplayWidth(text);
  const std::string blanks(width > own ? width - own : 0, ' ');
  return right ? blanks + text : text + blanks;
}

std::string CsvField(const std::string& text, bool safe) {
  std::string field = safe && !text.empty() && std::string_view("=+-@\t\r").find(text[0]) != std::string_view::npos
                          ? "'" + text
                          : text;
  if (!field.empty() && field.find_first_of(",\"\r\n") == std::string::npos) return field;
  std::string quoted = "\"";
  for (const char c : field) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

}  // namespace

std::size_t DisplayWidth(std::string_view text) {
  std::size_t width = 0;
  for (std::size_t at = 0; at < text.size();) width += WidthOf(NextCodePoint(text, at));
  return width;
}

std::string FormatTable(const TextTable& table, const TextLayout& layout) {
  const std::size_t count = table.columns.size();
  std::vector<std::vector<std::string>> lines;
  std::vector<std::size_t> widths(count, 0);
  const auto put = [&](std::vector<std::string> cells) {
    for (std::size_t i = 0; i < count; ++i) {
      cells[i] = Cut(Shown(cells[i]), std::max<std::size_t>(layout.cell_width, 4));
      widths[i] = std::max(widths[i], DisplayWidth(cells[i]));
    }
    lines.push_back(std::move(cells));
  };
  std::vector<std::string> head;
  for (const TextTable::Column& column : table.columns) head.push_back(column.name);
  put(head);
  for (const auto& row : table.rows) {
    std::vector<std::string> cells;
    for (std::size_t i = 0; i < count; ++i) cells.push_back(i < row.size() ? row[i].value_or("NULL") : "");
    put(std::move(cells));
  }

  std::size_t shown = 0;
  std::size_t used = layout.indent.size();
  while (shown < count && (layout.line_width == 0 || shown == 0 || used + widths[shown] + 2 <= layout.line_width)) {
    used += widths[shown++] + 2;
  }
  std::string text;
  for (std::size_t l = 0; l < lines.size(); ++l) {
    std::string line = layout.indent;
    for (std::size_t i = 0; i < shown; ++i) {
      line += (i == 0 ? "" : "  ") + Padded(lines[l][i], widths[i], table.columns[i].right);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
    if (l > 0) continue;
    text += layout.indent;
    for (std::size_t i = 0; i < shown; ++i) text += (i == 0 ? "" : "  ") + std::string(widths[i], '-');
    text += "\n";
  }
  if (shown < count) {
    text += layout.indent + fmt::format("({} more column{} not fit:", count - shown, count - shown == 1 ? " does" : "s do");
    for (std::size_t i = shown; i < count; ++i) text += " " + lines[0][i];
    text += ")\n";
  }
  return text;
}

TextTable TextTableOf(const Rows& rows) {
  TextTable table;
  for (const Field& field : rows.schema.fields) table.columns.push_back({field.name, field.type.numeric()});
  table.rows = rows.rows;
  return table;
}

std::string FormatCsv(const Rows& rows, bool safe) {
  std::string text;
  for (std::size_t i = 0; i < rows.schema.fields.size(); ++i) {
    text += (i == 0 ? "" : ",") + CsvField(rows.schema.fields[i].name, false);
  }
  text += "\r\n";
  for (const auto& row : rows.rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) text += ",";
      const bool number = i < rows.schema.fields.size() && rows.schema.fields[i].type.numeric();
      if (row[i]) text += CsvField(*row[i], safe && !number);
    }
    text += "\r\n";
  }
  return text;
}

}  // namespace caudal
