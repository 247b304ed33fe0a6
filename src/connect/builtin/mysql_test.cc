// The mysql connector down to its SQL, with the answers of a server. A real one: tests/connect/test_mysql.py.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "connect/mysql_columns.h"
#include "connect/mysql_session.h"
#include "connect/source.h"

namespace caudal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

using Line = std::vector<Cell>;

/// One column of a table as the server tells it.
Line Column(const char* name, const char* kind, const char* whole = "", const char* charset = "", const char* digits = "", const char* scale = "",
            const char* readable = "1") {
  return {"orders, tags", name, kind, whole, charset, digits, scale, readable};
}

class Mysql : public ::testing::Test {
 protected:
  static SourceRequest Request(const Json& stream, const std::string& cursor = "", const Json& more = Json::object()) {
    SourceRequest request;
    request.source = "shop";
    request.stream = "orders";
    Json options{{"host", "db"}, {"port", 3307}, {"database", "shop"}, {"user", "rea\"der"}, {"password", "it's secret"}};
    options.update(more);
    request.options = DumpJson(options);
    request.stream_options = DumpJson(stream);
    request.cursor = cursor;
    return request;
  }
  Status Learn(const SourceRequest& request, std::vector<Line> columns, const Cell& age) {
    source = connector.make_relation();
    TRY_ASSIGN(const auto questions, source->Before(request));
    EXPECT_EQ(questions.size(), 2U);
    Rows moment, table;
    moment.rows = {{"2026-01-01 00:00:00.000000", age}};
    table.rows = std::move(columns);
    return source->Learn(request, {moment, table});
  }
  RelationRead Read(const SourceRequest& request, std::vector<Line> columns, const Cell& age = {}) {
    const Status learned = Learn(request, std::move(columns), age);
    EXPECT_TRUE(learned) << learned.error().message;
    auto read = source->Read(request);
    EXPECT_TRUE(read) << read.error().message;
    return *read;
  }
  static Json By(const char* column) { return Json{{"incremental", {{"cursor", column}}}}; }
  static std::string At(const char* column, const char* value) { return DumpJson(Json{{"column", column}, {"value", value}}); }

  const Connector& connector = **BuiltinRegistry().Find("mysql");
  std::unique_ptr<RelationSource> source;
};

TEST_F(Mysql, SetsUpItsSessionAndKeepsThePasswordOutOfTheConnectionString) {
  const auto question = connector.make_relation()->Check(Request(Json::object(), "", Json{{"statement_timeout", "90s"}, {"sslmode", "verify-full"}}));
  const std::string& location = question->database.location;
  EXPECT_THAT(location, Not(HasSubstr("secret")));
  EXPECT_EQ(question->database.secret, "it's secret");
  EXPECT_THAT(location, HasSubstr("host=db;port=3307;protocol=1;"));
  EXPECT_THAT(location, HasSubstr("user=\"rea\\\"der\" database=\"shop\" ssl_mode=verify_identity"));
  EXPECT_THAT(location, HasSubstr("{SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY}"));
  EXPECT_THAT(location, HasSubstr("max_statement_time = 90.000 */ /*!50708 , max_execution_time = 90000 */"));
  // What stands in it is no way into the session.
  for (const char* host : {"db;init-command=x", "tcp://db", "a b", "db\"", ""}) {
    EXPECT_FALSE(connector.make_relation()->Check(Request(Json::object(), "", Json{{"host", host}}))) << host;
  }
}

TEST_F(Mysql, MapsTypes) {
  const struct {
    MysqlType type;
    const char* ours;
    const char* server;
    const char* client;
  } cases[] = {
      {{"tinyint", "tinyint(1)", "", 3, 0}, "TINYINT", "", ""},
      {{"tinyint", "tinyint(3) unsigned", "", 3, 0}, "SMALLINT", "", ""},
      {{"int", "int(10) unsigned zerofill", "", 10, 0}, "BIGINT", "", ""},
      {{"bigint", "bigint(20) unsigned", "", 20, 0}, "DECIMAL(20,0)", "", ""},
      {{"bit", "bit(1)", "", 1, 0}, "BOOLEAN", "CAST(`v` AS UNSIGNED)", ""},
      {{"bit", "bit(64)", "", 64, 0}, "DECIMAL(20,0)", "CAST(`v` AS UNSIGNED)", ""},
      {{"decimal", "decimal(38,10)", "", 38, 10}, "DECIMAL(38,10)", "CAST(`v` AS CHAR)", ""},
      {{"decimal", "decimal(65,30)", "", 65, 30}, "VARCHAR", "CAST(`v` AS CHAR)", ""},
      {{"date", "date", "", 0, 0}, "DATE", "CAST(`v` AS CHAR)", ""},
      {{"timestamp", "timestamp(6)", "", 0, 0}, "TIMESTAMPTZ", "CAST(`v` AS CHAR)", "make_timestamptz(epoch_us(CAST(\"v\" AS TIMESTAMP)))"},
      {{"time", "time", "", 0, 0}, "VARCHAR", "CAST(`v` AS CHAR)", ""},
      {{"year", "year(4)", "", 0, 0}, "SMALLINT", "CAST(`v` AS UNSIGNED)", ""},
      {{"varchar", "varchar(9)", "utf8mb4", 0, 0}, "VARCHAR", "`v` COLLATE utf8mb4_general_ci", "decode(encode(\"v\"))"},
      {{"text", "text", "utf8mb3", 0, 0}, "VARCHAR", "UNHEX(HEX(`v`))", "decode(unhex(hex(\"v\")))"},
      {{"enum", "enum('a')", "latin1", 0, 0}, "VARCHAR", "CONVERT(`v` USING utf8mb4)", "decode(encode(\"v\"))"},
      {{"json", "json", "", 0, 0}, "VARCHAR", "CONVERT(`v` USING utf8mb4)", "decode(encode(\"v\"))"},
      {{"longblob", "longblob", "", 0, 0}, "BLOB", "", ""},
      {{"uuid", "uuid", "", 0, 0}, "VARCHAR", "CAST(`v` AS CHAR)", ""}};
  for (const auto& c : cases) {
    const ServerColumn column = MysqlColumn("v", c.type, false);
    EXPECT_EQ(column.type, c.ours) << c.type.whole;
    EXPECT_EQ(column.server, c.server) << c.type.whole;
    EXPECT_EQ(column.client, c.client) << c.type.whole;
  }
  EXPECT_EQ(MysqlColumn("v", {"date", "date", "", 0, 0}, true).server, "IF(MONTH(`v`) = 0 OR DAYOFMONTH(`v`) = 0, NULL, CAST(`v` AS CHAR))");
}

TEST_F(Mysql, QuotesNamesAndTextsForAnySqlMode) {
  EXPECT_EQ(QuoteMysqlName("a`b"), "`a``b`");
  EXPECT_EQ(QuoteMysqlText("it's"), "'it''s'");
  EXPECT_EQ(QuoteMysqlText("\\'"), "CONVERT(X'5c27' USING utf8mb4)");
}

TEST_F(Mysql, StepsBackFromTheHighestValue) {
  const std::vector<Line> columns{Column("id", "int"), Column("at", "timestamp"), Column("local", "datetime"), Column("day", "date")};
  EXPECT_THAT(Read(Request(By("at"), At("at", "2026-01-01 10:00:00.5")), columns).sql,
              HasSubstr("(`at` >= (CAST(''2026-01-01 10:00:00.5'' AS DATETIME(6)) - INTERVAL 3600000000 MICROSECOND) OR `at` IS NULL)"));
  EXPECT_THAT(Read(Request(By("local"), At("local", "2026-01-01")), columns).sql, HasSubstr("INTERVAL 7200000000 MICROSECOND"));
  EXPECT_THAT(Read(Request(By("day"), At("day", "2026-01-01")), columns).sql, HasSubstr("`day` >= DATE(CAST("));
  Json stream = By("id");
  stream["incremental"]["lag"] = 100;
  EXPECT_THAT(Read(Request(stream, At("id", "500")), columns).sql, HasSubstr("`id` >= 500 - 100"));
  EXPECT_THAT(Read(Request(stream, At("id", "18446744073709551615")), columns).sql, HasSubstr("`id` >= 18446744073709551615 - 100"));
  stream = By("at");
  stream["incremental"]["initial_value"] = "2025-06-01 10:00:00.5";
  EXPECT_THAT(Read(Request(stream), columns).sql, HasSubstr("(`at` >= ''2025-06-01 10:00:00.5'' OR `at` IS NULL)"));
  for (const char* odd : {"2025-06-01T10:00:00Z", "2025-06-01 10:00:00+02:00", "2025-06-01 10:00:00-02:00", "yesterday"}) {
    stream["incremental"]["initial_value"] = odd;
    EXPECT_TRUE(Learn(Request(stream), columns, {}));
    EXPECT_FALSE(source->Read(Request(stream))) << odd;
  }
  // Another column, another history.
  EXPECT_THAT(Read(Request(By("at"), At("id", "500")), columns).sql, Not(HasSubstr("WHERE")));
}

TEST_F(Mysql, KeepsTheCursorBehindOpenTransactionsAndTheClock) {
  const std::vector<Line> columns{Column("at", "timestamp"), Column("local", "datetime"), Column("day", "date")};
  EXPECT_THAT(Read(Request(By("at")), columns, "60").cursor_sql,
              HasSubstr("CAST(MAX(`at`) - INTERVAL (60 + TIMESTAMPDIFF(SECOND, ''2026-01-01 00:00:00.000000'', UTC_TIMESTAMP())) SECOND AS CHAR) AS value FROM `shop`.`orders` WHERE `at` <= "
                        "CAST(''2026-01-01 00:00:00.000000'' AS DATETIME(6)) + INTERVAL 0 HOUR"));
  EXPECT_THAT(Read(Request(By("local"), At("local", "2026-01-01")), columns).cursor_sql,
              HasSubstr("OR `local` IS NULL) AND `local` <= CAST(''2026-01-01 00:00:00.000000'' AS DATETIME(6)) + INTERVAL 14 HOUR"));
  EXPECT_THAT(Read(Request(By("day")), columns).cursor_sql, HasSubstr("CAST(DATE(MAX(`day`) - INTERVAL (0 + "));
  EXPECT_EQ(Read(Request(Json::object()), columns).cursor_sql, "");
  // No row had a newer value: the old one stays.
  const SourceRequest request = Request(By("at"), At("at", "2026-01-01"));
  Read(request, columns);
  EXPECT_EQ(source->Cursor(request, Cell())->cursor, request.cursor);
}

TEST_F(Mysql, RefusesWhatItCannotProveAndWhatIsNotThere) {
  const std::vector<Line> columns{Column("id", "int"), Column("item", "varchar")};
  EXPECT_THAT(Learn(Request(By("id")), columns, {}).error().next, HasSubstr("lag: 1000"));
  EXPECT_THAT(Learn(Request(By("item")), columns, {}).error().message, HasSubstr("no time and no whole number"));
  const Line nothing{"orders, tags", {}, {}, {}, {}, {}, {}, {}};
  const Status missing = Learn(Request(Json{{"table", "ordrs"}}), {nothing}, {});
  EXPECT_EQ(missing.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(missing.error().next, HasSubstr("orders, tags"));
  EXPECT_EQ(Learn(Request(Json::object()), {Column("id", "int", "", "", "", "", "0")}, {}).error().kind, ErrorKind::kPermission);
}

TEST_F(Mysql, ReadsAQueryByWhatTheScannerSaysOfIt) {
  const auto columns = MysqlColumnsOfQuery(Schema{{Field{"d", *ParseType("DECIMAL(9,0)"), 0}, Field{"t", *ParseType("TIMESTAMP"), 0},
                                                   Field{"n", *ParseType("BIGINT"), 0}, Field{"v", *ParseType("VARCHAR"), 0}}},
                                           false);
  EXPECT_EQ(columns[0].type, "DECIMAL(10,0)");
  EXPECT_EQ(columns[1].kind, "datetime");
  EXPECT_EQ(columns[2].kind, "bigint");
  EXPECT_THAT(columns[3].client, HasSubstr("unhex"));
}

TEST_F(Mysql, OffersTablesWithKeysAndCursors) {
  Rows rows;
  rows.rows = {{"shop", "lines", "line", "1", "20", "int", "int(11)", {}, "10", "0"},
               {"shop", "lines", "order", "0", "20", "bigint", "bigint(20)", {}, "19", "0"},
               {"shop", "lines", "changed", "-1", "20", "timestamp", "timestamp", {}, {}, {}},
               {"other", "tags", "price", "-1", "-1", "decimal", "decimal(10,2)", {}, "10", "2"}};
  const auto offers = connector.make_relation()->Offers(Request(Json::object()), rows);
  ASSERT_EQ(offers->size(), 2U);
  EXPECT_EQ((*offers)[0].name, "lines");
  EXPECT_THAT((*offers)[0].key, ElementsAre("order", "line"));
  EXPECT_THAT((*offers)[0].cursor_candidates, ElementsAre("line", "order", "changed"));
  EXPECT_EQ((*offers)[0].rows_estimate, 20);
  EXPECT_EQ((*offers)[1].name, "other.tags");
  EXPECT_EQ((*offers)[1].columns.fields[0].type.ToSql(), "DECIMAL(10,2)");
}

// What the library, MariaDB 10.11 and MySQL's manual say, and the part that is named.
TEST_F(Mysql, SaysWhichPartIsWrong) {
  const SourceRequest request = Request(Json::object());
  const std::string connect = "IO Error: Failed to connect to MySQL database with parameters \"host=\"host=db;port=3307\" user=\"reader\"\": ";
  const std::string fetch = "IO Error: Failed to fetch result row for MySQL query \"SELECT \"a\": \"\": ";
  const struct {
    std::string said;
    ErrorKind kind;
    const char* names;
  } cases[] = {
      {connect + "Unknown server host 'db' (-2). Attempted host: host=db;port=3307", ErrorKind::kUnavailable, "the host db has no address"},
      {connect + "Can't connect to server on 'db' (115). Attempted host: host=db;port=3307", ErrorKind::kUnavailable, "port 3307 of db"},
      {connect + "Access denied for user 'rea'@'h' (using password: YES)", ErrorKind::kPermission, "with this password"},
      {connect + "Access denied for user 'rea'@'h' (using password: NO)", ErrorKind::kPermission, "wants a password"},
      {connect + "Access denied for user 'rea'@'%' to database 'shop'", ErrorKind::kPermission, "may not use the database shop"},
      {connect + "Unknown database 'shop'", ErrorKind::kNotFound, "no database shop"},
      {connect + "TLS/SSL error: SSL is required, but the server does not support it", ErrorKind::kInvalidArgument, "no TLS"},
      {connect + "Too many connections", ErrorKind::kUnavailable, "no connection left"},
      {"IO Error: Failed to prepare MySQL query \"SELECT 1\": Table 'shop.x' doesn't exist", ErrorKind::kNotFound, "no such table"},
      {"IO Error: Failed to prepare MySQL query \"SELEC\": You have an error in your SQL syntax", ErrorKind::kInvalidArgument, "`query:`"},
      {"IO Error: Failed to execute MySQL query \"S\": Cannot execute statement in a READ ONLY transaction", ErrorKind::kInvalidArgument, "only read"},
      {"IO Error: Failed to execute MySQL query \"S\": Query execution was interrupted (max_statement_time exceeded)", ErrorKind::kTimeout, "statement_timeout"},
      {"IO Error: Failed to execute MySQL query \"S\": SELECT command denied to user 'r'@'h' for table `a`.`b`", ErrorKind::kPermission, "lacks a right"},
      {fetch + "Lost connection to server during query", ErrorKind::kUnavailable, "broke"},
      {fetch, ErrorKind::kUnavailable, "broke the read off"},
      {"Conversion Error: date field value out of range: \"0000-00-00\" LINE 1: SELECT ...", ErrorKind::kInvalidArgument, "a value"}};
  for (const auto& c : cases) {
    const Error error = connector.make_relation()->Explain(request, Error{ErrorKind::kInternal, c.said, "", ""});
    EXPECT_EQ(error.kind, c.kind) << c.said;
    EXPECT_THAT(error.message, HasSubstr(c.names)) << c.said;
    EXPECT_FALSE(error.next.empty()) << c.said;
    EXPECT_THAT(error.message, Not(HasSubstr("host=db"))) << c.said;
    EXPECT_THAT(error.message, Not(HasSubstr("SELECT \"a\""))) << c.said;
  }
  const auto options = Options::Parse(request.options);
  EXPECT_EQ(ExplainMysql(request, *options, Error{ErrorKind::kInternal, fetch, "", ""}, true).kind, ErrorKind::kTimeout);
}

}  // namespace
}  // namespace caudal
