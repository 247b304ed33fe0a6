#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>
#include <set>

#include "connect/csv_marks.h"
#include "connect/staged_batches.h"
#include "connect/value_class.h"

namespace caudal {
namespace {

constexpr std::size_t kScanBytes = std::size_t{256} << 10;
constexpr std::size_t kNowhere = std::numeric_limits<std::size_t>::max();

struct FieldSpan {
  std::size_t begin = 0;  // behind an opening quote
  std::size_t end = 0;    // before a closing quote
  bool quoted = false;
};

/// A record as the walk left it.
struct Record {
  std::size_t begin = 0;
  std::size_t end = 0;   // without the line end
  std::size_t next = 0;  // where the next record begins
  std::int64_t lines = 1;
  bool odd = false;   // a quote inside an unquoted value: written anew, since readers differ about it
  bool junk = false;  // text behind a closing quote
  std::size_t open_quote = kNowhere;  // where the bytes end inside a quote
};

class CsvSplitter final : public Splitter {
 public:
  CsvSplitter(SplitTarget target, ChunkFormat& format)
      : x_target(std::move(target)),
        x_format(format),
        x_delimiter(format.delimiter.empty() ? ',' : format.delimiter[0]),
        x_quote(format.quote.empty() ? x_delimiter : format.quote[0]),
        x_escape(format.escape.empty() ? x_quote : format.escape[0]) {}

  Status Feed(std::string_view bytes) override {
    if (x_format.encoding == "latin-1") {
      x_pending.append(Latin1ToUtf8(bytes));
    } else {
      x_pending.append(bytes);
    }
    if (x_pending.size() < x_scan_at) return {};
    TRY(Scan(false));
    if (static_cast<std::int64_t>(x_pending.size()) > x_target.max_record_bytes) {
      return Broken(fmt::format("has a record of more than {} bytes at line {}: a quote that never closes, or no CSV",
                                x_target.max_record_bytes, x_line));
    }
    // A record that is longer than one scan is looked at again only once it has doubled.
    x_scan_at = std::max(kScanBytes, 2 * x_pending.size());
    return {};
  }

  Status EndBody() override {
    TRY(Scan(true));
    if (!x_have_header) return Broken("is empty: not even a header");
    x_pending.clear();
    x_scan_at = kScanBytes;
    x_have_header = false;
    x_begun = false;
    x_line = 1;
    return {};
  }

 private:
  Error Broken(const std::string& what) const {
    return Error{ErrorKind::kCorruption, fmt::format("{} {}", x_target.origin, what),
                 "ask for the whole file again, or correct the `format:` of the stream", ""};
  }

  Status Scan(bool last) {
    if (!x_begun && (last || x_pending.size() >= 4)) TRY(SkipMark());
    if (!x_begun) return {};
    x_marks.clear();
    x_next_mark = 0;
    x_high = FindCsvMarks(x_pending, 0, x_delimiter, x_quote, x_marks);
    x_returns = std::memchr(x_pending.data(), '\r', x_pending.size()) != nullptr;
    std::size_t at = 0;
    if (!x_have_header && !x_format.header) TRY(BeginBatch());
    while (at < x_pending.size()) {
      Record record;
      record.begin = at;
      if (!Walk(record, last)) {
        if (last) TRY(EndsEarly(record));
        break;
      }
      if (x_have_header) {
        TRY(Take(record));
      } else if (record.end > record.begin) {
        TRY(TakeHeader());
      }
      x_line += record.lines;
      at = record.next;
    }
    x_pending.erase(0, at);
    return {};
  }

  /// The byte order mark, and files that are no text.
  Status SkipMark() {
    x_begun = true;
    const std::string_view head = std::string_view(x_pending).substr(0, 4);
    if (head.substr(0, 2) == "\xFF\xFE" || head.substr(0, 2) == "\xFE\xFF") {
      return Error{ErrorKind::kUnsupported, x_target.origin + " is UTF-16; CSV may be utf-8 or latin-1",
                   "have it exported as UTF-8", ""};
    }
    if (head == std::string_view("PK\x03\x04", 4) || head.substr(0, 4) == "PAR1" || head.substr(0, 2) == "\x1F\x8B") {
      return Broken("is no CSV: it begins as a zip, Parquet or gzip file does");
    }
    if (head.substr(0, 3) == "\xEF\xBB\xBF") x_pending.erase(0, 3);
    return {};
  }

  /// The closing quote of a value that begins at `from`; kNowhere where the bytes end before.
  std::size_t FindClose(std::size_t from, bool last) const {
    const char* data = x_pending.data();
    const std::size_t size = x_pending.size();
    std::size_t at = from;
    while (at < size) {
      if (x_escape != x_quote && data[at] == x_escape) {
        at += 2;
        continue;
      }
      if (data[at] == x_quote) {
        if (x_escape != x_quote) return at;
        if (at + 1 == size) return last ? at : kNowhere;
        if (data[at + 1] != x_quote) return at;
        at += 2;
        continue;
      }
      if (x_escape != x_quote) {
        ++at;
        continue;
      }
      const void* hit = std::memchr(data + at, x_quote, size - at);
      if (hit == nullptr) return kNowhere;
      at = static_cast<std::size_t>(static_cast<const char*>(hit) - data);
    }
    return kNowhere;
  }

  /// Fills `record` and x_fields. False where the bytes end before the record does; with `last`, a record that lacks
  /// only its line end is whole if it has all its fields.
  bool Walk(Record& record, bool last) {
    x_fields.clear();
    const char* data = x_pending.data();
    std::size_t field = record.begin;
    std::size_t resume = record.begin;
    FieldSpan quoted;
    const auto close_field = [&](std::size_t end) {
      if (quoted.quoted) {
        std::size_t text = end;
        if (text > resume && data[text - 1] == '\r') --text;
        record.junk = record.junk || text != resume;
        x_fields.push_back(quoted);
        quoted = FieldSpan{};
      } else {
        x_fields.push_back(FieldSpan{field, end, false});
      }
    };
    for (; x_next_mark < x_marks.size(); ++x_next_mark) {
      const std::size_t at = x_marks[x_next_mark];
      if (at < resume) continue;
      const char c = data[at];
      if (c == x_delimiter) {
        close_field(at);
        field = resume = at + 1;
      } else if (c == '\n') {
        close_field(at);
        ++x_next_mark;
        record.next = at + 1;
        record.end = at > record.begin && data[at - 1] == '\r' ? at - 1 : at;
        if (!x_fields.back().quoted) x_fields.back().end = std::max(x_fields.back().begin, record.end);
        return true;
      } else if (at == field && !quoted.quoted) {
        const std::size_t close = FindClose(at + 1, last);
        if (close == kNowhere) {
          record.open_quote = at;
          return false;
        }
        quoted = FieldSpan{at + 1, close, true};
        record.lines += std::count(data + at, data + close, '\n');
        resume = close + 1;
      } else {
        record.odd = true;
      }
    }
    if (!last) return false;
    record.next = record.end = x_pending.size();
    if (record.end > resume && data[record.end - 1] == '\r') --record.end;
    close_field(record.end);
    return !x_have_header || x_fields.size() >= x_columns;
  }

  Status EndsEarly(const Record& record) const {
    if (record.open_quote != kNowhere) {
      return Broken(fmt::format("ends inside a quote that opens in row {} (line {}); the file is cut, or the quote is "
                                "never closed", x_records + 1, x_line));
    }
    return Broken(fmt::format("ends inside row {} (line {}): {} of {} fields; the file is cut", x_records + 1, x_line,
                              x_fields.size(), x_columns));
  }

  std::string Value(const FieldSpan& field) const {
    std::string_view text(x_pending.data() + field.begin, field.end - field.begin);
    if (!field.quoted) return std::string(text);
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == x_escape && i + 1 < text.size()) ++i;
      out.push_back(text[i]);
    }
    return out;
  }

  Status TakeHeader() {
    std::vector<std::string> names;
    std::set<std::string> seen;
    for (const FieldSpan& field : x_fields) {
      std::string name = Value(field);
      while (!name.empty() && (name.back() == ' ' || name.back() == '\t')) name.pop_back();
      name.erase(0, std::min(name.find_first_not_of(" \t"), name.size()));
      if (name.find('\0') != std::string::npos) return Broken("is no CSV: its first line holds NUL bytes");
      if (name.find('\r') != std::string::npos) return Broken("ends its lines with CR alone; write LF or CR LF");
      if (ValidUtf8Prefix(name) != name.size()) {
        return Broken("has a header that is no UTF-8; write `encoding: latin-1` if that is what it is");
      }
      if (name.empty()) name = fmt::format("column{}", names.size() + 1);
      std::string lower = name;
      std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
      if (!seen.insert(lower).second) return Broken("names the column " + name + " twice in its header");
      names.push_back(std::move(name));
    }
    x_format.columns = std::move(names);
    return BeginBatch();
  }

  Status BeginBatch() {
    x_have_header = true;
    x_columns = x_format.columns.size();
    TRY(x_target.batches->SelectCsv(x_format.columns, x_format));
    const std::vector<ColumnFacts>& facts = x_target.batches->current().facts;
    x_live.clear();
    for (std::size_t i = 0; i < facts.size(); ++i) {
      if (facts[i].classes != 0) x_live.push_back(i);
    }
    x_prefix = fmt::format("{}{}", x_target.chunk, x_delimiter);
    return {};
  }

  Status Reject(const Record& record, std::string reason) {
    ++x_records;
    return x_target.batches->Reject(
        SplitReject{x_target.chunk, x_line, std::move(reason),
                    x_pending.substr(record.begin, record.end - record.begin)});
  }

  Status Take(const Record& record) {
    if (record.end == record.begin) return {};  // a blank line
    if (x_fields.size() != x_columns) {
      return Reject(record, fmt::format("has {} fields, the header has {}", x_fields.size(), x_columns));
    }
    if (record.junk) return Reject(record, "has text behind a closing quote");
    const std::string_view text(x_pending.data() + record.begin, record.end - record.begin);
    if (x_high) {
      const std::size_t valid = ValidUtf8Prefix(text);
      if (valid < text.size()) return Reject(record, fmt::format("is no UTF-8 at byte {}", valid + 1));
    }
    ++x_records;
    StagedBatch& batch = x_target.batches->current();
    NarrowLive(batch);
    ++batch.rows;
    batch.longest_record_bytes = std::max(batch.longest_record_bytes, static_cast<std::int64_t>(text.size()));
    batch.multiline = batch.multiline || record.lines > 1;
    std::string& out = x_target.batches->file().buffer();
    char number[24];
    const auto end = std::to_chars(number, number + sizeof number, x_line).ptr;
    *end = x_delimiter;
    out.append(x_prefix).append(number, static_cast<std::size_t>(end + 1 - number));
    // A bare CR ends a record for some readers: quoted, it does not.
    if (record.odd || (x_returns && text.find('\r') != std::string_view::npos)) {
      AppendAnew(out);
    } else {
      out.append(text);
    }
    out.push_back('\n');
    return x_target.batches->file().Drain();
  }

  void NarrowLive(StagedBatch& batch) {
    bool dead = false;
    for (const std::size_t column : x_live) {
      const FieldSpan& field = x_fields[column];
      ColumnFacts& facts = batch.facts[column];
      NarrowFacts(facts, std::string_view(x_pending.data() + field.begin, field.end - field.begin));
      dead = dead || facts.classes == 0;
    }
    if (dead) std::erase_if(x_live, [&](std::size_t column) { return batch.facts[column].classes == 0; });
  }

  void AppendAnew(std::string& out) const {
    for (std::size_t i = 0; i < x_fields.size(); ++i) {
      if (i > 0) out.push_back(x_delimiter);
      const std::string value = Value(x_fields[i]);
      if (value.empty()) continue;
      out.push_back(x_quote);
      for (const char c : value) {
        if (c == x_quote || c == x_escape) out.push_back(x_escape);
        out.push_back(c);
      }
      out.push_back(x_quote);
    }
  }

  SplitTarget x_target;
  ChunkFormat& x_format;
  char x_delimiter;
  char x_quote;
  char x_escape;
  std::string x_pending;
  std::size_t x_scan_at = kScanBytes;
  std::vector<std::uint32_t> x_marks;
  std::size_t x_next_mark = 0;
  bool x_high = false;     // the scanned bytes hold one that is no ASCII
  bool x_returns = false;  // ... a CR
  std::vector<FieldSpan> x_fields;
  std::vector<std::size_t> x_live;  // columns that may still be something else than VARCHAR
  std::string x_prefix;
  std::size_t x_columns = 0;
  bool x_begun = false;
  bool x_have_header = false;
  std::int64_t x_line = 1;
};

}  // namespace

std::unique_ptr<Splitter> MakeCsvSplitter(SplitTarget target, ChunkFormat& format) {
  return std::make_unique<CsvSplitter>(std::move(target), format);
}

}  // namespace caudal
