// The postgres connector down to its SQL, with the answers of a server. A real one: tests/connect/test_postgres.py.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "connect/postgres_columns.h"
#include "connect/postgres_session.h"
#include "connect/source.h"

namespace caudal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

using Line = std::vector<Cell>;

Line Moment(const char* replica, const char* sees_others) {
  return {"700", "710", replica, sees_others, "2026-01-01 00:00:00+00"};
}

/// One column of a table as the server tells it.
Line Column(const char* name, const char* kind, const char* category = "", const char* element = "", const char* modifier = "-1",
            const char* dimensions = "0", const char* domain = "false") {
  return {"16385", "r", "true", "0", "orders, tags", name, kind, category, element, modifier, dimensions, domain, "true", "1", "true"};
}

class Postgres : public ::testing::Test {
 protected:
  static SourceRequest Request(const Json& stream, const std::string& cursor = "") {
    SourceRequest request;
    request.source = "shop";
    request.stream = "orders";
    request.options = R"({"host":"db","port":5433,"database":"shop","user":"reader","password":"it's secret"})";
    request.stream_options = DumpJson(stream);
    request.cursor = cursor;
    return request;
  }
  Status Learn(const SourceRequest& request, std::vector<Line> columns, Line moment = Moment("false", "true")) {
    source = connector.make_relation();
    TRY_ASSIGN(const auto questions, source->Before(request));
    EXPECT_EQ(questions.size(), 2U);
    Rows facts, table;
    facts.rows = {std::move(moment)};
    table.rows = std::move(columns);
    return source->Learn(request, {facts, table});
  }
  RelationRead Read(const SourceRequest& request, std::vector<Line> columns, Line moment = Moment("false", "true")) {
    const Status learned = Learn(request, std::move(columns), std::move(moment));
    EXPECT_TRUE(learned) << learned.error().message;
    auto read = source->Read(request);
    EXPECT_TRUE(read) << read.error().message;
    return *read;
  }

  const Connector& connector = **BuiltinRegistry().Find("postgres");
  std::unique_ptr<RelationSource> source;
  const Json by_time{{"incremental", {{"cursor", "updated_at"}}}};
  const Json by_id{{"incremental", {{"cursor", "id"}}}};
};

TEST_F(Postgres, KeepsThePasswordOutOfTheConnectionString) {
  const auto question = connector.make_relation()->Check(Request(Json::object()));
  EXPECT_THAT(question->database.location, Not(HasSubstr("secret")));
  EXPECT_THAT(question->database.location, HasSubstr("host='db' port=5433 dbname='shop' user='reader'"));
  EXPECT_THAT(question->database.location, HasSubstr("default_transaction_read_only=on"));
  EXPECT_EQ(question->database.secret, "it's secret");
}

TEST_F(Postgres, ScansATableAndHasTheServerComputeWhatTheScannerWouldLose) {
  const RelationRead scan = Read(Request(Json::object()), {Column("id", "int8"), Column("name", "text")});
  EXPECT_EQ(scan.sql, "SELECT CAST(\"id\" AS BIGINT) AS \"id\", CAST(\"name\" AS VARCHAR) AS \"name\" FROM src.\"public\".\"orders\"");
  EXPECT_EQ(scan.numbered_sql, "SELECT CAST(\"id\" AS BIGINT) AS \"id\", CAST(\"name\" AS VARCHAR) AS \"name\", rowid + 1 AS _source_row FROM src.\"public\".\"orders\"");
  EXPECT_EQ(Read(Request(Json::object()), {Column("id", "int8"), Column("rowid", "text")}).numbered_sql, "") << "a column of that name";
  Line partitioned = Column("id", "int8");
  partitioned.back() = "false";
  EXPECT_EQ(Read(Request(Json::object()), {partitioned}).numbered_sql, "") << "places of several heaps";
  EXPECT_EQ(scan.cursor_sql, "");
  const RelationRead guarded = Read(Request(Json::object()), {Column("price", "numeric", "", "", "655366")});
  EXPECT_THAT(guarded.sql, HasSubstr("CAST(\"price\" AS DECIMAL(10,2))"));
  EXPECT_THAT(guarded.cursor_sql, HasSubstr("= ''NaN''"));
  EXPECT_EQ(guarded.as_texts(Schema{})->cursor_sql, "");
  const RelationRead exact = Read(Request(Json::object()), {Column("price", "numeric")});
  EXPECT_THAT(exact.sql, HasSubstr("postgres_query('src', 'SELECT \"price\"::text AS \"price\" FROM \"public\".\"orders\"')"));
}

TEST_F(Postgres, MapsTypes) {
  const auto type = [](const char* kind, std::int64_t modifier, const char* category = "", const char* element = "", std::int64_t dimensions = 0) {
    return PostgresTypeName(kind, category, element, modifier, dimensions);
  };
  const auto modifier = [](std::int64_t precision, std::int64_t scale) { return ((precision << 16) | (scale & 0x7ff)) + 4; };
  EXPECT_EQ(type("numeric", modifier(38, 10)), "DECIMAL(38,10)");
  EXPECT_EQ(type("numeric", modifier(39, 10)), "VARCHAR");
  EXPECT_EQ(type("numeric", modifier(4, -2)), "DECIMAL(6,0)");
  EXPECT_EQ(type("numeric", modifier(3, 5)), "DECIMAL(5,5)");
  EXPECT_EQ(type("numeric", -1), "VARCHAR");
  EXPECT_EQ(type("_int4", -1, "array", "int4", 1), "INTEGER[]");
  EXPECT_EQ(type("_int4", -1, "array", "int4", 2), "VARCHAR");
  EXPECT_EQ(type("_numeric", -1, "array", "numeric", 1), "VARCHAR");
  EXPECT_EQ(type("timestamp", -1), "TIMESTAMPTZ");
  EXPECT_EQ(type("mood", -1, "enum"), "VARCHAR");
  EXPECT_EQ(type("inet", -1), "VARCHAR");
}

// Each way to not lose a row that commits late, and what makes it the one that is taken.
TEST_F(Postgres, StaysBelowTheOldestTransactionWhereItSeesThemAll) {
  const std::vector<Line> columns{Column("id", "int8"), Column("updated_at", "timestamptz")};
  const RelationRead first = Read(Request(by_time), columns);
  EXPECT_THAT(first.cursor_sql, HasSubstr("least(max(\"updated_at\"), ''2026-01-01 00:00:00+00''::timestamptz)"));
  const auto cursor = source->Cursor(Request(by_time), Cell("2025-12-31 00:00:00+00"));
  EXPECT_EQ(*ParseJson(cursor->cursor, ""), (Json{{"column", "updated_at"}, {"value", "2025-12-31 00:00:00+00"}}));
  EXPECT_THAT(Read(Request(by_time, cursor->cursor), columns).sql,
              HasSubstr("(\"updated_at\" >= ''2025-12-31 00:00:00+00'' OR \"updated_at\" IS NULL)"));
  // No row had a newer value: the old one stays.
  EXPECT_EQ(source->Cursor(Request(by_time, cursor->cursor), Cell())->cursor, cursor->cursor);
}

TEST_F(Postgres, TakesRowVersionsWhereItDoesNot) {
  const std::vector<Line> columns{Column("id", "int8"), Column("updated_at", "timestamptz"), Column("day", "timestamp")};
  Line prepared = Column("updated_at", "timestamptz");
  prepared[3] = "1";
  Line kept = Column("updated_at", "timestamptz");
  kept[1] = "m";
  const struct {
    const char* why;
    Json stream;
    std::vector<Line> columns;
    Line moment;
  } cases[] = {{"other users' sessions are hidden", by_time, columns, Moment("false", "false")},
               {"a replica has no sessions of writers", by_time, columns, Moment("true", "true")},
               {"a prepared transaction hides its start", by_time, {prepared}, Moment("false", "true")},
               {"a number is no time", by_id, columns, Moment("false", "true")},
               {"a refresh brings old values", by_time, {kept}, Moment("false", "true")},
               {"nobody knows the zone", Json{{"incremental", {{"cursor", "day"}}}}, columns, Moment("false", "true")}};
  for (const auto& c : cases) {
    EXPECT_THAT(Read(Request(c.stream), c.columns, c.moment).sql, Not(HasSubstr("xmin"))) << c.why;
    const std::string cursor = source->Cursor(Request(c.stream), Cell())->cursor;
    EXPECT_EQ(JsonInt(*ParseJson(cursor, ""), "transaction", 0), 700) << c.why;
    EXPECT_THAT(Read(Request(c.stream, cursor), c.columns, c.moment).sql, HasSubstr("age(xmin) <= age(''700''::xid)")) << c.why;
  }
}

TEST_F(Postgres, DoesNotTrustTransactionNumbersOfAnotherTableOrTime) {
  const std::vector<Line> columns{Column("id", "int8")};
  const auto sql = [&](std::int64_t transaction, const char* table) {
    const Json cursor{{"column", "id"}, {"transaction", transaction}, {"table", table}};
    return Read(Request(by_id, DumpJson(cursor)), columns).sql;
  };
  EXPECT_THAT(sql(709, "16385"), HasSubstr("age"));
  EXPECT_THAT(sql(709, "99"), Not(HasSubstr("age")));      // loaded anew from a dump
  EXPECT_THAT(sql(711, "16385"), Not(HasSubstr("age")));   // the server went back in time
  Line later = Moment("false", "true");
  later[1] = "3000000000";
  const Json old{{"column", "id"}, {"transaction", 5}, {"table", "16385"}};
  EXPECT_THAT(Read(Request(by_id, DumpJson(old)), columns, later).sql, Not(HasSubstr("age")));
  // Beyond the first turn of the circle.
  later[1] = "4294967400";
  const Json turned{{"column", "id"}, {"transaction", 4294967300}, {"table", "16385"}};
  EXPECT_THAT(Read(Request(by_id, DumpJson(turned)), columns, later).sql, HasSubstr("age(''4''::xid)"));
}

TEST_F(Postgres, StepsBackByTheLag) {
  const std::vector<Line> columns{Column("id", "int8"), Column("updated_at", "timestamptz")};
  Json stream{{"incremental", {{"cursor", "updated_at"}, {"lag", "1h"}}}};
  const std::string time = R"({"column":"updated_at","value":"2026-01-01 00:00:00+00"})";
  EXPECT_THAT(Read(Request(stream, time), columns).sql, HasSubstr("::timestamptz - interval ''3600000 milliseconds''"));
  stream = {{"incremental", {{"cursor", "id"}, {"lag", 100}}}};
  EXPECT_THAT(Read(Request(stream, R"({"column":"id","value":"500"})"), columns).sql, HasSubstr("\"id\" >= 500 - 100"));
  // A day is taken whole.
  stream = {{"incremental", {{"cursor", "day"}, {"lag", "1h"}}}};
  EXPECT_THAT(Read(Request(stream, R"({"column":"day","value":"2026-01-02"})"), {Column("day", "date")}).sql,
              HasSubstr("(''2026-01-02''::date - interval ''3600000 milliseconds'')::date"));
}

TEST_F(Postgres, RefusesWhatItCannotProveAndWhatIsNotThere) {
  Line view = Column("id", "int8");
  view[1] = "v";
  EXPECT_THAT(Learn(Request(by_id), {view}).error().next, HasSubstr("lag: 1h"));
  EXPECT_TRUE(Learn(Request(Json::object()), {view}));
  const Line nothing{{}, {}, {}, "0", "orders, tags", {}, {}, {}, {}, {}, {}, {}, {}, "0", {}};
  const Status missing = Learn(Request(Json{{"table", "ordrs"}}), {nothing});
  EXPECT_EQ(missing.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(missing.error().message, HasSubstr("no table public.ordrs"));
  EXPECT_THAT(missing.error().next, HasSubstr("orders, tags"));
  EXPECT_THAT(Learn(Request(Json{{"incremental", {{"cursor", "changed"}}}}), {Column("id", "int8")}).error().message,
              HasSubstr("no column 'changed', which `incremental:` names"));
  Line secret = Column("salary", "int8");
  secret[12] = "false";
  EXPECT_EQ(Learn(Request(Json::object()), {secret}).error().kind, ErrorKind::kPermission);
  EXPECT_TRUE(Learn(Request(Json{{"select", {"id"}}}), {Column("id", "int8"), secret}));
}

TEST_F(Postgres, OffersTablesWithKeysAndCursors) {
  Rows rows;
  rows.rows = {{"public", "lines", "line", "1", "20", "int4", "", {}, "-1", "0"},
               {"public", "lines", "order", "0", "20", "int8", "", {}, "-1", "0"},
               {"public", "lines", "changed", "-1", "20", "timestamptz", "", {}, "-1", "0"},
               {"other", "tags", "names", "-1", "-1", "_text", "array", "text", "-1", "1"}};
  const auto offers = connector.make_relation()->Offers(Request(Json::object()), rows);
  ASSERT_EQ(offers->size(), 2U);
  EXPECT_EQ((*offers)[0].name, "lines");
  EXPECT_THAT((*offers)[0].key, ElementsAre("order", "line"));
  EXPECT_THAT((*offers)[0].cursor_candidates, ElementsAre("line", "order", "changed"));
  EXPECT_EQ((*offers)[0].rows_estimate, 20);
  EXPECT_EQ((*offers)[1].name, "other.tags");
  EXPECT_EQ((*offers)[1].columns.fields[0].type.ToSql(), "VARCHAR[]");
  EXPECT_EQ((*offers)[1].rows_estimate, -1);
}

// What libpq and the server say, as recorded from version 15, and the part that is named.
TEST_F(Postgres, SaysWhichPartIsWrong) {
  const SourceRequest request = Request(Json::object());
  const struct {
    const char* said;
    ErrorKind kind;
    const char* names;
  } cases[] = {
      {"could not translate host name \"db\" to address: Name or service not known", ErrorKind::kUnavailable, "the host db has no address"},
      {"connection to server at \"db\", port 5433 failed: Connection refused\n\tIs the server running?", ErrorKind::kUnavailable, "port 5433 of db"},
      {"connection to server at \"db\", port 5433 failed: timeout expired", ErrorKind::kUnavailable, "does not answer"},
      {"connection to server at \"db\", port 5433 failed: FATAL:  password authentication failed for user \"reader\"", ErrorKind::kPermission, "user reader with this password"},
      {"connection to server failed: fe_sendauth: no password supplied", ErrorKind::kPermission, "wants a password"},
      {"FATAL:  database \"shop\" does not exist", ErrorKind::kNotFound, "no database shop"},
      {"FATAL:  no pg_hba.conf entry for host", ErrorKind::kPermission, "pg_hba"},
      {"server does not support SSL, but SSL was required", ErrorKind::kInvalidArgument, "no TLS"},
      {"SSL error: certificate verify failed", ErrorKind::kPermission, "certificate"},
      {"FATAL:  sorry, too many clients already", ErrorKind::kUnavailable, "no connection left"},
      {"FATAL:  the database system is starting up", ErrorKind::kUnavailable, "does not take connections"},
      {"ERROR:  canceling statement due to statement timeout", ErrorKind::kTimeout, "statement_timeout"},
      {"ERROR:  permission denied for table orders", ErrorKind::kPermission, "lacks a right"},
      {"FATAL:  terminating connection due to administrator command", ErrorKind::kUnavailable, "ended the connection"},
      {"Binder Error: Failed to prepare query \"selec\": ERROR:  syntax error", ErrorKind::kInvalidArgument, "`query:`"},
      {"Conversion Error: Could not convert string 'NaN' to DECIMAL(10,2)", ErrorKind::kInvalidArgument, "a value"}};
  for (const auto& c : cases) {
    const std::string whole = std::string("IO Error: Unable to connect to Postgres at \"host='db' user='reader'\": ") + c.said;
    const Error error = connector.make_relation()->Explain(request, Error{ErrorKind::kInternal, whole, "", ""});
    EXPECT_EQ(error.kind, c.kind) << c.said;
    EXPECT_THAT(error.message, HasSubstr(c.names)) << c.said;
    EXPECT_FALSE(error.next.empty()) << c.said;
    EXPECT_THAT(error.message, Not(HasSubstr("host='db'"))) << c.said;
  }
}

}  // namespace
}  // namespace caudal
