// Tables of a MariaDB or MySQL server, read through DuckDB's scanner. Authentication: password, TLS by `sslmode`. Order: none.
// Delivery: at least once from the source, exactly once in a table with a key; a row that commits late is not lost within a
// stated time (Reading, below). Types, rights and what is not seen: docs/connectors/mysql.md.
#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <utility>

#include "connect/mysql_columns.h"
#include "connect/mysql_session.h"
#include "connect/options.h"
#include "connect/server_spec.h"
#include "connect/server_stream.h"
#include "connect/source.h"
#include "data/name.h"

namespace caudal {

void Register_mysql(Registry& registry);

namespace {

constexpr const char* kCatalog = "src";

ConnectorSpec Spec() {
  ConnectorSpec spec = ServerSpec(
      {"mysql", "MariaDB or MySQL", "3306", "database", "Of the table; the source's, if not given",
       "at least once: rows near the cursor come again, and a key makes them one; a row that commits late is not lost within the lookback",
       {"disable", "prefer", "verify-full"}});
  OptionSpec zero = MakeOption("zero_dates", OptionType::kString, "reject",
                               "What a date without month or day (`0000-00-00`) becomes: a rejected row, or a NULL");
  zero.choices = {"reject", "as_null"};
  spec.options.push_back(std::move(zero));
  return spec;
}

/// The scanner sends the text as it is, on a connection of its own, and hands rows on as they come.
std::string OnServer(const std::string& sql, const std::string& columns) {
  return fmt::format("SELECT {} FROM mysql_query({}, {}, stream_results := true)", columns, QuoteLiteral(kCatalog), QuoteLiteral(sql));
}

// Reading. One statement brings the rows, so they are of one moment. A row is lost if it is committed after that with a cursor
// value below those that the next read takes, and the server keeps nothing by which one could find it. So the next read steps
// back from the highest value by `lag`, and by the age that the oldest open transaction had before this read: a transaction
// writes no value older than its beginning, or than `lag` before it. The age is known to users with the right PROCESS; without
// it, `lag` alone must be longer than any transaction. The statements are not of one snapshot with each other: what comes later
// sees more, and the cursor is asked first.
//
// Without `lag`, the lookback of a time: rows that come again are one with what is there, so it may be long.
constexpr const char* kLookback = "1h";
// Where the server does not know the time zone: an hour comes twice when summer time ends.
constexpr const char* kLookbackOfLocalTime = "2h";

// The oldest transaction's begin is in the zone of the server's machine, and cut to seconds; the server makes the list anew ten
// times a second. The CASE keeps from it who may not read it: the user, or on MariaDB the role; others' rights may be seen, too.
constexpr const char* kMomentSql =
    "SELECT CAST(UTC_TIMESTAMP(6) AS CHAR) AS now, CAST(CASE WHEN EXISTS (SELECT 1 FROM information_schema.USER_PRIVILEGES WHERE "
    "PRIVILEGE_TYPE = 'PROCESS' AND (GRANTEE = CONCAT('''', LEFT(CURRENT_USER(), CHAR_LENGTH(CURRENT_USER()) - "
    "CHAR_LENGTH(SUBSTRING_INDEX(CURRENT_USER(), '@', -1)) - 1), '''@''', SUBSTRING_INDEX(CURRENT_USER(), '@', -1), '''') "
    "OR GRANTEE LIKE CONCAT('''', CURRENT_ROLE(), '''@%'))) THEN COALESCE((SELECT TIMESTAMPDIFF(SECOND, MIN(CONVERT_TZ(trx_started, 'SYSTEM', '+00:00')), UTC_TIMESTAMP()) "
    "FROM information_schema.INNODB_TRX WHERE trx_is_read_only = 0), 0) + 2 END AS CHAR) AS age";

struct Moment {
  std::string now;               // UTC, by the server's clock
  std::int64_t age_seconds = 0;  // of the oldest open transaction, as far as it is seen
};

class MysqlSource final : public RelationSource {
 public:
  Result<RelationQuestion> Check(const SourceRequest& request) override { return Ask(request, "SELECT 1 AS one"); }
  Result<RelationQuestion> Discover(const SourceRequest& request) override { return Ask(request, MysqlCatalogSql()); }
  Result<std::vector<StreamOffer>> Offers(const SourceRequest& request, const Rows& rows) override;
  Result<std::vector<RelationQuestion>> Before(const SourceRequest& request) override;
  Status Learn(const SourceRequest& request, const std::vector<Rows>& answers) override;
  Result<RelationRead> Read(const SourceRequest& request) override;

  Result<ReadOutcome> Cursor(const SourceRequest& /*request*/, const Cell& cell) override {
    ReadOutcome outcome;
    outcome.cursor = CursorText(x_asked, cell);
    return outcome;
  }
  Error Explain(const SourceRequest& request, Error error) const override {
    const Result<Options> options = Options::Parse(request.options);
    if (!options) return error;
    const auto limit = options->Duration("statement_timeout", std::chrono::hours{1});
    return ExplainMysql(request, *options, std::move(error), x_began && std::chrono::steady_clock::now() - *x_began >= limit);
  }
  bool IsAboutAValue(const Error& error) const override { return IsAboutAMysqlValue(error); }

 private:
  static Result<RelationQuestion> Ask(const SourceRequest& request, const std::string& sql) {
    TRY_ASSIGN(const Options options, Options::Parse(request.options));
    TRY_ASSIGN(AttachedDatabase database, MysqlDatabase(options, request.project_folder, kCatalog));
    return RelationQuestion{std::move(database), OnServer(sql, "*")};
  }
  Status ChooseLag(const SourceRequest& request);
  Result<std::string> Condition() const;
  std::string CursorSql(const std::string& condition) const;
  std::string relation() const { return RelationOf(x_asked, QuoteMysqlName); }

  AttachedDatabase x_database;
  ServerStream x_asked;
  Moment x_moment;
  std::vector<ServerColumn> x_columns;
  std::string x_kind;  // of the cursor: "timestamp", "datetime", "date", or a number's
  bool x_zero_is_null = false;
  std::optional<std::chrono::steady_clock::time_point> x_began;
};

bool IsTime(const std::string& kind) { return kind == "timestamp" || kind == "datetime" || kind == "date"; }

bool IsWhole(const std::string& kind) { return kind.ends_with("int"); }

Result<std::vector<RelationQuestion>> MysqlSource::Before(const SourceRequest& request) {
  TRY_ASSIGN(const Options options, Options::Parse(request.options));
  TRY_ASSIGN(x_database, MysqlDatabase(options, request.project_folder, kCatalog));
  TRY_ASSIGN(x_asked, AskServerStream(request, options, "database", ""));
  x_zero_is_null = options.Text("zero_dates", "reject") == "as_null";
  return std::vector<RelationQuestion>{
      {x_database, OnServer(kMomentSql, "*")},
      {x_database, x_asked.table.empty() ? OnServer("SELECT * FROM " + relation(), "*") + " LIMIT 0"
                                         : OnServer(MysqlTableSql(x_asked.schema, x_asked.table), "*")}};
}

Status MysqlSource::Learn(const SourceRequest& request, const std::vector<Rows>& answers) {
  if (answers.size() != 2 || answers[0].rows.size() != 1 || answers[0].rows[0].size() != 2) {
    return Error{ErrorKind::kInternal, "the server answered in another form than it was asked", "", ""};
  }
  x_moment = Moment{answers[0].rows[0][0].value_or(""), NumberIn(answers[0].rows[0][1])};
  if (x_asked.table.empty()) {
    x_columns = MysqlColumnsOfQuery(answers[1].schema, x_zero_is_null);
  } else {
    MysqlTable table = ReadMysqlTable(answers[1], x_zero_is_null);
    if (table.columns.empty()) {
      Error error = NoSuchTable(request, x_asked, "database", table.neighbours);
      error.message += ", or the user may not read it (the server does not say which)";
      return error;
    }
    x_columns = std::move(table.columns);
  }
  TRY(TakeColumns(request, x_asked, x_columns));
  return ChooseLag(request);
}

Status MysqlSource::ChooseLag(const SourceRequest& request) {
  if (x_asked.column.empty()) return {};
  x_kind = FindColumn(x_columns, x_asked.column)->kind;
  const bool time = IsTime(x_kind);
  if (!time && !IsWhole(x_kind)) {
    return Error{ErrorKind::kInvalidArgument,
                 fmt::format("stream {}: the cursor column {} is no time and no whole number, so nothing tells which of its rows are new", request.stream, x_asked.column),
                 "choose a column of type timestamp, datetime, date or int, or read all with `write_disposition: replace`", ""};
  }
  if (x_asked.lag) return {};
  if (!time) {
    return Error{ErrorKind::kInvalidArgument,
                 fmt::format("stream {}: nothing tells which rows commit late by the number {}", request.stream, x_asked.column),
                 "write `incremental: {cursor: ..., lag: 1000}`: how many numbers may be given to others before a transaction commits", ""};
  }
  x_asked.lag = x_kind == "timestamp" ? kLookback : kLookbackOfLocalTime;
  return {};
}

/// "2026-01-31", "2026-01-31 10:00:00.5"; of a zone behind it the server would take no notice.
bool IsPlainTime(const std::string& text) {
  return text.size() >= 10 && text.find_first_not_of("0123456789-: .T") == std::string::npos && text.find('-', 8) == std::string::npos;
}

Result<std::string> MysqlSource::Condition() const {
  if (IsTime(x_kind) && x_asked.initial && !IsPlainTime(*x_asked.initial)) {
    return Error{ErrorKind::kInvalidArgument, "`initial_value:` is no time: " + *x_asked.initial,
                 "write it as 2026-01-31, or 2026-01-31 10:00:00, in the zone of the column (of a timestamp: UTC)", ""};
  }
  const auto back = [&](const std::string& value, std::chrono::milliseconds lag) {
    const std::string moment = fmt::format("CAST({} AS DATETIME(6)) - INTERVAL {} MICROSECOND", QuoteMysqlText(value), lag.count() * 1000);
    // Rows of the day that the lag reaches into are taken whole.
    return x_kind == "date" ? fmt::format("DATE({})", moment) : "(" + moment + ")";
  };
  return CursorCondition(x_asked, QuoteMysqlName(x_asked.column), QuoteMysqlText, back);
}

std::string MysqlSource::CursorSql(const std::string& condition) const {
  if (x_asked.column.empty()) return "";
  const std::string column = QuoteMysqlName(x_asked.column);
  std::string value = fmt::format("MAX({})", column);
  std::string where = condition.empty() ? "" : " WHERE " + condition;
  if (IsTime(x_kind)) {
    // A value in the future would hide all that come before it. Of times without a zone, the furthest one is 14 hours ahead.
    where += fmt::format("{} {} <= CAST('{}' AS DATETIME(6)) + INTERVAL {} HOUR", condition.empty() ? " WHERE" : " AND", column, x_moment.now,
                         x_kind == "timestamp" ? 0 : 14);
    // The transaction has grown older since.
    value += fmt::format(" - INTERVAL ({} + TIMESTAMPDIFF(SECOND, '{}', UTC_TIMESTAMP())) SECOND", x_moment.age_seconds, x_moment.now);
  }
  if (x_kind == "date") value = fmt::format("DATE({})", value);
  return OnServer(fmt::format("SELECT CAST({} AS CHAR) AS value FROM {}{}", value, relation(), where), "value");
}

Result<RelationRead> MysqlSource::Read(const SourceRequest& request) {
  x_began = std::chrono::steady_clock::now();
  RelationRead read;
  read.database = x_database;
  TRY_ASSIGN(const std::string condition, Condition());
  const std::string where = condition.empty() ? "" : " WHERE " + condition;
  const ServerLists lists = ListsOf(x_columns, QuoteMysqlName);
  const auto on_server = [&](const std::string& list) { return fmt::format("SELECT {} FROM {}{}", list, relation(), where); };
  read.sql = OnServer(on_server(lists.sent), lists.shown);
  read.cursor_sql = CursorSql(condition);
  if (!request.keys.empty()) {
    TRY_ASSIGN(const std::vector<ServerColumn> columns, KeyColumns(request, x_columns));
    const ServerLists keys = ListsOf(columns, QuoteMysqlName);
    read.keys_sql = OnServer(fmt::format("SELECT {} FROM {}", keys.sent, relation()), keys.shown);
  }
  const RelationTexts as_texts{OnServer(on_server(lists.texts_sent), lists.texts_shown), read.cursor_sql};
  read.as_texts = [as_texts](const Schema& /*columns*/) { return as_texts; };
  return read;
}

Result<std::vector<StreamOffer>> MysqlSource::Offers(const SourceRequest& request, const Rows& rows) {
  TRY_ASSIGN(const Options options, Options::Parse(request.options));
  return OffersOf(rows, options.Text("database", ""), [](const std::vector<Cell>& row) -> Result<CatalogType> {
    const ServerColumn column = MysqlColumn(row[kColumnCell].value_or(""), MysqlTypeIn(&row[kFirstOwnCell]), false);
    CatalogType type;
    TRY_ASSIGN(type.type, ParseType(column.type));
    type.time = column.kind == "timestamp" || column.kind == "datetime";
    type.number = IsWhole(column.kind);
    return type;
  });
}

}  // namespace

void Register_mysql(Registry& registry) {
  registry.Add(Connector{Spec(), nullptr, [] { return std::make_unique<MysqlSource>(); }, NextRowsInWords});
}

}  // namespace caudal
