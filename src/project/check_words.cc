#include "project/check_words.h"

#include <algorithm>
#include <array>

#include "base/clock.h"
#include "project/file_context.h"

namespace caudal {
namespace {

using Argument = CheckWord::Argument;

constexpr std::array<CheckWord, 14> kWords = {{
    {"not_null", Argument::kNone, true, false, true, "not_null"},
    {"unique", Argument::kNone, true, true, false, "unique, or {unique: [a, b]} for the table"},
    {"accepted_values", Argument::kValues, true, false, true, "{accepted_values: [a, b]}"},
    {"pattern", Argument::kPattern, true, false, true, "{pattern: '^[A-Z]+$'}"},
    {"min", Argument::kValue, true, false, true, "{min: 0}"},
    {"max", Argument::kValue, true, false, true, "{max: 100}"},
    {"length", Argument::kRange, true, false, true, "{length: {min: 1, max: 40}}"},
    {"relationships", Argument::kPartner, true, false, false, "{relationships: {to: silver.customers, field: id}}"},
    {"null_percent", Argument::kPercent, true, false, false, "{null_percent: 5%}"},
    {"expression", Argument::kSql, true, true, true, "{expression: \"amount >= 0\"}"},
    {"row_count", Argument::kRange, false, true, false, "{row_count: {min: 1}}"},
    {"row_count_change", Argument::kChange, false, true, false, "{row_count_change: {warn: 5%, fail: 10%}}"},
    {"freshness", Argument::kAge, true, true, false, "{freshness: {column: ts, max: 24h}}"},
    {"sql", Argument::kSql, false, true, false, "{sql: \"SELECT * FROM gold.t WHERE a > b\"}"},
}};

constexpr std::array<CheckAlias, 13> kAliases = {{
    {"expect_column_values_to_not_be_null", "not_null"},
    {"expect_column_values_to_be_unique", "unique"},
    {"expect_compound_columns_to_be_unique", "unique"},
    {"expect_select_column_values_to_be_unique_within_record", ""},
    {"expect_column_values_to_be_between", "between"},
    {"expect_column_values_to_be_in_set", "accepted_values"},
    {"expect_column_values_to_match_regex", "pattern"},
    {"expect_column_value_lengths_to_be_between", "length"},
    {"expect_column_value_lengths_to_equal", "length"},
    {"expect_table_row_count_to_be_between", "row_count"},
    {"expect_table_row_count_to_equal", "row_count"},
    {"unexpected_rows_expectation", "sql"},
    {"expect_column_proportion_of_non_null_values_to_be_between", ""},
}};

bool IsTime(const Type& type) { return type.kind == TypeKind::kDate || type.kind == TypeKind::kTimestamptz; }

std::string WhyValueUnfit(const std::string& value, const Type& type, bool ordered) {
  if (type.numeric()) return IsNumber(value) ? "" : "'" + value + "' is no number, and the column is " + type.ToSql();
  if (IsTime(type)) {
    return ParseTimestamp(value) ? "" : "'" + value + "' is no date or time, and the column is " + type.ToSql();
  }
  if (type.kind == TypeKind::kVarchar) {
    return ordered && IsNumber(value) ? "the column is VARCHAR: cast it to a number" : "";
  }
  if (type.kind == TypeKind::kBoolean && !ordered) {
    return ParseBoolean(value) ? "" : "'" + value + "' is neither true nor false, and the column is BOOLEAN";
  }
  return "a column of type " + type.ToSql() + " cannot be compared with a value";
}

}  // namespace

const CheckWord* FindCheckWord(std::string_view name) {
  auto it = std::find_if(kWords.begin(), kWords.end(), [&](const CheckWord& w) { return name == w.name; });
  return it == kWords.end() ? nullptr : it;
}

std::vector<std::string> CheckNames() {
  std::vector<std::string> names;
  for (const CheckWord& word : kWords) names.emplace_back(word.name);
  return names;
}

std::string_view MeaningOfAlias(std::string_view name) {
  for (const CheckAlias& alias : kAliases) {
    if (name == alias.name) return alias.means;
  }
  return "";
}

std::vector<std::string> AliasNames() {
  std::vector<std::string> names;
  for (const CheckAlias& alias : kAliases) {
    if (*alias.means != '\0') names.emplace_back(alias.name);
  }
  return names;
}

std::string RowCheckNames() {
  std::string names;
  for (const CheckWord& word : kWords) {
    if (word.of_row) names += (names.empty() ? "" : ", ") + std::string(word.name);
  }
  return names;
}

std::string WhyUnfit(const CheckSpec& check, const Type& type) {
  auto arg = [&](const char* key) {
    auto it = check.args.find(key);
    return it == check.args.end() ? std::string() : it->second;
  };
  if (check.name == "min" || check.name == "max") return WhyValueUnfit(arg("value"), type, true);
  if (check.name == "accepted_values") {
    for (const std::string& value : check.values) {
      std::string why = WhyValueUnfit(value, type, false);
      if (!why.empty()) return why;
    }
  }
  bool has_length = type.kind == TypeKind::kVarchar || type.kind == TypeKind::kBlob || type.kind == TypeKind::kList;
  if (check.name == "length" && !has_length) return "a column of type " + type.ToSql() + " has no length";
  if (check.name == "pattern" && type.nested()) return "a column of type " + type.ToSql() + " is no text";
  if (check.name == "freshness" && !IsTime(type)) {
    return "the column is " + type.ToSql() + ", neither DATE nor TIMESTAMPTZ";
  }
  return "";
}

}  // namespace caudal
