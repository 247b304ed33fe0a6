#include "duckdb/analyze.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace caudal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Schema Columns(const std::vector<std::pair<std::string, std::string>>& columns) {
  Schema schema;
  for (const auto& [name, type] : columns) schema.fields.push_back(Field{name, ParseType(type).value(), 0});
  return schema;
}

AnalyzeJob Catalog() {
  AnalyzeJob job;
  job.tables.push_back(CatalogTable{
      "s", "o", Columns({{"id", "BIGINT"}, {"d", "DATE"}, {"x", "DOUBLE"}, {"cid", "BIGINT"}, {"ts", "TIMESTAMPTZ"}})});
  job.tables.push_back(
      CatalogTable{"s", "p", Columns({{"id", "BIGINT"}, {"day", "DATE"}, {"amount", "DECIMAL(12,2)"}})});
  job.tables.push_back(CatalogTable{"s", "c", Columns({{"cid", "BIGINT"}, {"name", "VARCHAR"}, {"d", "DATE"}})});
  job.tables.push_back(CatalogTable{
      "s", "l",
      Columns({{"id", "BIGINT"}, {"d", "DATE"}, {"tags", "VARCHAR[]"}, {"a", "STRUCT(zip VARCHAR, d DATE)"}})});
  return job;
}

AnalyzeResult Analyze(const AnalyzeJob& job) {
  auto connection = Connection::Open();
  EXPECT_TRUE(connection) << connection.error().message;
  auto result = RunAnalyzeJob(**connection, job);
  EXPECT_TRUE(result) << result.error().message;
  return result ? *result : AnalyzeResult{};
}

Analysis AnalyzeOne(const std::string& sql, const std::string& partition_by = "") {
  AnalyzeJob job = Catalog();
  job.queries.push_back(AnalyzeQuery{"q", sql, partition_by});
  return Analyze(job).queries.at(0);
}

// What each query's partition column d proves. `inputs`: "s.o:d s.p:day", or "" where nothing is proved; then `why`.
struct PartitionCase {
  const char* sql;
  const char* inputs;
  const char* why;
};

TEST(Analyze, PartitionWiseCases) {
  const PartitionCase cases[] = {
      // projection and filter
      {"SELECT d, x * 2 AS y FROM s.o WHERE x > 0", "s.o:d", ""},
      {"SELECT day AS d, amount FROM s.p", "s.p:day", ""},
      {"SELECT * FROM s.o ORDER BY x", "s.o:d", ""},
      {"SELECT ts::DATE AS d FROM s.o", "", "computed"},
      {"SELECT DATE '2026-01-01' AS d FROM s.o", "", "constant"},
      {"SELECT id FROM s.o", "", "no column d"},
      {"SELECT a.d AS d FROM s.l", "", "computed"},
      // aggregates
      {"SELECT d, sum(x) AS s FROM s.o GROUP BY d", "s.o:d", ""},
      {"SELECT d, cid, count(DISTINCT id) AS n FROM s.o GROUP BY ALL HAVING count(*) > 1", "s.o:d", ""},
      {"SELECT max(d) AS d, cid FROM s.o GROUP BY cid", "", "aggregate"},
      {"SELECT d, sum(x) AS s FROM s.o GROUP BY ROLLUP (d)", "", "grouping set"},
      {"SELECT d, cid, sum(x) AS s FROM s.o GROUP BY GROUPING SETS ((d), (d, cid))", "s.o:d", ""},
      {"SELECT max(d) AS d FROM s.o", "", "aggregate"},
      {"SELECT date_trunc('month', d)::DATE AS d, sum(x) AS s FROM s.o GROUP BY 1", "", "computed"},
      // distinct
      {"SELECT DISTINCT d, cid FROM s.o", "s.o:d", ""},
      {"SELECT DISTINCT ON (d, cid) d, x FROM s.o ORDER BY x", "s.o:d", ""},
      {"SELECT DISTINCT ON (cid) d, x FROM s.o", "", "DISTINCT ON"},
      // windows
      {"SELECT d, row_number() OVER (PARTITION BY d ORDER BY x) AS n FROM s.o QUALIFY n = 1", "s.o:d", ""},
      {"SELECT d, sum(x) OVER (PARTITION BY cid, d) AS n FROM s.o", "s.o:d", ""},
      {"SELECT d, sum(x) OVER (PARTITION BY cid ORDER BY d) AS n FROM s.o", "", "PARTITION BY"},
      {"SELECT d, sum(x) OVER (PARTITION BY d) AS a, sum(x) OVER () AS b FROM s.o", "", "PARTITION BY"},
      // limits and samples
      {"SELECT d FROM s.o LIMIT 10", "", "LIMIT"},
      {"SELECT d FROM (SELECT d FROM s.o OFFSET 1)", "", "LIMIT"},
      {"SELECT d FROM s.o USING SAMPLE 10%", "", "sample"},
      // joins
      {"SELECT o.d, c.name FROM s.o JOIN s.c ON o.cid = c.cid", "s.o:d", ""},
      {"SELECT o.d, p.amount FROM s.o JOIN s.p ON o.id = p.id AND o.d = p.day", "s.o:d s.p:day", ""},
      {"SELECT o.d, p.amount FROM s.o LEFT JOIN s.p ON o.d = p.day", "s.o:d s.p:day", ""},
      {"SELECT p.day AS d FROM s.o LEFT JOIN s.p ON o.d = p.day", "", "outer join"},
      {"SELECT p.day AS d FROM s.o RIGHT JOIN s.p ON o.d = p.day", "s.o:d s.p:day", ""},
      {"SELECT o.d FROM s.o FULL JOIN s.p ON o.d = p.day", "", "outer join"},
      {"SELECT d, name FROM s.o FULL JOIN s.c USING (d)", "", "computed"},
      {"SELECT o.d FROM s.o JOIN s.p ON o.d >= p.day", "s.o:d", ""},
      {"SELECT o.d FROM s.o CROSS JOIN s.c", "s.o:d", ""},
      {"SELECT o.d FROM s.o, s.p WHERE o.d = p.day", "s.o:d", ""},  // p counts as whole: safe
      {"SELECT o.d FROM s.o SEMI JOIN s.p ON o.d = p.day AND o.id = p.id", "s.o:d s.p:day", ""},
      {"SELECT o.d FROM s.o ANTI JOIN s.p ON o.d = p.day", "s.o:d s.p:day", ""},
      {"SELECT o.d, p.amount FROM s.o ASOF JOIN s.p ON o.d = p.day AND o.id >= p.id", "s.o:d s.p:day", ""},
      {"SELECT o.d FROM s.o POSITIONAL JOIN s.p", "", "positional"},
      {"SELECT a.d FROM s.o a JOIN s.o b ON a.d = b.d", "s.o:d", ""},
      {"SELECT a.d FROM s.o a JOIN s.o b ON a.id = b.id", "", "across partitions (s.o)"},
      {"SELECT a.d FROM s.o a JOIN s.o b ON a.d = b.ts::DATE", "", "across partitions (s.o)"},
      // subqueries
      {"SELECT d FROM s.o WHERE cid IN (SELECT cid FROM s.c)", "s.o:d", ""},
      {"SELECT d FROM s.o WHERE d NOT IN (SELECT day FROM s.p)", "s.o:d", ""},
      {"SELECT d, (SELECT max(name) FROM s.c WHERE c.cid = o.cid) AS n FROM s.o", "s.o:d", ""},
      {"SELECT d FROM s.o WHERE EXISTS (SELECT 1 FROM s.c WHERE c.d = o.d)", "s.o:d", ""},
      {"SELECT d FROM s.o WHERE x > (SELECT avg(x) FROM s.o)", "", "across partitions (s.o)"},
      {"SELECT d, t FROM s.l, unnest(tags) AS u(t)", "s.l:d", ""},
      {"SELECT d, unnest(tags) AS t FROM s.l", "s.l:d", ""},
      {"SELECT t.d FROM s.l, LATERAL (SELECT o.d FROM s.o WHERE o.id = l.id) t", "", "subquery"},
      // CTEs and set operations
      {"WITH t AS (SELECT d, sum(x) AS s FROM s.o GROUP BY d) SELECT a.d FROM t a JOIN t b ON a.d = b.d", "s.o:d", ""},
      {"WITH t AS (SELECT * FROM s.o LIMIT 5) SELECT d FROM t", "", "LIMIT"},
      {"SELECT d FROM s.o UNION ALL SELECT day FROM s.p", "s.o:d s.p:day", ""},
      {"SELECT d FROM s.o UNION SELECT day FROM s.p", "s.o:d s.p:day", ""},
      {"SELECT d, id FROM s.o EXCEPT SELECT day, id FROM s.p", "s.o:d s.p:day", ""},
      {"SELECT d FROM s.o UNION ALL SELECT DATE '2026-01-01'", "", "constant"},
      {"SELECT d FROM s.o UNION ALL SELECT max(d) FROM s.c", "", "aggregate"},
      {"SELECT d FROM s.o UNION ALL SELECT ts::DATE FROM s.o", "", "computed"},
      {"WITH RECURSIVE r AS (SELECT d FROM s.o UNION SELECT d + 1 FROM r WHERE d < DATE '2026-01-09') SELECT d FROM r",
       "", "recursive"},
      {"SELECT d FROM (VALUES (DATE '2026-01-01')) v(d)", "", "constant"},
      {"SELECT d::DATE AS d FROM range(DATE '2026-01-01', DATE '2026-02-01', INTERVAL 1 DAY) r(d)", "", "constant"},
  };
  AnalyzeJob job = Catalog();
  for (const PartitionCase& each : cases) {
    job.queries.push_back(AnalyzeQuery{"q" + std::to_string(job.queries.size()), each.sql, "d"});
  }
  const AnalyzeResult result = Analyze(job);
  ASSERT_EQ(result.queries.size(), std::size(cases));
  for (std::size_t i = 0; i < std::size(cases); ++i) {
    const Analysis& analysis = result.queries[i];
    ASSERT_FALSE(analysis.problem) << cases[i].sql << ": " << analysis.problem->message;
    std::string inputs;
    for (const auto& [table, column] : analysis.partition_inputs) {
      inputs += (inputs.empty() ? "" : " ") + table + ":" + column;
    }
    EXPECT_EQ(inputs, cases[i].inputs) << cases[i].sql << "\n" << analysis.partition_reason;
    EXPECT_EQ(analysis.partition_wise, !inputs.empty()) << cases[i].sql;
    EXPECT_THAT(analysis.partition_reason, HasSubstr(cases[i].why)) << cases[i].sql;
    EXPECT_EQ(analysis.partition_reason.empty(), analysis.partition_wise) << cases[i].sql;
  }
}

TEST(Analyze, RowWiseCases) {
  const struct {
    const char* sql;
    bool row_wise;
    bool keeps;
  } cases[] = {
      {"SELECT id, x * 2 AS y FROM s.o", true, true},
      {"SELECT * FROM s.o WHERE x > 0", true, false},
      {"WITH t AS (SELECT * FROM s.o) SELECT id FROM t", true, true},
      {"SELECT id FROM s.o ORDER BY id", true, true},
      {"SELECT DISTINCT id FROM s.o", false, false},
      {"SELECT id FROM s.o LIMIT 1", false, false},
      {"SELECT count(*) AS n FROM s.o", false, false},
      {"SELECT id, row_number() OVER () AS n FROM s.o", false, false},
      {"SELECT o.id FROM s.o JOIN s.c USING (cid)", false, false},
      {"SELECT o.id FROM s.o LEFT JOIN s.c USING (cid)", false, false},
      {"SELECT id FROM s.o UNION ALL SELECT id FROM s.o", false, false},
      {"SELECT id, unnest(tags) AS t FROM s.l", false, false},
      {"SELECT id FROM s.o WHERE id IN (SELECT id FROM s.p)", false, false},
      {"SELECT 1 AS one", false, false},
      {"SELECT id FROM s.o USING SAMPLE 50%", false, false},
  };
  for (const auto& each : cases) {
    const Analysis analysis = AnalyzeOne(each.sql);
    ASSERT_FALSE(analysis.problem) << each.sql << analysis.problem->message;
    EXPECT_EQ(analysis.row_wise, each.row_wise) << each.sql;
    EXPECT_EQ(analysis.keeps_every_row, each.keeps) << each.sql;
  }
}

std::string Origins(const OutputColumn& column) {
  std::string text = column.straight ? "=" : "";
  for (const ColumnOrigin& origin : column.origins) text += origin.table + "." + origin.column + " ";
  return text;
}

TEST(Analyze, ColumnsHaveTypesAndOrigins) {
  const Analysis analysis = AnalyzeOne(
      "WITH t AS (SELECT cid, sum(x) FILTER (WHERE id > 0) AS total FROM s.o GROUP BY cid) "
      "SELECT t.cid, c.name AS customer, t.total / 2 AS half, upper(c.name) || t.cid AS label, count(*) OVER () AS n, "
      "current_date AS today FROM t LEFT JOIN s.c ON t.cid = c.cid");
  ASSERT_FALSE(analysis.problem) << analysis.problem->message;
  ASSERT_EQ(analysis.columns.size(), 6U);
  EXPECT_EQ(Origins(analysis.columns[0]), "=s.o.cid ");
  EXPECT_EQ(Origins(analysis.columns[1]), "s.c.name ") << "NULL where the join found nothing: not straight";
  EXPECT_EQ(Origins(analysis.columns[2]), "s.o.id s.o.x ");
  EXPECT_EQ(Origins(analysis.columns[3]), "s.c.name s.o.cid ");
  EXPECT_EQ(Origins(analysis.columns[4]), "");
  EXPECT_EQ(Origins(analysis.columns[5]), "");
  EXPECT_EQ(analysis.columns[1].field.name, "customer");
  EXPECT_EQ(analysis.columns[2].field.type, ParseType("DOUBLE").value());
  EXPECT_EQ(analysis.columns[4].field.type, ParseType("BIGINT").value());
  EXPECT_EQ(analysis.columns[5].field.type, ParseType("DATE").value());
  EXPECT_THAT(analysis.tables, ElementsAre("s.o", "s.c"));
}

TEST(Analyze, NestedAndForeignTypesAreNormalised) {
  const Analysis analysis = AnalyzeOne(
      "SELECT list_transform(tags, t -> upper(t)) AS tags, a, sum(id) AS total, now()::TIMESTAMP AS at, uuid() AS u, "
      "map {'k': id} AS m, '2026-01-01'::TIMESTAMPTZ AT TIME ZONE 'Europe/Berlin' AS z FROM s.l GROUP BY tags, a, id");
  ASSERT_FALSE(analysis.problem) << analysis.problem->message;
  std::vector<std::string> types;
  for (const OutputColumn& column : analysis.columns) types.push_back(column.field.type.ToSql());
  EXPECT_EQ(types[0], "VARCHAR[]");
  EXPECT_EQ(analysis.columns[1].field.type, ParseType("STRUCT(zip VARCHAR, d DATE)").value());
  EXPECT_EQ(types[2], "DECIMAL(38,0)");
  EXPECT_EQ(types[3], ParseType("TIMESTAMPTZ")->ToSql());
  EXPECT_EQ(types[4], "VARCHAR");
  EXPECT_EQ(analysis.columns[5].field.type, ParseType("MAP(VARCHAR, BIGINT)").value());
  EXPECT_EQ(Origins(analysis.columns[0]), "s.l.tags ");
}

TEST(Analyze, ParametersHaveTheTypeOfTheirPlace) {
  const Analysis analysis =
      AnalyzeOne("SELECT id, $label::VARCHAR AS l FROM s.o WHERE d >= $start AND d < $end AND x > $least");
  ASSERT_FALSE(analysis.problem) << analysis.problem->message;
  EXPECT_EQ(analysis.parameters.size(), 4U);
  EXPECT_EQ(analysis.parameters.at("start").kind, TypeKind::kDate);
  EXPECT_EQ(analysis.parameters.at("least").kind, TypeKind::kDouble);
  EXPECT_EQ(analysis.parameters.at("label").kind, TypeKind::kVarchar);
}

TEST(Analyze, ProblemsHaveKindPlaceAndCandidates) {
  const struct {
    const char* sql;
    const char* kind;
    const char* message;
    std::int64_t position;  // -1 = none
    const char* candidate;
  } cases[] = {
      {"SELECT nme FROM s.c", "binder", "nme", 7, "name"},
      {"SELECT 1 AS a FROM s.nope", "catalog", "nope", 19, ""},
      {"SELECT uper(name) FROM s.c", "catalog", "uper", 7, "upper"},
      {"SELECT d FROM s.c WHERE", "parser", "end of input", 23, ""},
      {"SELECT d, sum(x) FROM s.o", "binder", "GROUP BY", 7, ""},
      {"DELETE FROM s.o", "not a select", "SELECT", -1, ""},
      {"SELECT 1; SELECT 2", "not a select", "2 statements", -1, ""},
      {"", "not a select", "no statement", -1, ""},
      {"SELECT * FROM read_csv('/etc/passwd')", "permission", "disabled", -1, ""},
      {"SELECT id, $label AS l FROM s.o", "parameter", "$label::VARCHAR", -1, ""},
      {"COPY s.o TO '/tmp/x'", "not a select", "SELECT", -1, ""},
  };
  for (const auto& each : cases) {
    const Analysis analysis = AnalyzeOne(each.sql);
    ASSERT_TRUE(analysis.problem) << each.sql;
    EXPECT_EQ(analysis.problem->kind, each.kind) << each.sql << ": " << analysis.problem->message;
    EXPECT_THAT(analysis.problem->message, HasSubstr(each.message)) << each.sql;
    if (each.position >= 0) {
      EXPECT_EQ(analysis.problem->position, each.position) << each.sql;
    }
    if (each.candidate[0] != '\0') {
      EXPECT_THAT(analysis.problem->candidates, ::testing::Contains(each.candidate)) << each.sql;
    }
    EXPECT_TRUE(analysis.columns.empty());
  }
}

TEST(Analyze, TablesAreNamedEvenWhereTheQueryDoesNotBind) {
  const Analysis analysis =
      AnalyzeOne("WITH t AS (SELECT nope FROM S.O) SELECT * FROM t JOIN gold.other USING (x) WHERE y IN (FROM s.c)");
  ASSERT_TRUE(analysis.problem);
  EXPECT_THAT(analysis.tables, ::testing::UnorderedElementsAre("s.o", "gold.other", "s.c"));
}

TEST(Analyze, QueriesReadOneAnotherInAnyOrder) {
  AnalyzeJob job = Catalog();
  job.queries = {AnalyzeQuery{"g.c", "SELECT d, sum(n) AS n FROM g.b GROUP BY d", "d"},
                 AnalyzeQuery{"g.b", "SELECT d, n + 1 AS n FROM g.a", "d"},
                 AnalyzeQuery{"g.a", "SELECT d, count(*) AS n FROM s.o GROUP BY d", "d"},
                 AnalyzeQuery{"g.bad", "SELECT nope FROM g.a", ""},
                 AnalyzeQuery{"g.after", "SELECT * FROM g.bad", ""},
                 AnalyzeQuery{"g.x", "SELECT * FROM g.y", ""},
                 AnalyzeQuery{"g.y", "SELECT * FROM g.x", ""},
                 AnalyzeQuery{"g.self", "SELECT * FROM g.self", ""},
                 AnalyzeQuery{"s.o", "SELECT id, d FROM s.o", "d"}};
  const AnalyzeResult result = Analyze(job);
  for (std::size_t i : {0U, 1U, 2U, 8U}) {
    ASSERT_FALSE(result.queries[i].problem) << result.queries[i].problem->message;
    EXPECT_EQ(result.queries[i].name, job.queries[i].name);
    EXPECT_TRUE(result.queries[i].partition_wise);
  }
  EXPECT_EQ(Origins(result.queries[0].columns[1]), "g.b.n ");
  EXPECT_EQ(result.queries[0].partition_inputs, (std::map<std::string, std::string>{{"g.b", "d"}}));
  EXPECT_EQ(result.queries[3].problem->kind, "binder");
  EXPECT_EQ(result.queries[4].problem->kind, "upstream");
  EXPECT_EQ(result.queries[5].problem->kind, "cycle");
  EXPECT_EQ(result.queries[6].problem->kind, "cycle");
  EXPECT_THAT(result.queries[6].problem->message, HasSubstr("g.x -> g.y -> g.x"));
  EXPECT_EQ(result.queries[7].problem->kind, "cycle");
}

TEST(Analyze, ViewsAreReadThrough) {
  AnalyzeJob job = Catalog();
  job.queries = {AnalyzeQuery{"g.sums", "SELECT d, count(*) AS n FROM s.o GROUP BY d;", "", true},
                 AnalyzeQuery{"g.rows", "SELECT id, d FROM s.o WHERE id > 1", "", true},
                 AnalyzeQuery{"g.of_sums", "SELECT d, n FROM g.sums", "d", false},
                 AnalyzeQuery{"g.of_rows", "SELECT id, d FROM g.rows", "d", false}};
  const AnalyzeResult result = Analyze(job);
  for (const Analysis& analysis : result.queries) ASSERT_FALSE(analysis.problem) << analysis.problem->message;
  EXPECT_FALSE(result.queries[2].row_wise) << "the view below counts over all rows";
  EXPECT_TRUE(result.queries[2].partition_wise);
  EXPECT_EQ(result.queries[2].partition_inputs, (std::map<std::string, std::string>{{"s.o", "d"}}));
  EXPECT_EQ(result.queries[2].tables, (std::vector<std::string>{"g.sums"}));
  EXPECT_TRUE(result.queries[3].row_wise);
  EXPECT_FALSE(result.queries[3].keeps_every_row);
}

}  // namespace
}  // namespace caudal
