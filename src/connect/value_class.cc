#include "connect/value_class.h"

#include <algorithm>
#include <cstdint>

namespace caudal {
namespace {

struct Cursor {
  const char* at;
  const char* end;

  bool done() const { return at == end; }
  bool Take(char c) {
    if (at == end || *at != c) return false;
    ++at;
    return true;
  }
  /// Digits from here; their number.
  std::int32_t Digits() {
    const char* begin = at;
    while (at != end && static_cast<unsigned char>(*at - '0') < 10) ++at;
    return static_cast<std::int32_t>(at - begin);
  }
  /// Exactly two digits; -1 where there are none.
  int Two() {
    if (end - at < 2 || static_cast<unsigned char>(at[0] - '0') > 9 || static_cast<unsigned char>(at[1] - '0') > 9) {
      return -1;
    }
    const int value = (at[0] - '0') * 10 + (at[1] - '0');
    at += 2;
    return value;
  }
};

int DaysIn(int year, int month) {
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[month - 1];
}

bool TakeZone(Cursor& c) {
  if (c.done() || c.Take('Z')) return true;
  if (!c.Take('+') && !c.Take('-')) return false;
  const int hours = c.Two();
  if (hours < 0 || hours > 14) return false;
  if (c.done()) return true;
  if (!c.Take(':')) return false;
  const int minutes = c.Two();
  return minutes >= 0 && minutes < 60;
}

/// `c` stands behind the four digits of `year`.
std::uint32_t ClassOfDate(Cursor c, int year) {
  if (year < 1 || !c.Take('-')) return 0;
  const int month = c.Two();
  if (month < 1 || month > 12 || !c.Take('-')) return 0;
  const int day = c.Two();
  if (day < 1 || day > DaysIn(year, month)) return 0;
  if (c.done()) return ColumnFacts::kDate | ColumnFacts::kTimestamp;
  if (!c.Take(' ') && !c.Take('T')) return 0;
  const int hour = c.Two();
  if (hour < 0 || hour > 23 || !c.Take(':')) return 0;
  const int minute = c.Two();
  if (minute < 0 || minute > 59) return 0;
  if (c.done()) return ColumnFacts::kTimestamp;
  // A zone right behind the minutes is read by some and refused by others.
  if (!c.Take(':')) return 0;
  const int second = c.Two();
  if (second < 0 || second > 59) return 0;
  if (c.Take('.')) {
    const std::int32_t digits = c.Digits();
    if (digits < 1 || digits > 6) return 0;
  }
  return TakeZone(c) && c.done() ? std::uint32_t{ColumnFacts::kTimestamp} : std::uint32_t{0};
}

bool IsWord(std::string_view value, std::string_view lower) {
  return value.size() == lower.size() &&
         std::equal(value.begin(), value.end(), lower.begin(), [](char a, char b) { return (a | 0x20) == b; });
}

}  // namespace

void NarrowFacts(ColumnFacts& facts, std::string_view value) {
  if (value.empty()) return;
  facts.any = true;
  Cursor c{value.data(), value.data() + value.size()};
  const bool negative = c.Take('-');
  const char* first = c.at;
  const std::int32_t whole = c.Digits();
  if (whole == 0) {
    facts.classes &= IsWord(value, "true") || IsWord(value, "false") ? std::uint32_t{ColumnFacts::kBoolean | kNoValues} : kNoValues;
    return;
  }
  if (whole == 4 && !negative && !c.done() && *c.at == '-') {
    const int year = (first[0] - '0') * 1000 + (first[1] - '0') * 100 + (first[2] - '0') * 10 + (first[3] - '0');
    facts.classes &= ClassOfDate(c, year) | kNoValues;
    return;
  }
  std::uint32_t classes = ColumnFacts::kDecimal | ColumnFacts::kDouble;
  if (whole == 1 || *first != '0') classes |= ColumnFacts::kPlain;
  std::int32_t fraction = 0;
  if (c.done()) {
    if (whole <= 18) classes |= ColumnFacts::kInteger;
  } else {
    if (c.Take('.')) {
      fraction = c.Digits();
      if (fraction == 0) classes = 0;
    }
    if (!c.done()) {
      classes &= ~std::uint32_t{ColumnFacts::kDecimal};
      if (!c.Take('e') && !c.Take('E')) classes = 0;
      if (!c.Take('-')) c.Take('+');
      const std::int32_t exponent = c.Digits();
      if (exponent < 1 || exponent > 2 || !c.done()) classes = 0;
    }
  }
  facts.integer_digits = std::max(facts.integer_digits, whole);
  facts.fraction_digits = std::max(facts.fraction_digits, fraction);
  facts.classes &= classes | kNoValues;
}

ColumnFacts JoinFacts(const ColumnFacts& a, const ColumnFacts& b) {
  const std::uint32_t no_values = (a.classes | b.classes) & kNoValues;
  if (!a.any || !b.any) {
    ColumnFacts one = a.any ? a : b;
    one.classes |= no_values;
    return one;
  }
  return ColumnFacts{(a.classes & b.classes) | no_values, true, std::max(a.integer_digits, b.integer_digits),
                     std::max(a.fraction_digits, b.fraction_digits)};
}

bool SurelyFits(const ColumnFacts& facts, const Type& type) {
  if ((facts.classes & kNoValues) != 0 && type.kind != TypeKind::kVarchar) return false;
  if (type.kind == TypeKind::kVarchar || !facts.any) return !type.nested();
  const auto are = [&](std::uint32_t bits) { return (facts.classes & bits) == bits; };
  switch (type.kind) {
    case TypeKind::kTinyint:
      return are(ColumnFacts::kInteger) && facts.integer_digits <= 2;
    case TypeKind::kSmallint:
      return are(ColumnFacts::kInteger) && facts.integer_digits <= 4;
    case TypeKind::kInteger:
      return are(ColumnFacts::kInteger) && facts.integer_digits <= 9;
    case TypeKind::kBigint:
      return are(ColumnFacts::kInteger);
    case TypeKind::kDouble:
      return are(ColumnFacts::kDouble) && facts.integer_digits <= 100;
    case TypeKind::kDecimal:
      return are(ColumnFacts::kDecimal) && facts.integer_digits <= type.precision - type.scale &&
             facts.fraction_digits <= type.scale;
    case TypeKind::kBoolean:
      return are(ColumnFacts::kBoolean);
    case TypeKind::kDate:
      return are(ColumnFacts::kDate);
    case TypeKind::kTimestamptz:
      return are(ColumnFacts::kTimestamp);
    default:
      return false;
  }
}

Type InferredType(const ColumnFacts& facts) {
  const auto of = [](TypeKind kind) { return Type{kind, 0, 0, {}}; };
  const auto are = [&](std::uint32_t bits) { return (facts.classes & bits) == bits; };
  if (!facts.any) return of(TypeKind::kVarchar);
  if (are(ColumnFacts::kInteger | ColumnFacts::kPlain)) return of(TypeKind::kBigint);
  if (are(ColumnFacts::kDouble | ColumnFacts::kPlain)) {
    // Longer whole numbers are identifiers that a DOUBLE would round.
    const bool rounded = facts.integer_digits > 15 && facts.fraction_digits == 0;
    return of(rounded ? TypeKind::kVarchar : TypeKind::kDouble);
  }
  if (are(ColumnFacts::kBoolean)) return of(TypeKind::kBoolean);
  if (are(ColumnFacts::kDate)) return of(TypeKind::kDate);
  if (are(ColumnFacts::kTimestamp)) return of(TypeKind::kTimestamptz);
  return of(TypeKind::kVarchar);
}

}  // namespace caudal
