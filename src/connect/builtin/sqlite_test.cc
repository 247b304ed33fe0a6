#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "connect/source_testing.h"

namespace caudal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// What DuckDB makes of the SQL is tested where DuckDB is: in the worker's and the command line's tests.
class Sqlite : public ::testing::Test {
 protected:
  void Sql(const std::string& sql) const { Shell("sqlite3 " + (folder / "erp.db") + " \"" + sql + "\""); }
  SourceRequest Request(const Json& stream, const std::string& cursor = "") const {
    SourceRequest request;
    request.source = "erp";
    request.stream = "customers";
    request.project_folder = folder.path();
    request.options = R"({"database":"erp.db"})";
    request.stream_options = DumpJson(stream);
    request.cursor = cursor;
    return request;
  }
  RelationRead Read(const Json& stream, const std::string& cursor = "") {
    source = connector.make_relation();
    const Result<RelationRead> read = source->Read(Request(stream, cursor));
    EXPECT_TRUE(read) << read.error().message;
    return read ? *read : RelationRead{};
  }
  std::string CursorAfter(const Json& stream, const std::string& value) {
    return source->Cursor(Request(stream), Cell(value))->cursor;
  }

  TempFolder folder;
  std::unique_ptr<RelationSource> source;
  const Connector& connector = **BuiltinRegistry().Find("sqlite");
};

TEST_F(Sqlite, AsksForTablesColumnsAndQueries) {
  Sql("CREATE TABLE customers(id INTEGER PRIMARY KEY)");
  EXPECT_EQ(Read(Json::object()).sql, "SELECT * FROM src.main.\"customers\"");
  EXPECT_EQ(Read({{"table", "We \"ird"}, {"select", {"a", "b c"}}}).sql,
            "SELECT \"a\", \"b c\" FROM src.main.\"We \"\"ird\"");
  EXPECT_EQ(Read({{"query", "SELECT 'x'"}}).sql, "SELECT * FROM sqlite_query('src', 'SELECT ''x''')");
  source = connector.make_relation();
  EXPECT_THAT(source->Read(Request({{"query", "SELECT 1"}, {"table", "t"}})).error().message, HasSubstr("not both"));
}

TEST_F(Sqlite, LosesNoRowAtTheCursor) {
  Sql("CREATE TABLE customers(id INTEGER PRIMARY KEY, updated_at TIMESTAMP)");
  const Json stream{{"incremental", {{"cursor", "updated_at"}}}};
  const RelationRead first = Read(stream);
  EXPECT_EQ(first.sql, "SELECT * FROM src.main.\"customers\"");
  EXPECT_EQ(first.cursor_sql, "SELECT CAST(max(\"updated_at\") AS VARCHAR) FROM src.main.\"customers\"");
  const std::string cursor = CursorAfter(stream, "2026-01-01 10:00:00");
  Sql("INSERT INTO customers VALUES (1, '2026-01-02')");
  EXPECT_EQ(Read(stream, cursor).sql,
            "SELECT * FROM src.main.\"customers\" WHERE (\"updated_at\" >= '2026-01-01 10:00:00' OR \"updated_at\" IS NULL)");
  const Json lag{{"incremental", {{"cursor", "updated_at"}, {"lag", "10m"}}}};
  EXPECT_THAT(Read(lag, cursor).sql, HasSubstr("- INTERVAL 600000 MILLISECOND"));
  const Json numbers{{"incremental", {{"cursor", "id"}, {"initial_value", "5"}, {"lag", "2"}}}};
  EXPECT_THAT(Read(numbers).sql, HasSubstr("\"id\" >= 5 - 2"));
  // Another cursor column begins anew.
  EXPECT_EQ(Read({{"incremental", {{"cursor", "id"}}}}, cursor).sql, "SELECT * FROM src.main.\"customers\"");
}

TEST_F(Sqlite, KnowsThatNothingWasWritten) {
  Sql("CREATE TABLE customers(id INTEGER PRIMARY KEY); CREATE TABLE other(id INTEGER)");
  const Json stream = Json::object();
  EXPECT_FALSE(Read(stream).unchanged);
  const std::string cursor = CursorAfter(stream, "");
  EXPECT_TRUE(Read(stream, cursor).unchanged);
  EXPECT_FALSE(Read({{"table", "other"}}, cursor).unchanged);
  Sql("UPDATE customers SET id = 2; INSERT INTO other VALUES (1)");
  EXPECT_FALSE(Read(stream, cursor).unchanged);
}

TEST_F(Sqlite, DoesNotTrustAYoungWriteAheadLog) {
  Sql("PRAGMA journal_mode=WAL; CREATE TABLE customers(id INTEGER PRIMARY KEY)");
  // The shell checkpoints as it leaves; a log that stays is one of a program that runs.
  folder.Write("erp.db-wal", std::string(4096, 'x'), 0);
  EXPECT_FALSE(Read(Json::object()).unchanged);
  const std::string young = CursorAfter(Json::object(), "");
  EXPECT_FALSE(Read(Json::object(), young).unchanged);
  folder.Write("erp.db-wal", std::string(4096, 'x'), 60);
  EXPECT_FALSE(Read(Json::object()).unchanged);
  const std::string old = CursorAfter(Json::object(), "");
  EXPECT_TRUE(Read(Json::object(), old).unchanged);
  folder.Write("erp.db-wal", std::string(4096, 'y'), 60);
  EXPECT_FALSE(Read(Json::object(), old).unchanged);
}

TEST_F(Sqlite, OffersTablesWithKeysAndCursors) {
  Rows rows;
  rows.rows = {{"orders", "order_id", "BIGINT", "true", "7"},
               {"orders", "note", "VARCHAR", "false", "7"},
               {"orders", "updated_at", "TIMESTAMP", "false", "7"},
               {"tags", "name", "VARCHAR", "false", "2"}};
  source = connector.make_relation();
  const auto offers = source->Offers(Request(Json::object()), rows);
  ASSERT_EQ(offers->size(), 2U);
  EXPECT_EQ((*offers)[0].name, "orders");
  EXPECT_THAT((*offers)[0].key, ElementsAre("order_id"));
  EXPECT_THAT((*offers)[0].cursor_candidates, ElementsAre("updated_at", "order_id"));
  EXPECT_EQ((*offers)[0].rows_estimate, 7);
  EXPECT_EQ((*offers)[1].columns.fields.size(), 1U);
}

TEST_F(Sqlite, SaysWhatIsWrongWithTheFile) {
  source = connector.make_relation();
  EXPECT_EQ(source->Check(Request(Json::object())).error().kind, ErrorKind::kNotFound);
  folder.Write("erp.db", "this is a letter, not a database, and it is long enough to have a header of a hundred bytes, or so");
  EXPECT_THAT(source->Check(Request(Json::object())).error().message, HasSubstr("this file is no SQLite database"));
  const auto explained = [&](const char* said) {
    return source->Explain(Request(Json::object()), Error{ErrorKind::kInternal, said, "", ""}).kind;
  };
  EXPECT_EQ(explained("IO Error: database is locked"), ErrorKind::kUnavailable);
  EXPECT_EQ(explained("Catalog Error: Table with name x does not exist!"), ErrorKind::kNotFound);
  EXPECT_EQ(explained("Mismatch Type Error: Invalid type in column \"a\""), ErrorKind::kInvalidArgument);
  EXPECT_EQ(explained("something else"), ErrorKind::kInternal);
}

}  // namespace
}  // namespace caudal
