// Tables of a PostgreSQL server, read through DuckDB's scanner. Authentication: password (SCRAM), TLS by `sslmode`.
// Order: none. Delivery: at least once from the source, exactly once in a table with a key; a row that commits late is
// not lost (Reading, below). Types, rights and what is not seen: docs/connectors/postgres.md.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/clock.h"
#include "base/json.h"
#include "connect/options.h"
#include "connect/postgres_columns.h"
#include "connect/postgres_session.h"
#include "connect/server_spec.h"
#include "connect/server_stream.h"
#include "connect/source.h"
#include "data/name.h"

namespace caudal {

void Register_postgres(Registry& registry);

namespace {

constexpr const char* kCatalog = "src";
// Transaction numbers are compared on a circle of 2^32; one that is further behind than this tells nothing any more.
constexpr std::int64_t kFarthestTransaction = 2'000'000'000;

ConnectorSpec Spec() {
  ConnectorSpec spec = ServerSpec(
      {"postgres", "PostgreSQL", "5432", "schema", "Of the table; the source's, if not given",
       "at least once: rows near the cursor come again, and a key makes them one; a row that commits late is not lost",
       {"disable", "prefer", "require", "verify-ca", "verify-full"}});
  spec.options.push_back(MakeOption("schema", OptionType::kString, "public", "Where tables are, unless a stream says otherwise"));
  spec.options.back().form = OptionForm::kLine;
  return spec;
}

/// The last cursor's part of which only this server knows.
struct Versions {
  std::optional<std::int64_t> transaction;
  std::string table_id;
};

Result<Versions> VersionsOf(const SourceRequest& request) {
  TRY_ASSIGN(const Json cursor, ParseJson(request.cursor, "the cursor of a postgres source"));
  Versions versions;
  if (cursor.contains("transaction")) versions.transaction = JsonInt(cursor, "transaction", 0);
  versions.table_id = JsonString(cursor, "table", "");
  return versions;
}

/// Moments and transaction numbers of the server, taken before the read's snapshot.
struct Moment {
  std::int64_t oldest = 0;  // transactions below are over
  std::int64_t next = 0;    // no transaction has this number yet
  bool replica = false;
  bool sees_others = false;
  std::string horizon;  // no open transaction began before it
};

// Every transaction counts, also one that has not written yet: now() is fixed at its start. Two seconds, since a session
// shows its start a moment after the clock was read.
constexpr const char* kMomentSql =
    "SELECT txid_snapshot_xmin(txid_current_snapshot())::text AS oldest, txid_snapshot_xmax(txid_current_snapshot())::text AS next, "
    "pg_is_in_recovery() AS replica, pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS sees_others, "
    "(least(statement_timestamp(), (SELECT min(a.xact_start) FROM pg_stat_activity AS a WHERE a.datname = current_database() "
    "AND a.pid <> pg_backend_pid() AND a.backend_type NOT IN ('autovacuum worker', 'walsender'))) - interval '2 seconds')::text AS horizon";

std::string OnServer(const std::string& sql, const std::string& columns) {
  return fmt::format("SELECT {} FROM postgres_query({}, {})", columns, QuoteLiteral(kCatalog), QuoteLiteral(sql));
}

// Reading. A row is lost if it is committed after a read's snapshot with a cursor value below the cursor of that read.
// The ways to rule that out, the first that fits is taken:
//  kLag      the user says how late a row can come: the next read steps back so far.
//  kHorizon  a timestamptz of a table, all sessions are seen: the cursor stays below the start of every transaction that was open
//            before the snapshot, and a later one writes later values (if it writes now(), or a later time).
//  kVersions the next read takes what was written by a transaction that was not over before this read's snapshot,
//            whatever the column says: the server looks at every row's xmin.
enum class Way { kFull, kLag, kHorizon, kVersions };

class PostgresSource final : public RelationSource {
 public:
  Result<RelationQuestion> Check(const SourceRequest& request) override {
    TRY_ASSIGN(const Options options, Options::Parse(request.options));
    return RelationQuestion{PostgresDatabase(options, request.project_folder, kCatalog), OnServer("SELECT 1 AS one", "*")};
  }

  Result<RelationQuestion> Discover(const SourceRequest& request) override {
    TRY_ASSIGN(const Options options, Options::Parse(request.options));
    return RelationQuestion{PostgresDatabase(options, request.project_folder, kCatalog), OnServer(PostgresCatalogSql(), "*")};
  }

  Result<std::vector<StreamOffer>> Offers(const SourceRequest& request, const Rows& rows) override;

  Result<std::vector<RelationQuestion>> Before(const SourceRequest& request) override {
    TRY_ASSIGN(const Options options, Options::Parse(request.options));
    TRY_ASSIGN(x_asked, AskServerStream(request, options, "schema", "public"));
    x_versions = {};
    if (x_asked.continues) {
      TRY_ASSIGN(x_versions, VersionsOf(request));
    }
    x_database = PostgresDatabase(options, request.project_folder, kCatalog);
    // The sessions first: a transaction that is prepared leaves them for the list that the second one reads.
    return std::vector<RelationQuestion>{
        {x_database, OnServer(kMomentSql, "*")},
        {x_database, x_asked.table.empty() ? OnServer(x_asked.query, "*") + " LIMIT 0"
                                                 : OnServer(PostgresTableSql(x_asked.schema, x_asked.table), "*")}};
  }

  Status Learn(const SourceRequest& request, const std::vector<Rows>& answers) override;
  Result<RelationRead> Read(const SourceRequest& request) override;
  Result<ReadOutcome> Cursor(const SourceRequest& request, const Cell& cell) override;

  Error Explain(const SourceRequest& request, Error error) const override {
    Result<Options> options = Options::Parse(request.options);
    return options ? ExplainPostgres(request, *options, std::move(error)) : error;
  }
  bool IsAboutAValue(const Error& error) const override { return IsAboutAPostgresValue(error); }

 private:
  Status ChooseWay(const SourceRequest& request);
  Result<std::string> Condition() const;
  std::string relation() const { return RelationOf(x_asked, QuoteIdentifier); }
  std::string CursorSql(const std::string& condition) const;

  AttachedDatabase x_database;
  ServerStream x_asked;
  Versions x_versions;
  Moment x_moment;
  PostgresTable x_table;
  Way x_way = Way::kFull;
};

Status PostgresSource::Learn(const SourceRequest& request, const std::vector<Rows>& answers) {
  if (answers.size() != 2 || answers[0].rows.size() != 1 || answers[0].rows[0].size() != 5) {
    return Error{ErrorKind::kInternal, "the server answered in another form than it was asked", "", ""};
  }
  const std::vector<Cell>& moment = answers[0].rows[0];
  x_moment = Moment{NumberIn(moment[0]), NumberIn(moment[1]), moment[2] == "true", moment[3] == "true", moment[4].value_or("")};
  x_table = x_asked.table.empty() ? PostgresTableOfQuery(answers[1].schema) : ReadPostgresTable(answers[1]);
  if (!x_table.found) return NoSuchTable(request, x_asked, "schema", x_table.neighbours);
  if (!x_table.schema_usable) {
    return Error{ErrorKind::kPermission, "the user has no right to use the schema " + x_asked.schema,
                 fmt::format("GRANT USAGE ON SCHEMA {} TO the user", x_asked.schema), ""};
  }
  TRY(TakeColumns(request, x_asked, x_table.columns));
  return ChooseWay(request);
}

Status PostgresSource::ChooseWay(const SourceRequest& request) {
  if (x_asked.column.empty()) return {};
  const ServerColumn& column = *FindColumn(x_table.columns, x_asked.column);
  if (x_asked.lag) {
    x_way = Way::kLag;
    return {};
  }
  if (column.kind == "timestamptz" && x_moment.sees_others && !x_moment.replica && x_table.prepared == 0 && x_table.is_table) {
    x_way = Way::kHorizon;
    return {};
  }
  if (x_table.has_row_versions) {
    x_way = Way::kVersions;
    return {};
  }
  return Error{ErrorKind::kInvalidArgument,
               fmt::format("stream {}: nothing tells which rows of a view or query commit late by the column {}", request.stream, x_asked.column),
               "write `incremental: {cursor: ..., lag: 1h}` with the longest time that a transaction of this database takes, or read the table itself", ""};
}

/// The rows that this read takes, in the server's words; "" = all.
Result<std::string> PostgresSource::Condition() const {
  const auto literal = [](const std::string& value) { return QuoteLiteral(value); };
  const auto back = [&](const std::string& value, std::chrono::milliseconds lag) {
    // Of a date again a date: rows of the day that the lag reaches into are taken whole.
    const std::string& kind = FindColumn(x_table.columns, x_asked.column)->kind;
    return fmt::format("({0}::{1} - interval '{2} milliseconds'){3}", QuoteLiteral(value), kind, lag.count(), kind == "date" ? "::date" : "");
  };
  TRY_ASSIGN(std::string condition, CursorCondition(x_asked, QuoteIdentifier(x_asked.column), literal, back));
  if (x_asked.value) return condition;
  const bool comparable = x_versions.transaction && x_table.has_row_versions && x_versions.table_id == x_table.id &&
                          *x_versions.transaction <= x_moment.next && x_moment.next - *x_versions.transaction < kFarthestTransaction;
  if (!comparable) return condition;  // all rows
  // The numbers 0 to 2 are no transactions; the one before them on the circle takes more rows, never fewer.
  const std::int64_t on_circle = *x_versions.transaction % (std::int64_t{1} << 32);
  return fmt::format("{}age(xmin) <= age('{}'::xid)", condition.empty() ? "" : condition + " AND ",
                     on_circle < 3 ? (std::int64_t{1} << 32) - 1 : on_circle);
}

/// One cell: the cursor's value, after the proof that the scanner can hold every value; "" = nothing to ask.
std::string PostgresSource::CursorSql(const std::string& condition) const {
  std::string guard;
  for (const ServerColumn& column : x_table.columns) {
    if (!column.guard.empty()) guard += (guard.empty() ? "" : " OR ") + column.guard;
  }
  const std::string where = condition.empty() ? "" : " WHERE " + condition;
  const std::string column = QuoteIdentifier(x_asked.column);
  std::string value = "NULL::text";
  if (x_way == Way::kLag) value = fmt::format("(SELECT max({})::text FROM {}{})", column, relation(), where);
  if (x_way == Way::kHorizon) {
    value = fmt::format("(SELECT CASE WHEN max({0}) IS NOT NULL THEN least(max({0}), {1}::timestamptz)::text END FROM {2}{3})", column,
                        QuoteLiteral(x_moment.horizon), relation(), where);
  }
  if (guard.empty() && value == "NULL::text") return "";
  const std::string bad = guard.empty() ? "false" : fmt::format("EXISTS (SELECT 1 FROM {} WHERE {}({}))", relation(),
                                                                condition.empty() ? "" : condition + " AND ", guard);
  // error() of a NULL is a NULL.
  return fmt::format("SELECT coalesce(CAST(error(CASE WHEN bad THEN {} END) AS VARCHAR), value) FROM ({})",
                     QuoteLiteral(kPostgresGuard), OnServer(fmt::format("SELECT {} AS bad, {} AS value", bad, value), "*"));
}

Result<RelationRead> PostgresSource::Read(const SourceRequest& request) {
  RelationRead read;
  read.database = x_database;
  TRY_ASSIGN(const std::string condition, Condition());
  const std::string where = condition.empty() ? "" : " WHERE " + condition;
  const ServerLists lists = ListsOf(x_table.columns, QuoteIdentifier);
  const auto on_server = [&](const std::string& list) { return fmt::format("SELECT {} FROM {}{}", list, relation(), where); };
  // The scanner's own scan reads with several connections; what the server must compute comes in one stream.
  const bool scan = condition.empty() && !x_asked.table.empty() && x_table.has_row_versions && x_table.plain();
  read.sql = scan ? fmt::format("SELECT {} FROM {}.{}", lists.shown, kCatalog, relation()) : OnServer(on_server(lists.sent), lists.shown);
  const bool named_so = FindColumn(x_table.columns, "rowid") != nullptr;
  if (scan && x_table.has_row_places && !named_so) {
    read.numbered_sql = fmt::format("SELECT {}, rowid + 1 AS _source_row FROM {}.{}", lists.shown, kCatalog, relation());
  }
  read.cursor_sql = CursorSql(condition);
  if (!request.keys.empty()) {
    TRY_ASSIGN(const std::vector<ServerColumn> columns, KeyColumns(request, x_table.columns));
    const ServerLists keys = ListsOf(columns, QuoteIdentifier);
    read.keys_sql = OnServer(fmt::format("SELECT {} FROM {}", keys.sent, relation()), keys.shown);
  }
  RelationTexts as_texts;
  as_texts.sql = OnServer(on_server(lists.texts_sent), lists.texts_shown);
  for (ServerColumn& column : x_table.columns) column.guard.clear();
  as_texts.cursor_sql = CursorSql(condition);
  read.as_texts = [as_texts](const Schema& /*columns*/) { return as_texts; };
  return read;
}

Result<ReadOutcome> PostgresSource::Cursor(const SourceRequest& /*request*/, const Cell& cell) {
  ReadOutcome outcome;
  outcome.cursor = CursorText(x_asked, cell);
  if (x_way == Way::kVersions) {
    outcome.cursor = DumpJson(Json{{"column", x_asked.column}, {"transaction", x_moment.oldest}, {"table", x_table.id}});
  }
  return outcome;
}

Result<std::vector<StreamOffer>> PostgresSource::Offers(const SourceRequest& request, const Rows& rows) {
  TRY_ASSIGN(const Options options, Options::Parse(request.options));
  return OffersOf(rows, options.Text("schema", "public"), [](const std::vector<Cell>& row) -> Result<CatalogType> {
    const Cell* own = &row[kFirstOwnCell];
    const std::string kind = own[0].value_or("");
    CatalogType type;
    TRY_ASSIGN(type.type, ParseType(PostgresTypeName(kind, own[1].value_or(""), own[2].value_or(""), NumberIn(own[3]), NumberIn(own[4]))));
    type.time = kind == "timestamptz" || kind == "timestamp";
    type.number = kind == "int4" || kind == "int8";
    return type;
  });
}

}  // namespace

void Register_postgres(Registry& registry) {
  registry.Add(Connector{Spec(), nullptr, [] { return std::make_unique<PostgresSource>(); }, NextRowsInWords});
}

}  // namespace caudal
