#include "lake/value_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace caudal {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

struct Decimal {
  bool negative = false;
  std::string_view whole;     // no leading zeros
  std::string_view fraction;  // no zeros at the end
};

std::optional<Decimal> ReadDecimal(std::string_view text) {
  Decimal number;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    number.negative = text[0] == '-';
    text.remove_prefix(1);
  }
  auto point = text.find('.');
  number.whole = text.substr(0, point);
  if (point != std::string_view::npos) number.fraction = text.substr(point + 1);
  if (number.whole.empty() && number.fraction.empty()) return std::nullopt;
  if (!std::all_of(number.whole.begin(), number.whole.end(), IsDigit) ||
      !std::all_of(number.fraction.begin(), number.fraction.end(), IsDigit)) {
    return std::nullopt;
  }
  number.whole.remove_prefix(std::min(number.whole.find_first_not_of('0'), number.whole.size()));
  auto last = number.fraction.find_last_not_of('0');
  number.fraction = number.fraction.substr(0, last == std::string_view::npos ? 0 : last + 1);
  if (number.whole.empty() && number.fraction.empty()) number.negative = false;
  return number;
}

std::strong_ordering CompareMagnitude(const Decimal& a, const Decimal& b) {
  if (a.whole.size() != b.whole.size()) return a.whole.size() <=> b.whole.size();
  if (auto order = a.whole.compare(b.whole); order != 0) return order <=> 0;
  return a.fraction.compare(b.fraction) <=> 0;
}

std::optional<std::strong_ordering> CompareDecimals(std::string_view a, std::string_view b) {
  auto x = ReadDecimal(a), y = ReadDecimal(b);
  if (!x || !y) return std::nullopt;
  if (x->negative != y->negative) return x->negative ? std::strong_ordering::less : std::strong_ordering::greater;
  return x->negative ? CompareMagnitude(*y, *x) : CompareMagnitude(*x, *y);
}

std::optional<double> ReadDouble(std::string_view text) {
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<std::strong_ordering> CompareDoubles(std::string_view a, std::string_view b) {
  auto x = ReadDouble(a), y = ReadDouble(b);
  if (!x || !y) return std::nullopt;
  if (*x < *y) return std::strong_ordering::less;
  return *x > *y ? std::strong_ordering::greater : std::strong_ordering::equal;
}

std::optional<std::strong_ordering> CompareTimes(std::string_view a, std::string_view b) {
  auto x = ParseTimestamp(a), y = ParseTimestamp(b);
  if (!x || !y) return std::nullopt;
  return x->time_since_epoch().count() <=> y->time_since_epoch().count();
}

}  // namespace

std::optional<std::strong_ordering> CompareValues(const Type& type, std::string_view a, std::string_view b) {
  switch (type.kind) {
    case TypeKind::kTinyint:
    case TypeKind::kSmallint:
    case TypeKind::kInteger:
    case TypeKind::kBigint:
    case TypeKind::kDecimal:
      return CompareDecimals(a, b);
    case TypeKind::kFloat:
    case TypeKind::kDouble:
      return CompareDoubles(a, b);
    case TypeKind::kDate:
    case TypeKind::kTimestamptz:
      return CompareTimes(a, b);
    case TypeKind::kVarchar:  // as bytes, which is how Parquet, Delta and Iceberg order text
      return a.compare(b) <=> 0;
    case TypeKind::kBoolean:
      if ((a != "true" && a != "false") || (b != "true" && b != "false")) return std::nullopt;
      return (a == "true") <=> (b == "true");
    default:
      return std::nullopt;
  }
}

std::string DuckDbTimestamp(Timestamp t) {
  std::string text = FormatTimestamp(t);  // 2026-01-01T01:00:00.123000Z
  text[text.find('T')] = ' ';
  text.pop_back();
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text + "+00";
}

bool IsJsonNumber(std::string_view text) {
  std::size_t i = 0;
  auto digits = [&] {
    std::size_t start = i;
    while (i < text.size() && IsDigit(text[i])) ++i;
    return i - start;
  };
  if (i < text.size() && text[i] == '-') ++i;
  std::size_t first = i;
  std::size_t whole = digits();
  if (whole == 0 || (whole > 1 && text[first] == '0')) return false;
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (digits() == 0) return false;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    if (digits() == 0) return false;
  }
  return i == text.size();
}

}  // namespace caudal
