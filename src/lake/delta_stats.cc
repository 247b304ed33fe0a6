#include "lake/delta_stats.h"

#include <chrono>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "base/json.h"
#include "data/name.h"
#include "lake/value_text.h"

namespace caudal {
namespace {

/// Length of the valid UTF-8 sequence at the front of `text`, 0 if there is none.
std::size_t SequenceLength(std::string_view text) {
  auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (text.empty()) return 0;
  std::size_t length = byte(0) < 0x80 ? 1 : byte(0) < 0xC2 ? 0 : byte(0) < 0xE0 ? 2 : byte(0) < 0xF0 ? 3 : byte(0) < 0xF5 ? 4 : 0;
  if (length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  return length;
}

char32_t CodePoint(std::string_view sequence) {
  auto first = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() == 1) return first;
  auto point = static_cast<char32_t>(first & (0xFF >> (sequence.size() + 1)));
  for (std::size_t i = 1; i < sequence.size(); ++i) point = (point << 6) | (static_cast<unsigned char>(sequence[i]) & 0x3F);
  return point;
}

std::string Utf8(char32_t point) {
  auto tail = [&](int shift) { return static_cast<char>(0x80 | ((point >> shift) & 0x3F)); };
  if (point < 0x80) return {static_cast<char>(point)};
  if (point < 0x800) return {static_cast<char>(0xC0 | (point >> 6)), tail(0)};
  if (point < 0x10000) return {static_cast<char>(0xE0 | (point >> 12)), tail(6), tail(0)};
  return {static_cast<char>(0xF0 | (point >> 18)), tail(12), tail(6), tail(0)};
}

/// The first code points of `text`, each as its bytes; stops where the bytes are no UTF-8.
std::vector<std::string_view> FirstCodePoints(std::string_view text, bool& whole) {
  std::vector<std::string_view> points;
  while (points.size() < kBoundCodePoints && !text.empty()) {
    std::size_t length = SequenceLength(text);
    if (length == 0) break;
    points.push_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  whole = text.empty();
  return points;
}

enum class Side { kMin, kMax };

/// A bound as JSON text, or nothing where Delta has no way to write it.
std::optional<std::string> BoundText(const Type& type, const ColumnStats& stats, Side side) {
  const auto& value = side == Side::kMin ? stats.min : stats.max;
  if (!value) return std::nullopt;
  switch (type.kind) {
    case TypeKind::kTinyint:
    case TypeKind::kSmallint:
    case TypeKind::kInteger:
    case TypeKind::kBigint:
    case TypeKind::kDecimal:
      if (!IsJsonNumber(*value)) return std::nullopt;
      return *value;
    case TypeKind::kFloat:
    case TypeKind::kDouble:
      // NaN and infinity are not JSON, and one missing bound makes the other one useless to some readers.
      if (stats.has_nan || !stats.min || !stats.max || !IsJsonNumber(*stats.min) || !IsJsonNumber(*stats.max)) {
        return std::nullopt;
      }
      return *value;
    case TypeKind::kDate: {
      auto time = ParseTimestamp(*value);
      if (!time || value->size() != 10) return std::nullopt;
      return DumpJson(*value);
    }
    case TypeKind::kTimestamptz: {
      auto time = ParseTimestamp(*value);
      if (!time) return std::nullopt;
      auto ms = side == Side::kMin ? std::chrono::floor<std::chrono::milliseconds>(*time)
                                   : std::chrono::ceil<std::chrono::milliseconds>(*time);
      return DumpJson(FormatTimestampMs(ms));
    }
    case TypeKind::kVarchar: {
      if (side == Side::kMin) return DumpJson(LowerTextBound(*value));
      auto upper = UpperTextBound(*value);
      if (!upper) return std::nullopt;
      return DumpJson(*upper);
    }
    default:
      return std::nullopt;
  }
}

/// {"a":..,"s":{"x":..}} of what `value_of` has for the leaves; "" where it has nothing.
template <typename ValueOf>
std::string Members(const std::vector<Field>& fields, const std::string& prefix, const ValueOf& value_of) {
  std::string text;
  for (const Field& field : fields) {
    std::string path = prefix + field.name;
    std::string value;
    if (field.type.kind == TypeKind::kStruct) {
      value = Members(field.type.children, path + ".", value_of);
    } else if (!field.type.nested()) {
      value = value_of(path, field.type).value_or("");
    }
    if (value.empty()) continue;
    text += (text.empty() ? "{" : ",") + DumpJson(field.name) + ":" + value;
  }
  return text.empty() ? text : text + "}";
}

void CollectLeaves(const std::vector<Field>& fields, const std::string& prefix,
                   std::map<std::string, TypeKind, std::less<>>& leaves) {
  for (const Field& field : fields) {
    if (field.type.kind == TypeKind::kStruct) {
      CollectLeaves(field.type.children, prefix + field.name + ".", leaves);
    } else if (!field.type.nested()) {
      leaves.emplace(prefix + field.name, field.type.kind);
    }
  }
}

/// Takes the statistics as they stream by: no tree, and numbers keep all their digits.
class StatsHandler final : public nlohmann::json_sax<Json> {
 public:
  StatsHandler(const std::map<std::string, TypeKind, std::less<>>& leaves, DeltaStats& stats)
      : x_leaves(leaves), x_stats(stats) {}

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t value) override { return Number(std::to_string(value), value); }
  bool number_unsigned(number_unsigned_t value) override {
    return Number(std::to_string(value), static_cast<std::int64_t>(value));
  }
  bool number_float(number_float_t, const string_t& text) override { return Number(text, 0); }
  bool string(string_t& value) override {
    if (x_depth < 2) return true;
    auto leaf = x_leaves.find(Path());
    if (leaf == x_leaves.end()) return true;
    if (leaf->second == TypeKind::kTimestamptz) {
      auto time = ParseTimestamp(value);
      if (!time) return true;
      value = DuckDbTimestamp(*time);
    }
    Bound(leaf->first, std::move(value));
    return true;
  }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override {
    ++x_depth;
    x_lengths.push_back(x_path.size());
    return true;
  }
  bool key(string_t& name) override {
    if (x_depth == 1) {
      x_section = name;
      return true;
    }
    x_path.resize(x_lengths.back());
    if (!x_path.empty()) x_path += '.';
    x_path += name;
    return true;
  }
  bool end_object() override {
    --x_depth;
    x_path.resize(x_lengths.back());
    x_lengths.pop_back();
    return true;
  }
  bool start_array(std::size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  const std::string& Path() const { return x_path; }

  bool Number(std::string text, std::int64_t value) {
    if (x_depth == 1) {
      if (x_section == "numRecords") x_stats.rows = value;
      return true;
    }
    auto leaf = x_leaves.find(Path());
    if (leaf == x_leaves.end()) return true;
    if (x_section == "nullCount") {
      x_stats.columns[leaf->first].null_count = value;
    } else {
      Bound(leaf->first, std::move(text));
    }
    return true;
  }

  void Bound(const std::string& column, std::string value) {
    if (x_section == "minValues") x_stats.columns[column].min = std::move(value);
    if (x_section == "maxValues") x_stats.columns[column].max = std::move(value);
  }

  const std::map<std::string, TypeKind, std::less<>>& x_leaves;
  DeltaStats& x_stats;
  int x_depth = 0;
  std::string x_section;
  std::string x_path;
  std::vector<std::size_t> x_lengths;
};

}  // namespace

std::string LowerTextBound(std::string_view text) {
  bool whole = false;
  std::size_t size = 0;
  for (auto point : FirstCodePoints(text, whole)) size += point.size();
  return std::string(text.substr(0, size));
}

std::optional<std::string> UpperTextBound(std::string_view text) {
  bool whole = false;
  auto points = FirstCodePoints(text, whole);
  if (whole) return std::string(text);
  while (!points.empty()) {
    char32_t point = CodePoint(points.back());
    points.pop_back();
    if (point >= 0x10FFFF) continue;
    std::string bound;
    for (auto kept : points) bound += kept;
    return bound + Utf8(point == 0xD7FF ? 0xE000 : point + 1);
  }
  return std::nullopt;
}

std::string DeltaStatsText(const Schema& schema, const std::vector<std::string>& partition_columns, std::int64_t rows,
                           const std::map<std::string, ColumnStats>& columns) {
  std::vector<Field> fields;
  for (const Field& field : schema.fields) {
    bool partition = false;
    for (const auto& column : partition_columns) partition = partition || SameName(column, field.name);
    if (!partition) fields.push_back(field);
  }
  auto bound = [&](Side side) {
    return [&columns, side](const std::string& path, const Type& type) -> std::optional<std::string> {
      auto it = columns.find(path);
      return it == columns.end() ? std::nullopt : BoundText(type, it->second, side);
    };
  };
  auto nulls = [&](const std::string& path, const Type&) -> std::optional<std::string> {
    auto it = columns.find(path);
    if (it == columns.end() || !it->second.null_count) return std::nullopt;
    return std::to_string(*it->second.null_count);
  };
  std::string text = "{\"numRecords\":" + std::to_string(rows);
  auto section = [&](std::string_view name, const std::string& members) {
    if (!members.empty()) text += ",\"" + std::string(name) + "\":" + members;
  };
  section("minValues", Members(fields, "", bound(Side::kMin)));
  section("maxValues", Members(fields, "", bound(Side::kMax)));
  section("nullCount", Members(fields, "", nulls));
  return text + "}";
}

DeltaStatsReader::DeltaStatsReader(const Schema& schema) { CollectLeaves(schema.fields, "", x_leaves); }

Result<DeltaStats> DeltaStatsReader::Read(std::string_view text) const {
  DeltaStats stats;
  StatsHandler handler(x_leaves, stats);
  if (!Json::sax_parse(text.begin(), text.end(), &handler)) {
    return Error{ErrorKind::kCorruption, "a file's statistics are not valid JSON: " + std::string(text), "", ""};
  }
  return stats;
}

}  // namespace caudal
