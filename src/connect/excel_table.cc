#include "connect/excel_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/json.h"
#include "connect/excel_sheet.h"
#include "connect/value_class.h"
#include "data/name.h"

namespace caudal {
namespace {

constexpr std::int64_t kRowsBetweenLooks = 1024;

/// The sheet (0), the range (1).
std::string Selected(const ChunkFormat& format, std::size_t which) { return which < format.selector.size() ? format.selector[which] : ""; }

/// The name that a header's cell gives: without spaces around it, on one line.
std::string NameOf(std::string text) {
  std::replace_if(text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  while (!text.empty() && text.back() == ' ') text.pop_back();
  text.erase(0, std::min(text.find_first_not_of(' '), text.size()));
  return text;
}

class Table {
 public:
  Table(const SplitTarget& target, ChunkFormat& format, const CellRange& range) : x_target(target), x_format(format), x_range(range) {}

  Status Take(std::int64_t row, std::span<const SheetCell> cells) {
    if (!x_begun) {
      x_begun = true;
      if (x_format.header) return TakeHeader(row, cells);
      TRY(BeginUnnamed(row, cells));
    }
    ++x_records;
    const std::size_t last = x_first + x_format.columns.size() - 1;
    for (const SheetCell* outer : {&cells.front(), &cells.back()}) {
      if (outer->column < x_first || outer->column > last) return Reject(row, cells, *outer);
    }
    return Write(row, cells);
  }

  bool begun() const { return x_begun; }
  std::int64_t records() const { return x_records; }

 private:
  Error Broken(const std::string& what) const {
    return Error{ErrorKind::kCorruption, fmt::format("{} {}", x_target.origin, what), "correct the sheet, or say with `range:` where its table is", ""};
  }

  Status TakeHeader(std::int64_t row, std::span<const SheetCell> cells) {
    x_first = x_range.first_column.value_or(cells.front().column);
    const std::size_t last = x_range.last_column.value_or(cells.back().column);
    std::vector<std::string> names(last - x_first + 1);
    for (const SheetCell& cell : cells) names[cell.column - x_first] = NameOf(cell.text);
    std::set<std::string> seen;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i].empty()) names[i] = fmt::format("column{}", i + 1);
      if (!seen.insert(LowerName(names[i])).second) {
        return Broken(fmt::format("names the column {} twice in its header (cell {}{})", names[i], ColumnLetters(x_first + i), row));
      }
    }
    x_format.columns = std::move(names);
    return Begin();
  }

  /// Without a header: the first row tells how many columns there are, unless somebody says it.
  Status BeginUnnamed(std::int64_t row, std::span<const SheetCell> cells) {
    x_first = x_range.first_column.value_or(cells.front().column);
    const std::size_t width = x_range.last_column.value_or(cells.back().column) - x_first + 1;
    std::vector<std::string>& names = x_format.columns;
    if (names.empty()) {
      for (std::size_t i = 1; i <= width; ++i) names.push_back(fmt::format("column{}", i));
    } else if (names.size() < width) {
      return Error{ErrorKind::kInvalidArgument, fmt::format("`column_names` has {} names, row {} of {} has {} cells", names.size(), row, x_target.origin, width),
                   "correct `column_names:` or `range:`", ""};
    }
    return Begin();
  }

  Status Begin() { return x_target.batches->SelectCsv(x_format.columns, x_format); }

  Status Reject(std::int64_t row, std::span<const SheetCell> cells, const SheetCell& outer) {
    Json text = Json::object();
    for (const SheetCell& cell : cells) text[ColumnLetters(cell.column)] = cell.text;
    return x_target.batches->Reject(SplitReject{x_target.chunk, row, fmt::format("has a value outside of the header's columns {} to {}, in {}{}", ColumnLetters(x_first),
                                                ColumnLetters(x_first + x_format.columns.size() - 1), ColumnLetters(outer.column), row), DumpJson(text)});
  }

  Status Write(std::int64_t row, std::span<const SheetCell> cells) {
    StagedBatch& batch = x_target.batches->current();
    std::string& out = x_target.batches->file().buffer();
    const std::size_t before = out.size();
    fmt::format_to(std::back_inserter(out), "{}{}{}", x_target.chunk, x_format.delimiter, row);
    std::size_t next = 0;
    for (const SheetCell& cell : cells) {
      const std::size_t column = cell.column - x_first;
      for (; next <= column; ++next) out += x_format.delimiter;
      ColumnFacts& facts = batch.facts[column];
      if (cell.no_value) {
        facts.classes |= kNoValues;
      } else if ((facts.classes & ~kNoValues) != 0) {
        NarrowFacts(facts, cell.text);
      }
      Append(out, cell.text, batch);
    }
    for (; next < x_format.columns.size(); ++next) out += x_format.delimiter;
    batch.longest_record_bytes = std::max(batch.longest_record_bytes, static_cast<std::int64_t>(out.size() - before));
    out.push_back('\n');
    ++batch.rows;
    return x_target.batches->file().Drain();
  }

  void Append(std::string& out, const std::string& text, StagedBatch& batch) const {
    if (text.find_first_of(x_special) == std::string::npos) {
      out += text;
      return;
    }
    batch.multiline = batch.multiline || text.find('\n') != std::string::npos;
    const char quote = x_format.quote[0];
    out.push_back(quote);
    for (const char c : text) {
      if (c == quote) out.push_back(quote);
      out.push_back(c);
    }
    out.push_back(quote);
  }

  const SplitTarget& x_target;
  ChunkFormat& x_format;
  const CellRange& x_range;
  const std::string x_special = x_format.delimiter + x_format.quote + "\r\n";
  bool x_begun = false;
  std::size_t x_first = 1;  // column of the sheet that is the table's first
  std::int64_t x_records = 0;
};

}  // namespace

Result<std::int64_t> ReadExcel(const ExcelRead& read, const SplitTarget& target, ChunkFormat& format) {
  TRY_ASSIGN(const CellRange range, ParseCellRange(Selected(format, 1)));
  TRY_ASSIGN(const auto book, ExcelBook::Open(read.path, target.origin, read.limits));
  TRY_ASSIGN(const ExcelSheet* sheet, book->Sheet(Selected(format, 0)));
  ExcelParts parts(read.scratch_folder);
  TRY(book->ReadParts(parts));
  Table table(target, format, range);
  std::int64_t rows = 0;
  SheetReader reader(parts, target.origin, range, [&](std::int64_t row, std::span<const SheetCell> cells) -> Status {
    if (++rows % kRowsBetweenLooks == 0) {
      if (read.wants_more && !read.wants_more()) return Error{ErrorKind::kCancelled, "the read was cancelled", "", ""};
      if (read.progress) read.progress(table.records());
    }
    return table.Take(row, cells);
  });
  TRY(book->ReadSheet(*sheet, reader));
  if (table.begun()) return table.records();
  if (!format.header) return std::int64_t{0};
  return Error{ErrorKind::kCorruption, fmt::format("{} has no cell in sheet '{}'{}: not even a header", target.origin, sheet->name, Selected(format, 1).empty() ? "" : ", " + Selected(format, 1)),
               "correct `sheet:` or `range:` of the stream, or ask for the file again", ""};
}

}  // namespace caudal
