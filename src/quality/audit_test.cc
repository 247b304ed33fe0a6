// The SQL by its text, the verdicts by answers as DuckDB gives them. That the SQL runs is shown end to end.
#include "quality/audit.h"

#include <gtest/gtest.h>

#include <string>

namespace caudal {
namespace {

CheckSpec Check(const std::string& name, const std::string& column, std::map<std::string, std::string> args,
                std::vector<std::string> values, Severity severity) {
  CheckSpec check;
  check.name = name;
  check.column = column;
  check.args = std::move(args);
  check.values = std::move(values);
  check.severity = severity;
  return check;
}
CheckSpec Min(const std::string& column, const std::string& value, Severity severity) {
  return Check("min", column, {{"value", value}}, {}, severity);
}

Schema Columns() {
  Schema schema;
  for (auto [name, type] : {std::pair{"id", "BIGINT"}, {"amount", "DECIMAL(12,2)"}, {"a \"b\"", "VARCHAR"},
                            {"day", "DATE"}, {"ts", "TIMESTAMPTZ"}, {"tags", "VARCHAR[]"}}) {
    schema.fields.push_back(Field{name, *ParseType(type), 0});
  }
  return schema;
}

AuditScope Scope() {
  AuditScope scope;
  scope.table = "silver.orders";
  scope.changed = "\"new\"";
  scope.candidate = "\"all\"";
  scope.columns = Columns();
  return scope;
}

std::string Names(const ComputeJob& job) {
  std::string names;
  for (const Step& step : job.steps) names += step.name + " ";
  return names;
}

const Step& StepNamed(const ComputeJob& job, const std::string& name) {
  for (const Step& step : job.steps) {
    if (step.name == name) return step;
  }
  ADD_FAILURE() << name << " is not among " << Names(job);
  return job.steps.front();
}

StepResult Answer(const std::string& name, const std::vector<std::string>& columns,
                  const std::vector<std::vector<Cell>>& rows) {
  StepResult result;
  result.name = name;
  for (const std::string& column : columns) result.rows.schema.fields.push_back(Field{column, *ParseType("VARCHAR"), 0});
  result.rows.rows = rows;
  return result;
}

const Timestamp kNow = *ParseTimestamp("2026-02-01T12:00:00Z");

TEST(AddAudit, NothingToCheckNothingToRun) {
  ComputeJob job;
  AddAudit(job, Scope(), {}, "c_");
  EXPECT_TRUE(job.steps.empty());
  ComputeResult none;
  EXPECT_TRUE(Judge(none, Scope(), {}, "c_", kNow)->empty());
}

TEST(AddAudit, AllRowChecksAreOneScanOfTheChangedRows) {
  std::vector<CheckSpec> checks = {
      Check("not_null", "ID", {}, {}, Severity::kFail), Min("amount", "-1.5", Severity::kFail),
      Check("max", "day", {{"value", "2026-01-01"}}, {}, Severity::kFail),
      Check("min", "ts", {{"value", "2026-01-01"}}, {}, Severity::kFail),
      Check("pattern", "a \"b\"", {{"value", "^it's"}}, {}, Severity::kFail),
      Check("accepted_values", "a \"b\"", {}, {"x", "y'"}, Severity::kFail),
      Check("length", "tags", {{"min", "1"}, {"max", "3"}}, {}, Severity::kFail),
      Check("expression", "", {{"expression", "amount > 0 OR id = 1"}}, {}, Severity::kWarn)};
  ComputeJob job;
  AddAudit(job, Scope(), checks, "c_");
  EXPECT_EQ(Names(job), "c_measures_scan c_measures c_examples ");
  EXPECT_EQ(StepNamed(job, "c_measures_scan").sql,
            "CREATE OR REPLACE TEMP TABLE \"c_measures\" AS SELECT count(*) AS \"rows\",\n"
            "count(*) FILTER (WHERE \"id\" IS NULL) AS \"n0\",\n"
            "count(*) FILTER (WHERE \"amount\" < -1.5) AS \"n1\",\nmin(\"amount\") AS \"v1\",\n"
            "count(*) FILTER (WHERE \"day\" > CAST('2026-01-01' AS DATE)) AS \"n2\",\nmax(\"day\") AS \"v2\",\n"
            "count(*) FILTER (WHERE \"ts\" < CAST('2026-01-01T00:00:00.000000Z' AS TIMESTAMPTZ)) AS \"n3\",\nmin(\"ts\") AS \"v3\",\n"
            "count(*) FILTER (WHERE NOT regexp_matches(CAST(\"a \"\"b\"\"\" AS VARCHAR), '^it''s')) AS \"n4\",\n"
            "count(*) FILTER (WHERE \"a \"\"b\"\"\" NOT IN ('x', 'y''')) AS \"n5\",\n"
            "count(*) FILTER (WHERE len(\"tags\") < 1 OR len(\"tags\") > 3) AS \"n6\",\n"
            "count(*) FILTER (WHERE NOT (\namount > 0 OR id = 1\n)) AS \"n7\"\nFROM \"new\"");
  const Step& examples = StepNamed(job, "c_examples");
  EXPECT_EQ(examples.max_rows, 8 * 5);
  EXPECT_NE(examples.sql.find("(SELECT 1 AS caudal_check, caudal_row.* FROM \"new\" AS caudal_row CROSS JOIN (SELECT 1 AS "
                              "caudal_audit_gate FROM \"c_measures\" WHERE \"n1\" > 0) AS caudal_gate\nWHERE \"amount\" < -1.5 LIMIT 5)"),
            std::string::npos)
      << examples.sql;
}

TEST(AddAudit, MeasuresOfTheTableJoinTheScanWhereItIsTheSame) {
  std::vector<CheckSpec> checks = {Min("amount", "0", Severity::kFail),
                                   Check("row_count", "", {{"min", "1"}}, {}, Severity::kFail),
                                   Check("null_percent", "id", {{"max", "5"}}, {}, Severity::kFail),
                                   Check("freshness", "ts", {{"max", "1d"}, {"column", "ts"}}, {}, Severity::kFail)};
  ComputeJob part, whole;
  AuditScope scope = Scope();
  AddAudit(part, scope, checks, "c_");
  EXPECT_EQ(Names(part), "c_measures_scan c_measures c_examples c_table_measures_scan c_table_measures ");
  EXPECT_EQ(StepNamed(part, "c_table_measures_scan").sql,
            "CREATE OR REPLACE TEMP TABLE \"c_table_measures\" AS SELECT count(*) AS \"rows\",\n"
            "count(*) - count(\"id\") AS \"n2\",\nepoch_us(max(\"ts\")) AS \"v3\"\nFROM \"all\"");
  scope.whole = true;
  AddAudit(whole, scope, checks, "c_");
  EXPECT_EQ(Names(whole), "c_measures_scan c_measures c_examples ");
  EXPECT_NE(StepNamed(whole, "c_measures_scan").sql.find("epoch_us"), std::string::npos);
  EXPECT_NE(StepNamed(whole, "c_measures_scan").sql.find("FROM \"all\""), std::string::npos);
}

TEST(AddAudit, QueriesOfTheirOwn) {
  AuditScope scope = Scope();
  scope.others = {{"silver.customers", "other.c"}};
  scope.proven_unique = {"id"};
  std::vector<CheckSpec> checks = {
      Check("unique", "ID", {}, {}, Severity::kFail),
      Check("unique", "", {}, {"day", "A \"b\""}, Severity::kFail),
      Check("relationships", "id", {{"to", "silver.customers"}, {"field", "k"}}, {}, Severity::kFail),
      Check("sql", "", {{"sql", "SELECT * FROM silver.orders WHERE id IN (SELECT k FROM silver.customers);\n"}},
            {"silver.customers"}, Severity::kFail),
      Check("unique", "", {}, {"id", "day"}, Severity::kFail)};
  ComputeJob job;
  AddAudit(job, scope, checks, "c_");
  EXPECT_EQ(Names(job), "c_schema c_view c_view c_check1 c_check2_scan c_check2 c_check3 ");
  EXPECT_NE(StepNamed(job, "c_check1").sql.find("FROM \"all\" AS caudal_row SEMI JOIN \"new\" AS caudal_new USING (\"day\", \"a \"\"b\"\"\")"),
            std::string::npos);
  EXPECT_NE(StepNamed(job, "c_check2_scan").sql.find("ANTI JOIN other.c AS caudal_partner ON caudal_row.\"id\" = caudal_partner.\"k\""),
            std::string::npos);
  const Step& custom = StepNamed(job, "c_check3");
  EXPECT_TRUE(custom.user_sql);
  EXPECT_EQ(custom.sql,
            "SELECT count(*) OVER () AS caudal_count, * FROM (\nSELECT * FROM \"caudal_audit_silver\".\"orders\" WHERE id IN "
            "(SELECT k FROM \"caudal_audit_silver\".\"customers\")\n) LIMIT 5");
  for (const Step& step : job.steps) EXPECT_EQ(step.user_sql, step.name == "c_check3");
}

TEST(Judge, RowChecks) {
  std::vector<CheckSpec> checks = {Min("amount", "0", Severity::kFail), Min("id", "1", Severity::kReject),
                                   Check("not_null", "day", {}, {}, Severity::kWarn),
                                   Check("accepted_values", "a \"b\"", {}, {"x", "y"}, Severity::kFail)};
  ComputeResult result;
  result.steps.push_back(Answer("c_measures", {"rows", "n0", "v0", "n1", "v1", "n2", "n3"},
                                {{"4000", "12", "-3.50", "1", "0", "2000", "0"}}));
  result.steps.push_back(Answer("c_examples", {"caudal_check", "id", "amount"},
                                {{"0", "7", "-3.50"}, {"1", "0", "1"}, {"0", "8", "-1"}, {"2", "9", Cell()}}));
  Result<std::vector<CheckResult>> judged = Judge(result, Scope(), checks, "c_", kNow);
  ASSERT_TRUE(judged.has_value()) << judged.error().message;
  const CheckResult& low = (*judged)[0];
  EXPECT_EQ(low.id, "amount.min(0)");
  EXPECT_EQ(low.verdict, Verdict::kFail);
  EXPECT_EQ(low.failing_rows, 12);
  EXPECT_EQ(low.observed, "12 of 4,000 rows, min -3.50");
  EXPECT_EQ(low.message, "12 of 4,000 rows are below 0; the lowest is -3.50");
  ASSERT_EQ(low.examples.rows.size(), 2U);
  EXPECT_EQ(low.examples.rows[1][0], "8");
  EXPECT_EQ(low.examples.schema.fields.at(0).name, "id");
  EXPECT_TRUE(low.examples.truncated);
  EXPECT_EQ((*judged)[1].verdict, Verdict::kReject);
  EXPECT_EQ((*judged)[1].message, "1 of 4,000 rows is below 1; the lowest is 0");
  EXPECT_EQ((*judged)[2].verdict, Verdict::kWarn);
  EXPECT_EQ((*judged)[2].message, "2,000 of 4,000 rows are NULL");
  EXPECT_EQ((*judged)[3].verdict, Verdict::kPass);
  EXPECT_EQ((*judged)[3].message, "");
  EXPECT_EQ((*judged)[3].observed, "4,000 rows");
}

struct TableCase {
  CheckSpec check;
  std::vector<Cell> measures;  // rows, n0, v0
  std::optional<std::int64_t> before;
  Verdict verdict;
  const char* observed;
  const char* message;
};

TEST(Judge, TableChecks) {
  auto change = [](std::map<std::string, std::string> args) { return Check("row_count_change", "", std::move(args), {}, Severity::kFail); };
  auto fresh = [] { return Check("freshness", "ts", {{"max", "24h"}}, {}, Severity::kFail); };
  auto time = [](const char* text) { return std::to_string(ParseTimestamp(text)->time_since_epoch().count()); };
  const std::vector<TableCase> kCases = {
      {Check("row_count", "", {{"min", "1000"}}, {}, Severity::kFail), {"900"}, {}, Verdict::kFail, "900 rows", "900 rows, fewer than 1,000"},
      {Check("row_count", "", {{"max", "10"}}, {}, Severity::kWarn), {"1000000"}, {}, Verdict::kWarn, "1,000,000 rows", "1,000,000 rows, more than 10"},
      {Check("row_count", "", {{"min", "1"}, {"max", "10"}}, {}, Severity::kFail), {"1"}, {}, Verdict::kPass, "1 row", ""},
      {change({{"warn", "5"}, {"fail", "10"}}), {"940"}, 1000, Verdict::kWarn, "940 rows, before 1,000 (-6.0 %)", "940 rows, before 1,000 (-6.0 %), more than 5 %"},
      {change({{"warn", "5"}, {"fail", "10"}}), {"1200"}, 1000, Verdict::kFail, "1,200 rows, before 1,000 (+20.0 %)", "1,200 rows, before 1,000 (+20.0 %), more than 10 %"},
      {change({{"warn", "5"}, {"fail", "10"}}), {"1050"}, 1000, Verdict::kPass, "1,050 rows, before 1,000 (+5.0 %)", ""},
      {change({{"fail", "10"}}), {"0"}, 1000, Verdict::kFail, "0 rows, before 1,000 (-100.0 %)", "0 rows, before 1,000 (-100.0 %), more than 10 %"},
      {change({{"fail", "10"}}), {"7"}, {}, Verdict::kPass, "7 rows, nothing before to compare with", ""},
      {change({{"fail", "10"}}), {"7"}, 0, Verdict::kPass, "7 rows, nothing before to compare with", ""},
      {Check("null_percent", "id", {{"max", "5"}}, {}, Severity::kFail), {"200", "11"}, {}, Verdict::kFail, "11 of 200 rows are NULL (5.5 %)", "11 of 200 rows are NULL (5.5 %), more than 5 %"},
      {Check("null_percent", "id", {{"max", "5"}}, {}, Severity::kFail), {"0", "0"}, {}, Verdict::kPass, "0 of 0 rows are NULL (0.0 %)", ""},
      {fresh(), {"5", "", time("2026-02-01T02:00:00Z")}, {}, Verdict::kPass, "newest 2026-02-01T02:00:00Z, 10h ago", ""},
      {fresh(), {"5", "", time("2026-01-31T06:30:00Z")}, {}, Verdict::kFail, "newest 2026-01-31T06:30:00Z, 1d5h30m ago", "the newest value is 2026-01-31T06:30:00Z, 1d5h30m old, older than 24h"},
      {fresh(), {"5", "", Cell()}, {}, Verdict::kFail, "no value", "there is no value, hence none newer than 24h"},
  };
  for (const TableCase& c : kCases) {
    ComputeResult result;
    std::vector<Cell> row = c.measures;
    row.resize(3);
    result.steps.push_back(Answer("c_table_measures", {"rows", "n0", "v0"}, {row}));
    AuditScope scope = Scope();
    scope.rows_before = c.before;
    Result<std::vector<CheckResult>> judged = Judge(result, scope, {c.check}, "c_", kNow);
    ASSERT_TRUE(judged.has_value()) << judged.error().message;
    EXPECT_EQ((*judged)[0].verdict, c.verdict) << c.observed;
    EXPECT_EQ((*judged)[0].observed, c.observed);
    EXPECT_EQ((*judged)[0].message, c.message);
  }
}

TEST(Judge, UniquePartnersAndSql) {
  AuditScope scope = Scope();
  scope.others = {{"silver.customers", "c"}};
  std::vector<CheckSpec> checks = {Check("unique", "", {}, {"id", "day"}, Severity::kFail),
                                   Check("relationships", "id", {{"to", "silver.customers"}, {"field", "k"}}, {}, Severity::kWarn),
                                   Check("sql", "", {{"sql", "SELECT 1"}}, {}, Severity::kFail)};
  ComputeResult bad;
  bad.steps.push_back(Answer("c_check0", {"caudal_count", "caudal_sum", "id", "day", "rows"}, {{"7", "15", "1", "2026-01-01", "3"}, {"7", "15", "2", "2026-01-01", "2"}}));
  bad.steps.push_back(Answer("c_check1", {"caudal_count", "id"}, {{"1", "9"}}));
  bad.steps.push_back(Answer("c_check2", {"caudal_count", "id"}, {{"4000", "9"}}));
  auto judged = *Judge(bad, scope, checks, "c_", kNow);
  EXPECT_EQ(judged[0].message, "7 keys stand in 15 rows, such as id 1, day 2026-01-01 in 3");
  EXPECT_EQ(judged[0].failing_rows, 15);
  EXPECT_EQ(judged[0].examples.rows.size(), 2U);
  EXPECT_EQ(judged[1].verdict, Verdict::kWarn);
  EXPECT_EQ(judged[1].message, "1 row has no partner in silver.customers.k");
  EXPECT_EQ(judged[2].message, "4,000 rows are wrong");
  ComputeResult good;
  for (const char* name : {"c_check0", "c_check1", "c_check2"}) good.steps.push_back(Answer(name, {}, {}));
  judged = *Judge(good, scope, checks, "c_", kNow);
  ASSERT_EQ(judged.size(), 3U);
  for (const CheckResult& result : judged) EXPECT_EQ(result.verdict, Verdict::kPass);
}

TEST(Judge, FailsClosed) {
  // A column or a partner that is not there, and a step that gave nothing.
  std::vector<CheckSpec> checks = {Check("not_null", "nobody", {}, {}, Severity::kWarn),
                                   Check("relationships", "id", {{"to", "gold.x"}, {"field", "k"}}, {}, Severity::kWarn)};
  ComputeResult none;
  auto judged = *Judge(none, Scope(), checks, "c_", kNow);
  EXPECT_EQ(judged[0].verdict, Verdict::kFail);
  EXPECT_EQ(judged[0].message, "the table has no column 'nobody'");
  EXPECT_EQ(judged[1].verdict, Verdict::kFail);
  EXPECT_EQ(judged[1].message, "the table gold.x is not there");
  Result<std::vector<CheckResult>> missing = Judge(none, Scope(), {Min("id", "0", Severity::kFail)}, "c_", kNow);
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().kind, ErrorKind::kInternal);
}

TEST(RejectRule, FirstBrokenCheckNamesTheReason) {
  std::vector<CheckSpec> checks = {Min("amount", "0", Severity::kReject), Min("id", "0", Severity::kFail),
                                   Check("not_null", "id", {}, {}, Severity::kReject),
                                   Check("expression", "", {{"expression", "id > 1"}}, {}, Severity::kReject),
                                   Check("unique", "id", {}, {}, Severity::kReject)};
  RejectRule rule = RejectRuleOf(checks, Columns());
  EXPECT_EQ(rule.condition,
            "(coalesce(\"amount\" < 0, false) OR coalesce(\"id\" IS NULL, false) OR coalesce(NOT (\nid > 1\n), false))");
  EXPECT_EQ(rule.reason,
            "CASE WHEN coalesce(\"amount\" < 0, false) THEN 'amount.min(0)' || ': ' || coalesce(CAST(\"amount\" AS VARCHAR), "
            "'NULL') WHEN coalesce(\"id\" IS NULL, false) THEN 'id.not_null' WHEN coalesce(NOT (\nid > 1\n), false) THEN "
            "'expression(id > 1)' END");
  EXPECT_EQ(rule.column, "CASE WHEN coalesce(\"amount\" < 0, false) THEN 'amount' WHEN coalesce(\"id\" IS NULL, false) THEN "
                         "'id' WHEN coalesce(NOT (\nid > 1\n), false) THEN CAST(NULL AS VARCHAR) END");
  EXPECT_EQ(RejectRuleOf({Min("id", "0", Severity::kFail)}, Columns()).condition, "");
}

TEST(RowCheck, LooksAtOneRowAlone) {
  for (const char* name : {"not_null", "accepted_values", "pattern", "min", "max", "length", "expression"}) {
    EXPECT_TRUE(IsRowCheck(Check(name, "a", {}, {}, Severity::kFail))) << name;
  }
  for (const char* name : {"unique", "relationships", "null_percent", "row_count", "row_count_change", "freshness", "sql"}) {
    EXPECT_FALSE(IsRowCheck(Check(name, "a", {}, {}, Severity::kFail))) << name;
  }
  // A condition with a look at another table may break without its row changing.
  EXPECT_FALSE(IsRowCheck(Check("expression", "a", {{"expression", "a > 1"}}, {"silver.x"}, Severity::kFail)));
}

}  // namespace
}  // namespace caudal
