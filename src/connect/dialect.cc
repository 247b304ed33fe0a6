#include "connect/dialect.h"

#include <algorithm>

#include "connect/inflate.h"

namespace caudal {
namespace {

std::string_view WithoutSuffix(std::string_view name, std::string_view suffix) {
  return name.ends_with(suffix) ? name.substr(0, name.size() - suffix.size()) : name;
}

/// Delimiters outside quotes in each of the first lines; the last line may be cut and is left out, if there are more.
std::vector<std::size_t> DelimitersPerLine(std::string_view head, char delimiter, char quote) {
  std::vector<std::size_t> counts;
  std::size_t count = 0;
  bool inside = false;
  bool any = false;
  for (const char c : head) {
    if (c == quote) inside = !inside;
    if (inside) continue;
    if (c == delimiter) ++count;
    if (c != '\n') {
      any = any || c != '\r';
      continue;
    }
    if (any) counts.push_back(count);
    count = 0;
    any = false;
    if (counts.size() == 20) return counts;
  }
  if (counts.empty()) counts.push_back(count);
  return counts;
}

}  // namespace

std::string CompressionOf(std::string_view first_bytes) {
  if (first_bytes.starts_with("\x1F\x8B")) return "gzip";
  if (first_bytes.starts_with("\x28\xB5\x2F\xFD")) return "zstd";
  return "none";
}

std::string KindOfName(std::string_view name) {
  name = WithoutSuffix(WithoutSuffix(WithoutSuffix(name, ".gz"), ".zst"), ".zstd");
  for (const std::string_view suffix : {".csv", ".tsv", ".txt", ".tab"}) {
    if (name.ends_with(suffix)) return "csv";
  }
  if (name.ends_with(".ndjson") || name.ends_with(".jsonl")) return "ndjson";
  if (name.ends_with(".json")) return "json";
  for (const std::string_view suffix : {".xlsx", ".XLSX", ".xlsm", ".XLSM"}) {
    if (name.ends_with(suffix)) return "xlsx";
  }
  return name.ends_with(".parquet") ? "parquet" : "";
}

bool CompressedWithin(std::string_view kind) { return kind == "parquet" || kind == "xlsx"; }

bool NamesItsColumns(std::string_view kind) { return kind == "csv" || kind == "xlsx"; }

bool IsTabbedName(std::string_view name) {
  name = WithoutSuffix(WithoutSuffix(WithoutSuffix(name, ".gz"), ".zst"), ".zstd");
  return name.ends_with(".tsv") || name.ends_with(".tab");
}

std::string PlainHead(std::string_view bytes, const std::string& compression, std::size_t limit) {
  if (compression == "none") return std::string(bytes.substr(0, limit));
  std::string head;
  Result<std::unique_ptr<Inflater>> inflater = MakeInflater(compression, "", InflateLimits{});
  if (!inflater) return head;
  // Only the beginning counts: what is broken behind it is found by the reading.
  const Status status = (*inflater)->Feed(bytes, [&](std::string_view plain) -> Status {
    head.append(plain.substr(0, limit - head.size()));
    if (head.size() < limit) return {};
    return Error{ErrorKind::kCancelled, "enough", "", ""};
  });
  if (!status && status.error().kind != ErrorKind::kCancelled && head.empty()) return head;
  return head;
}

char GuessDelimiter(std::string_view head) {
  char best = ',';
  std::size_t best_score = 0;
  for (const char delimiter : {',', ';', '\t', '|'}) {
    const std::vector<std::size_t> counts = DelimitersPerLine(head, delimiter, '"');
    const std::size_t first = counts[0];
    if (first == 0) continue;
    const auto same = static_cast<std::size_t>(std::count(counts.begin(), counts.end(), first));
    // Lines that agree weigh more than fields: a comma inside texts is frequent, but never regular.
    const std::size_t score = same * 1000 / counts.size() * 100 + std::min<std::size_t>(first, 99);
    if (score > best_score) {
      best = delimiter;
      best_score = score;
    }
  }
  return best;
}

std::size_t CountFields(std::string_view head, char delimiter, char quote) {
  return DelimitersPerLine(head, delimiter, quote)[0] + 1;
}

bool MatchesGlob(std::string_view glob, std::string_view name) {
  while (!glob.empty()) {
    if (glob.starts_with("**")) {
      glob.remove_prefix(2);
      if (glob.starts_with("/") && MatchesGlob(glob.substr(1), name)) return true;
      for (std::size_t i = 0; i <= name.size(); ++i) {
        if (MatchesGlob(glob, name.substr(i))) return true;
      }
      return false;
    }
    if (glob[0] == '*') {
      glob.remove_prefix(1);
      for (std::size_t i = 0; i <= name.size(); ++i) {
        if (MatchesGlob(glob, name.substr(i))) return true;
        if (i < name.size() && name[i] == '/') return false;
      }
      return false;
    }
    if (name.empty() || (glob[0] == '?' ? name[0] == '/' : glob[0] != name[0])) return false;
    glob.remove_prefix(1);
    name.remove_prefix(1);
  }
  return name.empty();
}

}  // namespace caudal
