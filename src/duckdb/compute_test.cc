#include "duckdb/compute.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "duckdb/sql_text.h"

namespace caudal {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Field Column(const std::string& name, const std::string& type, std::int32_t id) {
  Field field{name, ParseType(type).value(), id};
  for (std::size_t i = 0; i < field.type.children.size(); ++i) {
    field.type.children[i].id = id * 10 + static_cast<std::int32_t>(i);
  }
  return field;
}

class ComputeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/computeXXXXXX";
    x_folder = ::mkdtemp(pattern.data());
    fs::create_directories(x_folder + "/out");
    fs::create_directories(x_folder + "/tmp");
  }
  void TearDown() override { fs::remove_all(x_folder); }

  ComputeJob NewJob() const {
    ComputeJob job;
    job.output_folder = x_folder + "/out";
    return job;
  }

  Step WriteStep(const std::string& name, const std::string& sql, Schema columns) const {
    Step step;
    step.kind = Step::Kind::kWrite;
    step.name = name;
    step.sql = sql;
    step.layout.folder = x_folder + "/out/" + name;
    step.layout.columns = std::move(columns);
    return step;
  }

  static Step QueryStep(const std::string& name, const std::string& sql) {
    Step step;
    step.kind = Step::Kind::kQuery;
    step.name = name;
    step.sql = sql;
    step.max_rows = 100;
    return step;
  }

  Result<ComputeResult> Compute(const ComputeJob& job) const {
    TRY_ASSIGN(auto connection, Connection::Open());
    JobLimits limits;
    TRY(connection->Configure(SettingsOf(limits, x_folder + "/tmp", KeepsOrder(job))));
    return RunComputeJob(
        *connection, job,
        std::getenv("CAUDAL_DUCKDB_EXTENSIONS") != nullptr ? std::getenv("CAUDAL_DUCKDB_EXTENSIONS") : "/nonexistent");
  }

  // One query over one table of `files`.
  Result<Rows> Ask(const std::string& sql, const TableInput& input) const {
    ComputeJob job;
    job.inputs = {input};
    job.steps = {QueryStep("q", sql)};
    TRY_ASSIGN(ComputeResult result, Compute(job));
    return result.steps[0].rows;
  }

  std::string x_folder;
};

std::vector<std::string> Paths(const StepResult& step) {
  std::vector<std::string> paths;
  for (const WrittenFile& file : step.files) paths.push_back(file.path);
  return paths;
}

TEST_F(ComputeTest, WritesAndReadsBackNestedTypesWithFieldIds) {
  const Schema columns{{Column("id", "BIGINT", 1), Column("tags", "VARCHAR[]", 2),
                        Column("address", "STRUCT(zip VARCHAR, n INTEGER)", 3), Column("m", "MAP(VARCHAR, BIGINT)", 4),
                        Column("at", "TIMESTAMPTZ", 5), Column("amount", "DECIMAL(12,2)", 6), Column("b", "BLOB", 7),
                        Column("odd \"name'", "DATE", 8)}};
  ComputeJob job = NewJob();
  job.steps = {WriteStep("w",
                         "SELECT 1 AS id, ['x', NULL] AS tags, {'zip': '1', 'n': 2} AS address, MAP {'k': 5} AS m, "
                         "'2026-01-31 10:00:00+02' AS at, 12.345 AS amount, 'a'::BLOB AS b, "
                         "DATE '2026-01-31' AS \"odd \"\"name'\"; -- the end",
                         columns),
               QueryStep("back", "SELECT * FROM w"),
               QueryStep("hoodie",
                         "SELECT DISTINCT _hoodie_commit_time || _hoodie_commit_seqno || _hoodie_record_key || "
                         "_hoodie_partition_path || _hoodie_file_name, typeof(_hoodie_file_name) FROM '" +
                             x_folder + "/out/w/*.parquet'"),
               QueryStep("ids", "SELECT name, field_id FROM parquet_schema((SELECT any_value(filename) FROM w))")};
  job.steps[3].sql = "SELECT string_agg(name || '=' || field_id, ' ') FROM parquet_schema('" + x_folder +
                     "/out/w/*.parquet') WHERE field_id IS NOT NULL";
  const auto result = Compute(job);
  ASSERT_TRUE(result) << result.error().message;
  ASSERT_EQ(result->Find("w")->files.size(), 1U);
  const WrittenFile& file = result->Find("w")->files[0];
  EXPECT_EQ(file.rows, 1);
  EXPECT_EQ(static_cast<std::uintmax_t>(file.size_bytes), fs::file_size(file.path));
  EXPECT_TRUE(file.partition.empty());
  EXPECT_EQ(file.columns.at("amount").min, "12.35");
  EXPECT_EQ(file.columns.at("address.zip").max, "1");
  EXPECT_EQ(file.columns.at("id").null_count, 0);
  EXPECT_EQ(file.columns.count("_hoodie_commit_time"), 0U);

  const Rows& back = result->Find("back")->rows;
  EXPECT_EQ(back.schema, columns);
  EXPECT_THAT(back.rows, ElementsAre(ElementsAre("1", "[x, NULL]", "{'zip': 1, 'n': 2}", "{k=5}",
                                                 "2026-01-31 08:00:00+00", "12.35", "a", "2026-01-31")));
  EXPECT_THAT(result->Find("hoodie")->rows.rows, ElementsAre(ElementsAre("", "VARCHAR")));
  EXPECT_EQ(result->Find("ids")->rows.rows[0][0],
            "_hoodie_commit_time=1000001 _hoodie_commit_seqno=1000002 _hoodie_record_key=1000003 "
            "_hoodie_partition_path=1000004 _hoodie_file_name=1000005 id=1 tags=2 element=20 address=3 zip=30 n=31 "
            "m=4 key=40 value=41 at=5 amount=6 b=7 odd \"name'=8");
}

TEST_F(ComputeTest, PartitionsKeepNullAndOddValuesApartAndTheEmptyTextIsNull) {
  const Schema columns{{Column("id", "BIGINT", 1), Column("p", "VARCHAR", 2)}};
  ComputeJob job = NewJob();
  Step write =
      WriteStep("w",
                "SELECT i AS id, CASE i % 5 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN 'a/b=c %d' WHEN 3 THEN "
                "'é' ELSE '..' END AS p FROM range(50000) r(i)",
                columns);
  write.layout.partition_by = {"p"};
  job.steps = {write, QueryStep("back", "SELECT p, count(*) FROM w GROUP BY p ORDER BY p NULLS FIRST")};
  const auto result = Compute(job);
  ASSERT_TRUE(result) << result.error().message;
  std::map<Cell, std::int64_t> rows;
  for (const WrittenFile& file : result->Find("w")->files) rows[file.partition.at("p")] += file.rows;
  EXPECT_EQ(rows, (std::map<Cell, std::int64_t>{{std::nullopt, 20000}, {"a/b=c %d", 10000}, {"é", 10000}, {"..", 10000}}));
  EXPECT_EQ(result->Find("w")->files.size(), 4U) << "one file a partition";
  EXPECT_EQ(result->Find("back")->rows.rows.size(), 4U) << "in the column of the files, too";
}

TEST_F(ComputeTest, NegativeZeroIsOnePartitionWithZero) {
  ComputeJob job = NewJob();
  Step write = WriteStep("w", "SELECT 1 AS id, v AS p FROM (VALUES (-0.0::DOUBLE), (0.0), ('nan'), ('-inf')) t(v)",
                         Schema{{Column("id", "BIGINT", 1), Column("p", "DOUBLE", 2)}});
  write.layout.partition_by = {"p"};
  job.steps = {write};
  const auto result = Compute(job);
  ASSERT_TRUE(result) << result.error().message;
  std::set<Cell> values;
  for (const WrittenFile& file : result->Find("w")->files) values.insert(file.partition.at("p"));
  EXPECT_EQ(values, (std::set<Cell>{"-inf", "0.0", "nan"}));
}

TEST_F(ComputeTest, ManyPartitionsStayOneFileEach) {
  ComputeJob job = NewJob();
  Step write = WriteStep("w", "SELECT i AS id, i % 250 AS p FROM range(300000) r(i)",
                         Schema{{Column("id", "BIGINT", 1), Column("p", "INTEGER", 2)}});
  write.layout.partition_by = {"p"};
  job.steps = {write};
  const auto result = Compute(job);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->Find("w")->files.size(), 250U);
}

TEST_F(ComputeTest, FileByMakesOneFileAValueAndIsNotWritten) {
  ComputeJob job = NewJob();
  Step write = WriteStep("w", "SELECT i AS id, 'f' || (i % 3) AS target FROM range(3000) r(i)",
                         Schema{{Column("id", "BIGINT", 1)}});
  write.layout.file_by = "target";
  write.layout.order_by = {"id"};
  job.steps = {write, QueryStep("back", "SELECT * FROM w LIMIT 1")};
  const auto result = Compute(job);
  ASSERT_TRUE(result) << result.error().message;
  const StepResult& step = *result->Find("w");
  ASSERT_EQ(step.files.size(), 3U);
  EXPECT_EQ(step.files[1].partition.at("target"), "f1");
  EXPECT_EQ(step.files[1].rows, 1000);
  EXPECT_EQ(step.files[1].columns.at("id").max, "2998");
  EXPECT_EQ(step.files[1].columns.count("target"), 0U);
  EXPECT_EQ(result->Find("back")->rows.schema.fields.size(), 1U);
}

TEST_F(ComputeTest, ZeroRowsLeaveNoFileAndAnEmptyView) {
  ComputeJob job = NewJob();
  Step parted = WriteStep("p", "SELECT 1 AS id WHERE false", Schema{{Column("id", "BIGINT", 1)}});
  parted.layout.partition_by = {"id"};
  job.steps = {WriteStep("w", "SELECT 1 AS id WHERE false", Schema{{Column("id", "BIGINT", 1)}}), parted,
               QueryStep("back", "SELECT count(*), (SELECT count(*) FROM p) FROM w")};
  const auto result = Compute(job);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_TRUE(result->Find("w")->files.empty());
  EXPECT_TRUE(result->Find("p")->files.empty());
  EXPECT_TRUE(fs::is_empty(x_folder + "/out/w"));
  EXPECT_THAT(result->Find("back")->rows.rows, ElementsAre(ElementsAre("0", "0")));
}

TEST_F(ComputeTest, InputsAreReadByFieldIdAndAMissingColumnIsNull) {
  ComputeJob job = NewJob();
  job.steps = {WriteStep("w", "SELECT i AS a, i * 2 AS b FROM range(3) r(i)",
                         Schema{{Column("a", "INTEGER", 1), Column("b", "INTEGER", 2)}})};
  const auto written = Compute(job);
  ASSERT_TRUE(written) << written.error().message;
  // Since then "a" was renamed and widened, "b" dropped, and another "b" added.
  TableInput input{
      "s", "t",
      Schema{{Column("b", "VARCHAR", 9), Column("renamed", "BIGINT", 1), Column("later", "STRUCT(x BIGINT)", 11),
              Column("filename", "VARCHAR", 12)}},
      Paths(written->steps[0]), true};
  const auto rows =
      Ask("SELECT b, renamed, later, _caudal_origin LIKE '%.parquet', filename FROM s.t WHERE renamed >= 1 "
          "ORDER BY renamed",
          input);
  ASSERT_TRUE(rows) << rows.error().message;
  EXPECT_THAT(rows->rows, ElementsAre(ElementsAre(std::nullopt, "1", std::nullopt, "true", std::nullopt),
                                      ElementsAre(std::nullopt, "2", std::nullopt, "true", std::nullopt)));
  EXPECT_EQ(rows->schema.fields[1].type.kind, TypeKind::kBigint);

  input.files.clear();
  const auto empty = Ask("SELECT *, _caudal_origin FROM s.t", input);
  ASSERT_TRUE(empty) << empty.error().message;
  EXPECT_TRUE(empty->rows.empty());
  EXPECT_EQ(empty->schema.fields[2].type, ParseType("STRUCT(x BIGINT)").value());
}

TEST_F(ComputeTest, ParametersAreBoundInQueriesAndWrites) {
  ComputeJob job = NewJob();
  job.parameters["start"] = Parameter{ParseType("DATE").value(), "2026-01-02"};
  job.parameters["none"] = Parameter{ParseType("BIGINT").value(), std::nullopt};
  job.parameters["text"] = Parameter{ParseType("VARCHAR").value(), "it's; --"};
  job.parameters["unused"] = Parameter{ParseType("VARCHAR").value(), "x"};
  const std::string days = "SELECT d::DATE AS d FROM range(DATE '2026-01-01', DATE '2026-01-05', INTERVAL 1 DAY) r(d)";
  Step write = WriteStep("w", "SELECT d, $text AS t, '$start' AS s FROM (" + days + ") WHERE d >= $start",
                         Schema{{Column("d", "DATE", 1), Column("t", "VARCHAR", 2), Column("s", "VARCHAR", 3)}});
  write.user_sql = true;
  Step query = QueryStep("q", "SELECT count(*), $none, $start + 1, $text FROM (" + days + ") WHERE d < $start -- end");
  query.user_sql = true;
  job.steps = {write, query, QueryStep("back", "SELECT min(d), any_value(t), any_value(s) FROM w")};
  const auto result = Compute(job);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->Find("w")->files[0].rows, 3);
  EXPECT_THAT(result->Find("q")->rows.rows, ElementsAre(ElementsAre("1", std::nullopt, "2026-01-03", "it's; --")));
  EXPECT_EQ(result->Find("q")->rows.schema.fields[2].type.kind, TypeKind::kDate);
  EXPECT_THAT(result->Find("back")->rows.rows, ElementsAre(ElementsAre("2026-01-02", "it's; --", "$start")));

  job.steps = {query};
  job.steps[0].sql = "SELECT $missing";
  const auto missing = Compute(job);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::kInvalidArgument);
  EXPECT_THAT(missing.error().message, HasSubstr("$missing"));
  EXPECT_EQ(missing.error().where, "q");
}

TEST_F(ComputeTest, UserSqlIsOneSelectOnly) {
  for (const char* sql : {"DROP TABLE x", "SELECT 1; SELECT 2", "COPY (SELECT 1) TO '/tmp/x'", "ATTACH 'x.db'",
                          "SET threads = 1", "INSERT INTO t VALUES (1)", "PRAGMA version", "", "SELECT (",
                          "SELECT 1) TO '/tmp/x.parquet' (FORMAT parquet); --"}) {
    ComputeJob job = NewJob();
    Step query = QueryStep("q", sql);
    query.user_sql = true;
    job.steps = {query};
    const auto result = Compute(job);
    ASSERT_FALSE(result) << sql;
    EXPECT_EQ(result.error().kind, ErrorKind::kInvalidArgument) << sql << ": " << result.error().message;
  }
}

TEST_F(ComputeTest, FencesHold) {
  std::ofstream(x_folder + "/secret.csv") << "a\n1\n";
  const std::string outside = x_folder + "/secret.csv";
  fs::create_symlink(outside, x_folder + "/out/link.csv");
  for (const std::string& sql : std::vector<std::string>{
           "SELECT * FROM read_text('/etc/passwd')", "SELECT * FROM read_csv('" + outside + "')",
           "SELECT * FROM read_csv('" + x_folder + "/out/../secret.csv')", "SELECT * FROM '" + outside + "'",
           "SELECT * FROM glob('/etc/*')", "COPY (SELECT 1) TO '" + x_folder + "/elsewhere.parquet'",
           "ATTACH '" + x_folder + "/other.db'", "INSTALL httpfs", "LOAD httpfs", "SET threads = 7",
           "SET enable_external_access = true", "RESET lock_configuration", "EXPORT DATABASE '" + x_folder + "/dump'",
           "CREATE SECRET s (TYPE s3)", "SELECT * FROM read_text('http://127.0.0.1:1/x')"}) {
    ComputeJob job = NewJob();
    Step run;
    run.sql = sql;
    job.steps = {run};
    EXPECT_FALSE(Compute(job)) << sql;
  }
  EXPECT_FALSE(fs::exists(x_folder + "/elsewhere.parquet"));
  EXPECT_FALSE(fs::exists(x_folder + "/other.db"));
}

TEST_F(ComputeTest, ErrorsSayWhatTheCallerMayDo) {
  const auto kind_of = [&](const std::string& sql) {
    ComputeJob job = NewJob();
    job.steps = {QueryStep("q", sql)};
    return Compute(job).error().kind;
  };
  EXPECT_EQ(kind_of("SELEC 1"), ErrorKind::kInvalidArgument);
  EXPECT_EQ(kind_of("SELECT nope"), ErrorKind::kInvalidArgument);
  EXPECT_EQ(kind_of("SELECT 'x'::INT"), ErrorKind::kInvalidArgument);
  EXPECT_EQ(kind_of("SELECT * FROM read_text('/etc/passwd')"), ErrorKind::kPermission);
}

TEST_F(ComputeTest, QueriesAreCutAtTheirLimitAndKeepTheirOrder) {
  ComputeJob job = NewJob();
  Step query = QueryStep("q", "SELECT i FROM range(100000) r(i) ORDER BY i DESC");
  query.max_rows = 3;
  job.steps = {query};
  const auto result = Compute(job);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_TRUE(result->steps[0].rows.truncated);
  EXPECT_THAT(result->steps[0].rows.rows,
              ElementsAre(ElementsAre("99999"), ElementsAre("99998"), ElementsAre("99997")));
}

TEST_F(ComputeTest, TimeZonesWorkWithoutAnExtension) {
  ComputeJob job = NewJob();
  job.steps = {QueryStep("q",
                         "SELECT '2026-01-01'::TIMESTAMPTZ, '2026-07-01 10:00:00+00'::TIMESTAMPTZ AT TIME ZONE "
                         "'Europe/Berlin', date_trunc('day', '2026-07-01 23:30:00-02'::TIMESTAMPTZ), '2026-01-31 "
                         "10:00:00+00'::TIMESTAMPTZ + INTERVAL 1 MONTH, '2026-07-01 10:00'::TIMESTAMPTZ::DATE")};
  const auto result = Compute(job);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_THAT(result->steps[0].rows.rows,
              ElementsAre(ElementsAre("2026-01-01 00:00:00+00", "2026-07-01 12:00:00", "2026-07-02 00:00:00+00",
                                      "2026-02-28 10:00:00+00", "2026-07-01")));
}

TEST(SqlText, TheStatementsEndIsFoundBehindQuotesAndComments) {
  EXPECT_EQ(SelectBody("SELECT 1"), "SELECT 1");
  EXPECT_EQ(SelectBody(" SELECT 1 ; \n-- done;\n"), " SELECT 1");
  EXPECT_EQ(SelectBody("SELECT ';--' ; /* ; */ ;"), "SELECT ';--'");
  EXPECT_EQ(SelectBody("SELECT $$;$$;"), "SELECT $$;$$");
  EXPECT_EQ(SelectBody("SELECT e'\\';' ;"), "SELECT e'\\';'");
  EXPECT_EQ(SelectBody("SELECT 1 -- x\n, 2;"), "SELECT 1 -- x\n, 2");
}

}  // namespace
}  // namespace caudal
