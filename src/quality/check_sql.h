// A check as pieces of SQL. Pure functions; the statements around them: audit.cc.
#pragma once

#include <string>

#include "data/schema.h"
#include "project/check_spec.h"

namespace caudal {

/// The argument of that name, or "".
std::string ArgOf(const CheckSpec& check, const char* key);

/// SQL condition that is true for a row which breaks a row check. NULL passes every check but not_null. `field` is the
/// check's column; null for a condition of the table.
std::string BrokenRow(const CheckSpec& check, const Field* field);

/// `value` as SQL that compares with the column as the user means it: numbers stay numbers, times are UTC.
std::string ComparableLiteral(const std::string& value, const Type& type);

/// Where a custom SELECT sees the table `table` ("silver.orders"): a view of the audit's own, of the same name in another schema,
/// so that `orders.amount` still means it.
std::string AuditSchemaOf(const std::string& table);
std::string AuditViewOf(const std::string& table);

/// Steps of one audit, by name: `prefix` + one of these (+ the check's index).
std::string MeasuresStep(const std::string& prefix);
std::string TableMeasuresStep(const std::string& prefix);
std::string ExamplesStep(const std::string& prefix);
std::string CheckStep(const std::string& prefix, std::size_t index);

/// What both sides of an audit must agree on.
enum class MeasureKind {
  kRow,      // counted over the rows looked at, examples apart
  kTable,    // one number of the candidate
  kUnique,   // a query of its own: keys that stand more than once
  kPartner,  // a query of its own: rows without a partner
  kSql,      // a query of its own: the user's
  kNone,     // cannot be measured: its column or partner is missing
  kProven,   // unique by the merge's own key search
};

}  // namespace caudal
