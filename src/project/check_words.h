// The words of checks as data: which there are, where they stand, what they take; Great Expectations' names for them.
// docs/checks.md says the same to users.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/type.h"
#include "project/check_spec.h"

namespace caudal {

struct CheckWord {
  enum class Argument { kNone, kValue, kValues, kPattern, kRange, kPartner, kPercent, kChange, kAge, kSql };
  const char* name;
  Argument argument;
  bool of_column;  // stands below a column
  bool of_table;   // stands in the table's list without naming a column
  bool of_row;     // looks at one row alone, hence may have severity reject
  const char* example;
};

/// The word of that name, or nullptr. Not the aliases.
const CheckWord* FindCheckWord(std::string_view name);
/// Our names, in the order of the page.
std::vector<std::string> CheckNames();

/// A name of Great Expectations: the check of ours that it means, "" where there is none. "between" stands for min and max,
/// "length" and "row_count" take its value for both ends.
struct CheckAlias {
  const char* name;
  const char* means;
};
std::string_view MeaningOfAlias(std::string_view name);
std::vector<std::string> AliasNames();

/// "min, max, ... ": the checks that may reject rows.
std::string RowCheckNames();

/// Why a check cannot look at a column of this type, or "".
std::string WhyUnfit(const CheckSpec& check, const Type& type);

}  // namespace caudal
