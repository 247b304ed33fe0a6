#include "lake/faces/iceberg_value.h"

#include <charconv>
#include <cmath>
#include <cstring>

#include "base/clock.h"
#include "base/json.h"

namespace caudal {
namespace {

__extension__ typedef __int128 Int128;

std::optional<std::int64_t> ReadInteger(std::string_view text) {
  std::int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

template <typename Float>
std::optional<Float> ReadFloat(std::string_view text) {
  Float value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// The number without its point: 12.50 of scale 2 is 1250. At most 38 digits.
std::optional<Int128> ReadUnscaled(std::string_view text, int scale) {
  bool negative = !text.empty() && text[0] == '-';
  if (negative) text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  Int128 value = 0;
  int digits = 0, decimals = -1;
  for (char c : text) {
    if (c == '.' && decimals < 0) {
      decimals = 0;
      continue;
    }
    if (c < '0' || c > '9') return std::nullopt;
    if (decimals >= scale) {
      if (c != '0') return std::nullopt;
      continue;
    }
    value = value * 10 + (c - '0');
    if (value != 0 && ++digits > 38) return std::nullopt;
    if (decimals >= 0) ++decimals;
  }
  for (int i = decimals < 0 ? 0 : decimals; i < scale; ++i) {
    if (value != 0 && ++digits > 38) return std::nullopt;
    value *= 10;
  }
  return negative ? -value : value;
}

std::string BigEndian(Int128 value, int size) {
  std::string bytes(static_cast<std::size_t>(size), '\0');
  for (auto it = bytes.rbegin(); it != bytes.rend(); ++it) {
    *it = static_cast<char>(value & 0xFF);
    value >>= 8;
  }
  return bytes;
}

/// The fewest bytes that hold the value and its sign.
std::string MinimalBigEndian(Int128 value) {
  int size = 1;
  for (Int128 rest = value >> 7; rest != 0 && rest != -1; rest >>= 8) ++size;
  return BigEndian(value, size);
}

template <typename Number>
std::string LittleEndian(Number value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

std::optional<Timestamp> ReadTime(std::string_view text) {
  if (text.ends_with("+00")) text.remove_suffix(3);
  auto time = ParseTimestamp(text);
  if (!time) return std::nullopt;
  return *time;
}

std::optional<std::int32_t> ReadDays(std::string_view text) {
  auto time = ReadTime(text);
  if (!time) return std::nullopt;
  return static_cast<std::int32_t>(std::chrono::floor<std::chrono::days>(*time).time_since_epoch().count());
}

std::optional<bool> ReadBoolean(std::string_view text) {
  if (text != "true" && text != "false") return std::nullopt;
  return text == "true";
}

}  // namespace

std::optional<double> FloatingValue(std::string_view text) { return ReadFloat<double>(text); }

int DecimalBytes(int precision) {
  Int128 largest = 1;
  for (int i = 0; i < precision; ++i) largest *= 10;
  return static_cast<int>(MinimalBigEndian(largest - 1).size());
}

std::optional<std::string> IcebergBytes(const Type& type, std::string_view text) {
  switch (type.kind) {
    case TypeKind::kTinyint:
    case TypeKind::kSmallint:
    case TypeKind::kInteger:
      if (auto value = ReadInteger(text)) return LittleEndian(static_cast<std::int32_t>(*value));
      return std::nullopt;
    case TypeKind::kBigint:
      if (auto value = ReadInteger(text)) return LittleEndian(*value);
      return std::nullopt;
    case TypeKind::kFloat:
      if (auto value = ReadFloat<float>(text); value && !std::isnan(*value)) return LittleEndian(*value);
      return std::nullopt;
    case TypeKind::kDouble:
      if (auto value = FloatingValue(text); value && !std::isnan(*value)) return LittleEndian(*value);
      return std::nullopt;
    case TypeKind::kDecimal:
      if (auto value = ReadUnscaled(text, type.scale)) return MinimalBigEndian(*value);
      return std::nullopt;
    case TypeKind::kDate:
      if (auto value = ReadDays(text)) return LittleEndian(*value);
      return std::nullopt;
    case TypeKind::kTimestamptz:
      if (auto value = ReadTime(text)) return LittleEndian(std::int64_t{value->time_since_epoch().count()});
      return std::nullopt;
    case TypeKind::kBoolean:
      if (auto value = ReadBoolean(text)) return std::string(1, *value ? '\1' : '\0');
      return std::nullopt;
    case TypeKind::kVarchar:
      return std::string(text);
    default:
      return std::nullopt;
  }
}

Json IcebergAvroType(const Type& type, std::int32_t id) {
  switch (type.kind) {
    case TypeKind::kBoolean: return "boolean";
    case TypeKind::kTinyint:
    case TypeKind::kSmallint:
    case TypeKind::kInteger: return "int";
    case TypeKind::kBigint: return "long";
    case TypeKind::kFloat: return "float";
    case TypeKind::kDouble: return "double";
    case TypeKind::kDate: return Json{{"type", "int"}, {"logicalType", "date"}};
    case TypeKind::kTimestamptz:
      return Json{{"type", "long"}, {"logicalType", "timestamp-micros"}, {"adjust-to-utc", true}};
    case TypeKind::kDecimal:
      return Json{{"type", "fixed"},
                  {"name", "decimal_" + std::to_string(id)},
                  {"size", DecimalBytes(type.precision)},
                  {"logicalType", "decimal"},
                  {"precision", type.precision},
                  {"scale", type.scale}};
    default: return "string";  // no other type may be a partition column
  }
}

bool EncodePartitionValue(const Type& type, const std::optional<std::string>& text, AvroEncoder& out) {
  if (!text) {
    out.Branch(0);
    return true;
  }
  switch (type.kind) {
    case TypeKind::kDecimal: {
      auto value = ReadUnscaled(*text, type.scale);
      if (!value) return false;
      out.Branch(1).Fixed(BigEndian(*value, DecimalBytes(type.precision)));
      return true;
    }
    case TypeKind::kFloat:
    case TypeKind::kDouble: {
      auto value = FloatingValue(*text);
      if (!value) return false;
      type.kind == TypeKind::kFloat ? out.Branch(1).Float(static_cast<float>(*value)) : out.Branch(1).Double(*value);
      return true;
    }
    case TypeKind::kBoolean: {
      auto value = ReadBoolean(*text);
      if (!value) return false;
      out.Branch(1).Boolean(*value);
      return true;
    }
    case TypeKind::kVarchar:
      out.Branch(1).Bytes(*text);
      return true;
    default: {
      std::optional<std::int64_t> value;
      if (type.kind == TypeKind::kDate) {
        if (auto days = ReadDays(*text)) value = *days;
      } else if (type.kind == TypeKind::kTimestamptz) {
        if (auto time = ReadTime(*text)) value = time->time_since_epoch().count();
      } else {
        value = ReadInteger(*text);
      }
      if (!value) return false;
      out.Branch(1).Long(*value);
      return true;
    }
  }
}

}  // namespace caudal
