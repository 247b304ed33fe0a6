// The types that every part of Caudal can hold: the common denominator of Parquet, Delta, Iceberg and Hudi.
// Values; immutable once built; no thread affinity. Source: docs/formats/types.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace caudal {

enum class TypeKind {
  kBoolean,
  kTinyint,
  kSmallint,
  kInteger,
  kBigint,
  kFloat,
  kDouble,
  kDecimal,      // precision 1..38, scale 0..precision
  kVarchar,      // UTF-8
  kBlob,
  kDate,         // days
  kTimestamptz,  // microseconds, UTC
  kList,         // one child, "element"
  kStruct,       // one child a member
  kMap,          // two children, "key" (VARCHAR) and "value"
};

struct Field;

struct Type {
  TypeKind kind = TypeKind::kVarchar;
  std::uint8_t precision = 0;
  std::uint8_t scale = 0;
  std::vector<Field> children;

  /// SQL as DuckDB spells it: "DECIMAL(12,2)", "STRUCT(a BIGINT, b VARCHAR[])", "MAP(VARCHAR, BIGINT)".
  std::string ToSql() const;
  bool nested() const { return !children.empty(); }
  /// Whole numbers, floating point and decimals.
  bool numeric() const;
  /// Same shape and names; ids do not count.
  friend bool operator==(const Type& a, const Type& b);
};

/// A column, or a child of a nested one.
struct Field {
  std::string name;
  Type type;
  /// Parquet, Iceberg and Caudal field id; 0 = not given yet. Never reused within a table.
  std::int32_t id = 0;
};

/// Reads SQL type text, ours or DuckDB's. Types that no open format holds become the nearest that does:
/// UTINYINT->SMALLINT, USMALLINT->INTEGER, UINTEGER->BIGINT, UBIGINT->DECIMAL(20,0), HUGEINT/UHUGEINT->DECIMAL(38,0),
/// TIMESTAMP (any precision)->TIMESTAMPTZ, TIME, INTERVAL, UUID, ENUM, JSON, BIT->VARCHAR, "NULL"->VARCHAR, T[n]->T[].
/// Errors: kInvalidArgument naming the text and the types that exist.
Result<Type> ParseType(std::string_view sql);

/// True where `from` may become `to` by metadata alone: equal types, integers and floats that widen, a DECIMAL with the same
/// scale and more digits.
bool Widens(const Type& from, const Type& to);

}  // namespace caudal
