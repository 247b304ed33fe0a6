#include "project/check_parse.h"

#include <gtest/gtest.h>

#include <string>

#include "project/check_words.h"
#include "project/sql_text.h"

namespace caudal {
namespace {

// Ids and severities, or the problems.
std::string Parsed(const std::string& list, const std::string& column) {
  YamlOutcome yaml = ReadYaml(list);
  EXPECT_TRUE(yaml.problems.empty()) << list;
  ProblemList problems;
  FileContext file{"m.sql", &problems};
  std::vector<CheckSpec> checks;
  ParseChecks(yaml.root, column, file, checks);
  std::string all;
  for (const Problem& p : problems.Take()) all += (all.empty() ? "" : " | ") + p.ToString();
  if (!all.empty()) return all;
  for (const CheckSpec& check : checks) {
    const char* severity = check.severity == Severity::kWarn ? " warn" : check.severity == Severity::kReject ? " reject" : "";
    all += (all.empty() ? "" : " | ") + check.Id() + severity;
  }
  return all;
}

struct Case {
  const char* column;
  const char* list;
  const char* parsed;
};

TEST(CheckParse, Forms) {
  const Case kCases[] = {
      {"a", "[not_null, unique]", "a.not_null | a.unique"},
      {"a", "[{not_null: }, {unique: true}]", "a.not_null | a.unique"},
      {"a", "[{min: 0}, {max: 10.5}]", "a.min(0) | a.max(10.5)"},
      {"a", "[{min: 0, max: 10, severity: warn}]", "a.min(0) warn | a.max(10) warn"},
      {"a", "[{check: min, value: 0, severity: reject}]", "a.min(0) reject"},
      {"a", "[{min: {value: 3}}]", "a.min(3)"},
      {"a", "[{accepted_values: [a, 'b c', 3]}]", "a.accepted_values(a, b c, 3)"},
      {"a", "[{accepted_values: {values: [a]}}]", "a.accepted_values(a)"},
      {"a", "[{check: accepted_values, values: [a], severity: fail}]", "a.accepted_values(a)"},
      {"a", "[{pattern: '^[A-Z]+$'}]", "a.pattern(^[A-Z]+$)"},
      {"a", "[{length: {min: 1, max: 4}}, {length: {max: 3}}, {length: 5}]", "a.length(1..4) | a.length(..3) | a.length(5..5)"},
      {"a", "[{relationships: {to: Silver.Customers, field: id}}]", "a.relationships(silver.customers.id)"},
      {"a", "[{null_percent: 5%}, {null_percent: {max: 2.5 %}}]", "a.null_percent(5%) | a.null_percent(2.5%)"},
      {"a", "[{expression: 'a > 0'}]", "a.expression(a > 0)"},
      {"a", "[{freshness: 24h}]", "a.freshness(24h)"},
      {"", "[{unique: [a, b]}, {unique: c}]", "unique(a, b) | unique(c)"},
      {"", "[{row_count: {min: 1}}, {row_count: {min: 1, max: 9}}]", "row_count(1..) | row_count(1..9)"},
      {"", "[{row_count_change: {warn: 5%, fail: 10}}]", "row_count_change(warn 5%, fail 10%)"},
      {"", "[{row_count_change: {fail: 10%}}]", "row_count_change(fail 10%)"},
      {"", "[{freshness: {column: ts, max: 24h}}]", "ts.freshness(24h)"},
      {"", "[{check: freshness, column: ts, max: 24h, severity: warn}]", "ts.freshness(24h) warn"},
      {"", "[{expression: 'a > b', severity: reject}]", "expression(a > b) reject"},
      {"", "[{sql: \"SELECT *\\n  FROM t\"}]", "sql(SELECT * FROM t)"},
      {"", "[{check: not_null, column: a}]", "a.not_null"},
      {"a", "[{expect_column_values_to_not_be_null: {}}, {expect_column_values_to_be_unique: {}}]", "a.not_null | a.unique"},
      {"a", "[expect_column_values_to_not_be_null]", "a.not_null"},
      {"a", "[{expect_column_values_to_be_between: {min_value: 0, max_value: 5}, severity: warn}]", "a.min(0) warn | a.max(5) warn"},
      {"", "[{expect_column_values_to_be_between: {column: a, min_value: 0}}]", "a.min(0)"},
      {"a", "[{expect_column_values_to_be_in_set: {value_set: [x, y]}}]", "a.accepted_values(x, y)"},
      {"a", "[{expect_column_values_to_match_regex: {regex: '^x'}}]", "a.pattern(^x)"},
      {"a", "[{expect_column_value_lengths_to_be_between: {min_value: 1}}]", "a.length(1..)"},
      {"a", "[{expect_column_value_lengths_to_equal: {value: 4}}]", "a.length(4..4)"},
      {"", "[{expect_table_row_count_to_be_between: {min_value: 1, max_value: 2}}]", "row_count(1..2)"},
      {"", "[{expect_table_row_count_to_equal: {value: 3}}]", "row_count(3..3)"},
      {"", "[{expect_compound_columns_to_be_unique: {column_list: [a, b]}}]", "unique(a, b)"},
      {"", "[{unexpected_rows_expectation: {unexpected_rows_query: SELECT 1}}]", "sql(SELECT 1)"},
      {"", "", ""},
  };
  for (const Case& c : kCases) EXPECT_EQ(Parsed(c.list, c.column), c.parsed) << c.list;
}

TEST(CheckParse, Mistakes) {
  const Case kCases[] = {
      {"a", "[nt_null]", "m.sql:1:2: unknown check 'nt_null'; did you mean 'not_null'?"},
      {"a", "[{mim: 0}]", "m.sql:1:3: unknown check 'mim'; did you mean 'min'?"},
      {"a", "[{expect_column_values_to_be_uniqe: {}}]", "m.sql:1:3: unknown check 'expect_column_values_to_be_uniqe'; did you mean 'expect_column_values_to_be_unique'?"},
      {"a", "[{check: mni, value: 0}]", "m.sql:1:10: unknown check 'mni'; did you mean 'min'?"},
      {"a", "[min]", "m.sql:1:2: min: needs one value; write {min: 0}"},
      {"a", "[{min: [1, 2]}]", "m.sql:1:8: min: needs one value; write {min: 0}"},
      {"a", "[{min: 0, severity: error}]", "m.sql:1:21: unknown severity 'error'; there are: warn, fail, reject"},
      {"a", "[{severity: warn}]", "m.sql:1:2: a check without a name; write [not_null, {min: 0}]"},
      {"a", "[[not_null]]", "m.sql:1:2: a check should be a word or a map, not a list; write [not_null, {min: 0}]"},
      {"a", "not_null", "m.sql:1:1: 'checks' should be a list, not a value; write [not_null, {min: 0}]"},
      {"a", "[{unique: , severity: reject}]", "m.sql:1:3: unique: cannot reject rows, since it looks at more than one row; severity reject is for not_null, accepted_values, pattern, min, max, length, expression"},
      {"a", "[{accepted_values: []}]", "m.sql:1:20: accepted_values: the list is empty; write {accepted_values: [a, b]}"},
      {"a", "[{accepted_values: [a, ~]}]", "m.sql:1:24: accepted_values: NULL passes anyway; leave it out; not_null forbids it"},
      {"a", "[{pattern: '(a'}]", "m.sql:1:12: pattern: '(' in the pattern is not closed; close it, or write \\("},
      {"a", "[{pattern: '(?=a)'}]", "m.sql:1:12: pattern: look-around (?=...) is not there; write an expression check instead"},
      {"a", "[{pattern: '(a)\\1'}]", "m.sql:1:12: pattern: back references are not there; write the pattern without \\1"},
      {"a", "[{length: {min: -1}}]", "m.sql:1:17: length: min should be a whole number from 0; write {length: {min: 1, max: 40}}"},
      {"a", "[{length: {min: 5, max: 4}}]", "m.sql:1:11: length: min 5 is above max 4; swap them"},
      {"a", "[{length: {mn: 5}}]", "m.sql:1:11: length: needs min, max or both; write {length: {min: 1, max: 40}}"},
      {"a", "[{length: {min: 5, mx: 4}}]", "m.sql:1:20: length: unknown word 'mx'; did you mean 'max'?"},
      {"a", "[{relationships: silver.customers}]", "m.sql:1:18: relationships: needs 'to' and 'field'; write {relationships: {to: silver.customers, field: id}}"},
      {"a", "[{relationships: {to: customers, field: id}}]", "m.sql:1:23: relationships: 'to' should be a table as schema.table, not 'customers'; write {relationships: {to: silver.customers, field: id}}"},
      {"a", "[{null_percent: 120%}]", "m.sql:1:17: null_percent: needs a percentage from 0 to 100; write {null_percent: 5%}"},
      {"a", "[{row_count: {min: 1}}]", "m.sql:1:14: row_count: looks at the whole table; write it in the list 'checks' of the table"},
      {"", "[not_null]", "m.sql:1:2: not_null: looks at a column; write it below columns: <name>: checks"},
      {"", "[unique]", "m.sql:1:2: unique: names no column; write unique, or {unique: [a, b]} for the table"},
      {"", "[{unique: [a, A]}]", "m.sql:1:11: unique: names 'A' twice; name each column once"},
      {"", "[{row_count_change: 5%}]", "m.sql:1:21: row_count_change: needs warn, fail or both; write {row_count_change: {warn: 5%, fail: 10%}}"},
      {"", "[{row_count_change: {warn: 9%, fail: 3%}}]", "m.sql:1:21: row_count_change: warn 9% is above fail 3%; swap them"},
      {"", "[{row_count_change: {warn: 9%}, severity: fail}]", "m.sql:1:3: row_count_change: has warn and fail of its own; leave 'severity' out"},
      {"", "[{freshness: {max: 24h}}]", "m.sql:1:14: freshness: needs a column; write {freshness: {column: ts, max: 24h}}"},
      {"", "[{freshness: {column: ts, max: soon}}]", "m.sql:1:32: freshness: not a duration: 'soon'; write a number and a unit of ms, s, m, h, d, such as 15m or 48h"},
      {"", "[{expression: 'a > 0); DROP TABLE x; --'}]", "m.sql:1:15: expression: ')' in the expression closes nothing; balance the brackets"},
      {"", "[{expression: 'a > 0; b'}]", "m.sql:1:15: expression: ';' in the expression; write one condition, not statements"},
      {"", "[{expression: \"a > 'x\"}]", "m.sql:1:15: expression: a quote in the expression is not closed; close it"},
      {"", "[{expression: 'a > 0 -- x'}]", "m.sql:1:15: expression: a comment in the expression; take it out"},
      {"", "[{expression: ''}]", "m.sql:1:15: expression: needs a condition; write {expression: \"amount >= 0\"}"},
      {"", "[{sql: ' '}]", "m.sql:1:8: sql: needs a SELECT; write {sql: \"SELECT * FROM gold.t WHERE a > b\"}"},
      {"a", "[{expect_column_values_to_not_be_null: {mostly: 0.9}}]", "m.sql:1:41: expect_column_values_to_not_be_null: unknown word 'mostly'; write null_percent, or severity: reject, or an sql check"},
      {"a", "[{expect_column_values_to_be_between: {strict_min: true, min_value: 0}}]", "m.sql:1:40: expect_column_values_to_be_between: unknown word 'strict_min'; there are: min_value, max_value"},
      {"a", "[not_null, {not_null: }]", "m.sql:1:13: the check a.not_null is written twice (first in line 1); keep one of them"},
  };
  for (const Case& c : kCases) EXPECT_EQ(Parsed(c.list, c.column), c.parsed) << c.list;
}

TEST(CheckSpec, LongSqlHasAShortStableId) {
  CheckSpec check;
  check.name = "sql";
  check.args["sql"] = "SELECT " + std::string(500, 'x');
  EXPECT_LT(check.Id().size(), 70U);
  std::string id = check.Id();
  check.args["sql"] += "y";
  EXPECT_NE(check.Id(), id);
}

TEST(SqlText, TokensStringsCommentsAndNames) {
  std::string sql = "SELECT \"a \"\"b\", 'it''s', E'\\'', $$x ; y$$, $p /* /* n */ */ -- end\n FROM S.\"T\"";
  std::string kinds;
  for (const SqlToken& token : SqlTokens(sql)) kinds += std::to_string(static_cast<int>(token.kind));
  EXPECT_EQ(kinds, "0152525254660051");
  EXPECT_EQ(TableMentions(sql, {"s.t"}).size(), 1U);
  EXPECT_EQ(ReplaceTables("SELECT 's.t', s.t.a FROM S . t, x.s.t", {{"s.t", "NEW"}}), "SELECT 's.t', NEW.a FROM NEW, x.s.t");
  EXPECT_EQ(ReplaceParameters("$a + '$a' + $ab + $A", {{"a", "1"}}), "1 + '$a' + $ab + 1");
}

TEST(SqlText, PatternsOfRe2Pass) {
  for (const char* good : {"^[^@]+@[^@]+$", "a{2,3}", "(?i)x", "(?:a|b)*?", "[]a]", "[[:alpha:]]+", "\\(", "a|b", "[*+?]", "^\\d+$", ".*", "(?P<n>x)+", "|x", "\\Qa(\\E"}) {
    Status status = CheckPatternText(good);
    EXPECT_TRUE(status.has_value()) << good << ": " << (status ? "" : status.error().message);
  }
  for (const char* bad : {"(", ")", "[a", "*a", "a**", "(?<=x)", "\\", "\\2", "(|*)"}) {
    EXPECT_FALSE(CheckPatternText(bad).has_value()) << bad;
  }
}

TEST(Nearest, FindsSlipsAndNothingElse) {
  std::vector<std::string> names = {"materialize", "inputs", "silver.orders", "gold.sales"};
  EXPECT_EQ(Nearest("materialise", names), "materialize");
  EXPECT_EQ(Nearest("inptus", names), "inputs");
  EXPECT_EQ(Nearest("orders", names), "silver.orders");
  EXPECT_EQ(Nearest("bronze.orders", names), "silver.orders");
  EXPECT_EQ(Nearest("mat", names), "materialize");
  EXPECT_EQ(Nearest("zebra", names), "");
  EXPECT_EQ(Nearest("", names), "");
}

}  // namespace
}  // namespace caudal
