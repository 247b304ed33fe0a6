// The sqlite connector with the DuckDB that reads for it: the relation half of the conformance suite.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/json.h"
#include "connect/extract.h"
#include "connect/source_testing.h"
#include "duckdb/compute.h"
#include "duckdb/relation.h"

namespace caudal {
namespace {

using ::testing::HasSubstr;

class SqliteRead : public ::testing::Test {
 protected:
  void Sql(const std::string& sql) const { Shell("sqlite3 " + (folder / "erp.db") + " \"" + sql + "\" > /dev/null"); }

  Result<std::string> Job(ExtractJob::Kind kind, const Json& stream, const std::string& cursor) {
    SourceRequest request;
    request.source = "erp";
    request.stream = "customers";
    request.project_folder = folder.path();
    request.options = R"({"database":"erp.db"})";
    request.stream_options = DumpJson(stream);
    request.cursor = cursor;
    request.raw_key = "raw/erp/customers/1.parquet";
    staging = std::make_unique<TempFolder>();
    ExtractJob job;
    job.kind = kind;
    job.connector = "sqlite";
    job.request = SourceRequestToJson(request);
    job.staging_folder = staging->path();
    auto connection = *Connection::Open();
    EXPECT_TRUE(connection->Configure(SettingsOf(JobLimits{}, "", true)));
    RelationReader reader(*connection, TreeFolder() + "/third_party/duckdb/extensions", job.staging_folder);
    RelationRunner runner;
    runner.ask = [&](const RelationQuestion& q) { return reader.Ask(q.database, q.sql); };
    runner.copy = [&](const RelationRead& read, const RelationRunner::Target& to, const Schema& pinned) -> Result<RelationRunner::Copied> {
      TRY_ASSIGN(RelationReader::Copied copied, reader.Copy(read.database, {read.sql, read.numbered_sql, read.cursor_sql, read.keys_sql},
                                                            {to.path, to.keys_path, to.source_file}, pinned));
      return RelationRunner::Copied{std::move(copied.file), std::move(copied.columns), std::move(copied.cursor), copied.keys};
    };
    TRY_ASSIGN(ExtractResult result, RunExtractJob(job, BuiltinRegistry(), runner, {}));
    return std::move(result.answer);
  }
  StagedRead Read(const Json& stream, const std::string& cursor = "") {
    const Result<std::string> answer = Job(ExtractJob::Kind::kRead, stream, cursor);
    EXPECT_TRUE(answer) << answer.error().ToString();
    return answer ? *StagedReadFromJson(*ParseJson(*answer, "")) : StagedRead{};
  }
  /// The rows of the file that a read made.
  std::vector<std::vector<Cell>> Rows(const StagedRead& read, const std::string& columns) {
    auto connection = *Connection::Open();
    const auto rows = connection->Query(
        "SELECT " + columns + " FROM '" + read.chunks.at(0).raw_path + "' ORDER BY _source_row", {}, 100);
    EXPECT_TRUE(rows) << rows.error().message;
    return rows ? rows->rows : std::vector<std::vector<Cell>>();
  }

  TempFolder folder;
  std::unique_ptr<TempFolder> staging;
  const Json since{{"table", "customers"}, {"incremental", {{"cursor", "updated_at"}}}};
};

TEST_F(SqliteRead, ReadsAllThenWhatIsNewThenNothing) {
  Sql("CREATE TABLE customers(id INTEGER PRIMARY KEY, name TEXT, updated_at TIMESTAMP);"
      "INSERT INTO customers VALUES (1,'a','2026-01-01 10:00:00'),(2,'b','2026-01-02 10:00:00'),(3,'c',NULL)");
  const StagedRead first = Read(since);
  ASSERT_EQ(first.chunks.size(), 1U);
  EXPECT_EQ(first.chunks[0].rows, 3);
  using Line = std::vector<Cell>;
  EXPECT_EQ(Rows(first, "id, name, updated_at, _source_file, _source_row")[1],
            (Line{"2", "b", "2026-01-02 10:00:00+00", "raw/erp/customers/1.parquet", "2"}));
  EXPECT_TRUE(Read(since, first.cursor).unchanged);
  // A row that comes late with the last value, one that is new, and one of another time that nobody asks for.
  Sql("INSERT INTO customers VALUES (4,'d','2026-01-02 10:00:00'),(5,'e','2026-01-03 10:00:00');"
      "UPDATE customers SET name='old' WHERE id=1");
  const StagedRead second = Read(since, first.cursor);
  EXPECT_EQ(Rows(second, "id"), (std::vector<Line>{{"2"}, {"3"}, {"4"}, {"5"}}));
  EXPECT_EQ(ParseJson(second.cursor, "")->at("value"), "2026-01-03 10:00:00");
  EXPECT_TRUE(Read(since, second.cursor).unchanged);
}

TEST_F(SqliteRead, ReadsEmptyTablesViewsAndQueries) {
  Sql("CREATE TABLE customers(id INTEGER, updated_at TIMESTAMP); CREATE TABLE t(a TEXT); INSERT INTO t VALUES ('x');"
      "CREATE VIEW v AS SELECT a || a AS b FROM t");
  const StagedRead empty = Read(since);
  EXPECT_TRUE(empty.unchanged);
  EXPECT_TRUE(empty.chunks.empty());
  EXPECT_EQ(Rows(Read({{"table", "v"}}), "b")[0][0], "xx");
  EXPECT_EQ(Rows(Read({{"query", "SELECT upper(a) AS c FROM t"}}), "c")[0][0], "X");
}

TEST_F(SqliteRead, DiscoversTables) {
  Sql("CREATE TABLE customers(id INTEGER PRIMARY KEY, updated_at TIMESTAMP)");
  const auto answer = Job(ExtractJob::Kind::kDiscover, Json::object(), "");
  ASSERT_TRUE(answer) << answer.error().message;
  const auto offers = StreamOffersFromJson(*answer);
  ASSERT_EQ(offers->size(), 1U);
  EXPECT_THAT((*offers)[0].key, ::testing::ElementsAre("id"));
  EXPECT_THAT((*offers)[0].cursor_candidates, ::testing::ElementsAre("updated_at", "id"));
  EXPECT_TRUE(Job(ExtractJob::Kind::kCheck, Json::object(), ""));
}

TEST_F(SqliteRead, ExplainsWhatGoesWrong) {
  Sql("CREATE TABLE customers(id INTEGER); CREATE TABLE t(n TEXT); INSERT INTO t VALUES (x'ff')");
  const Error missing = Job(ExtractJob::Kind::kRead, {{"table", "custmers"}}, "").error();
  EXPECT_EQ(missing.kind, ErrorKind::kNotFound);
  EXPECT_THAT(missing.message, HasSubstr("customers"));
  const Error mistyped = Job(ExtractJob::Kind::kRead, {{"table", "t"}}, "").error();
  EXPECT_EQ(mistyped.kind, ErrorKind::kInvalidArgument);
  EXPECT_THAT(mistyped.message, HasSubstr("a value is not of its column's declared type"));
  EXPECT_THAT(mistyped.message, HasSubstr("\"n\""));
  folder.Write("erp.db", "SQLite format 3" + std::string(1, '\0') + std::string(4080, 'x'));
  EXPECT_EQ(Job(ExtractJob::Kind::kCheck, Json::object(), "").error().kind, ErrorKind::kCorruption);
}

// As texts, each of which says the whole value: the rows that fit are typed from them, the others are rejected.
TEST_F(SqliteRead, AValueOfAnotherTypeMakesTextsOfAllRows) {
  Sql("CREATE TABLE customers(id INTEGER, n DECIMAL(10,2), b BLOB, updated_at TIMESTAMP);"
      "INSERT INTO customers VALUES (1, 0.1, x'01ff', '2026-01-01 10:00:00'), (2, 'abc', NULL, 1700000000),"
      "(3, NULL, 'text', 'soon')");
  const StagedRead read = Read(since);
  EXPECT_EQ(read.relation_file, "");
  ASSERT_EQ(read.batches.size(), 1U);
  EXPECT_EQ(read.batches[0].kind, "parquet");
  EXPECT_EQ(read.batches[0].path, read.chunks.at(0).raw_path);
  EXPECT_EQ(read.chunks[0].rows, 3);
  using Line = std::vector<Cell>;
  EXPECT_EQ(Rows(read, "id, n, b, updated_at, _source_row, TRY_CAST(n AS DOUBLE) = 0.1::DOUBLE"),
            (std::vector<Line>{{"1", "0.10000000000000001", "\\x01\\xFF", "2026-01-01 10:00:00", "1", "true"},
                               {"2", "abc", {}, "2023-11-14 22:13:20", "2", {}},
                               {"3", {}, "\\x74\\x65\\x78\\x74", "soon", "3", {}}}));
  const Schema columns = *SchemaFromJson(*ParseJson(read.relation_columns, ""));
  EXPECT_EQ(columns.Find("n")->type.kind, TypeKind::kDouble);
  EXPECT_EQ(columns.Find("b")->type.kind, TypeKind::kBlob);
  EXPECT_EQ(ParseJson(read.cursor, "")->at("value"), "2026-01-01 10:00:00");
  // Only what is new, and what has no time that could tell.
  Sql("INSERT INTO customers VALUES (4, 4, NULL, '2026-01-02 10:00:00')");
  EXPECT_EQ(Rows(Read(since, read.cursor), "id"), (std::vector<Line>{{"1"}, {"3"}, {"4"}}));
}

TEST_F(SqliteRead, SaysThatAWriterHoldsTheDatabase) {
  Sql("CREATE TABLE customers(id INTEGER); INSERT INTO customers VALUES (1)");
  std::FILE* writer = ::popen(("sqlite3 " + (folder / "erp.db")).c_str(), "w");
  std::fputs("BEGIN EXCLUSIVE; INSERT INTO customers VALUES (2);\n", writer);
  std::fflush(writer);
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  const Result<std::string> answer = Job(ExtractJob::Kind::kRead, Json::object(), "");
  std::fputs("ROLLBACK;\n", writer);
  ::pclose(writer);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::kUnavailable);
  EXPECT_THAT(answer.error().message, HasSubstr("locked by a writer"));
}

}  // namespace
}  // namespace caudal
