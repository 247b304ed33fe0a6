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
#include "connect/source.h"
#include "data/name.h"

namespace caudal {

void Register_postgres(Registry& registry);

namespace {

constexpr const char* kCatalog = "src";
// Transaction numbers are compared on a circle of 2^32; one that is further behind than this tells nothing any more.
constexpr std::int64_t kFarthestTransaction = 2'000'000'000;

OptionSpec Option(const char* name, OptionType type, const char* fallback, const char* description) {
  OptionSpec option;
  option.name = name;
  option.type = type;
  option.default_value = fallback;
  option.description = description;
  return option;
}

ConnectorSpec Spec() {
  ConnectorSpec spec;
  spec.name = "postgres";
  spec.summary = "Tables, views and queries of a PostgreSQL server";
  spec.shape = SourceShape::kRelation;
  spec.network = true;
  spec.port_option = "port";
  spec.discovers = true;
  spec.checks_streams = true;
  spec.incremental = true;
  spec.may_repeat = true;
  spec.delivery = "at least once: rows near the cursor come again, and a key makes them one; a row that commits late is not lost";
  const auto add = [&](OptionSpec option, bool required) -> OptionSpec& {
    option.required = required;
    option.form = option.type == OptionType::kString ? OptionForm::kLine : OptionForm::kAny;
    return spec.options.emplace_back(std::move(option));
  };
  add(Option("host", OptionType::kString, "", "Name or address of the server"), true);
  OptionSpec& port = add(Option("port", OptionType::kInteger, "5432", "Its TCP port, the only one that the worker may reach"), false);
  port.least = 1;
  port.most = 65535;
  add(Option("database", OptionType::kString, "", "The database"), true);
  add(Option("user", OptionType::kString, "", "Who logs in; reading is all it needs"), true);
  add(Option("password", OptionType::kString, "", "Its password"), false).secret = true;
  add(Option("sslmode", OptionType::kString, "prefer", "TLS: `prefer` takes it where the server has it; `verify-ca` and `verify-full` need `sslrootcert`"), false)
      .choices = {"disable", "prefer", "require", "verify-ca", "verify-full"};
  spec.options.back().needs = {{"verify-ca", {"sslrootcert"}}, {"verify-full", {"sslrootcert"}}};
  add(Option("sslrootcert", OptionType::kPath, "", "Certificates of the authorities that may sign the server's"), false);
  add(Option("schema", OptionType::kString, "public", "Where tables are, unless a stream says otherwise"), false);
  add(Option("statement_timeout", OptionType::kDuration, "1h", "The server stops a statement that takes longer"), false).least = 1;
  spec.stream_options = {
      Option("table", OptionType::kString, "", "Table or view; the stream's name, if neither this nor `query` is given"),
      Option("schema", OptionType::kString, "", "Of the table; the source's, if not given"),
      Option("query", OptionType::kString, "", "A SELECT in PostgreSQL's own words instead of a table, without a semicolon"),
      Option("select", OptionType::kStringList, "", "Only these columns of the table")};
  spec.stream_options[2].excludes = {"table", "schema", "select"};
  return spec;
}

/// What the options and the last cursor ask for.
struct Asked {
  AttachedDatabase database;
  std::string schema, table;        // table "" = a query
  std::string query;
  std::vector<std::string> select;  // empty = all
  std::string column;               // of the cursor, "" = a full read
  std::optional<std::string> initial, lag;
  // The last cursor, where it is one of this column and table.
  std::optional<std::string> value;
  std::optional<std::int64_t> transaction;
  std::string table_id;
};

Result<Asked> Ask(const SourceRequest& request, const Options& options) {
  TRY_ASSIGN(const Options stream, Options::Parse(request.stream_options));
  Asked asked;
  asked.database = PostgresDatabase(options, request.project_folder, kCatalog);
  asked.query = stream.Text("query", "");
  if (asked.query.empty()) asked.table = stream.Text("table", request.stream);
  asked.schema = stream.Text("schema", options.Text("schema", "public"));
  asked.select = stream.Texts("select");
  asked.column = stream.Text("incremental.cursor", "");
  if (stream.Has("incremental.initial_value")) asked.initial = stream.Text("incremental.initial_value", "");
  if (stream.Has("incremental.lag")) asked.lag = stream.Text("incremental.lag", "");
  if (request.cursor.empty() || asked.column.empty()) return asked;
  TRY_ASSIGN(const Json cursor, ParseJson(request.cursor, "the cursor of a postgres source"));
  // Another cursor column means another history: from the beginning.
  if (JsonString(cursor, "column", "") != asked.column) return asked;
  if (cursor.contains("value")) asked.value = JsonString(cursor, "value", "");
  if (cursor.contains("transaction")) asked.transaction = JsonInt(cursor, "transaction", 0);
  asked.table_id = JsonString(cursor, "table", "");
  return asked;
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

std::string OnServer(const std::string& sql) {
  return fmt::format("SELECT * FROM postgres_query({}, {})", QuoteLiteral(kCatalog), QuoteLiteral(sql));
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
    return RelationQuestion{PostgresDatabase(options, request.project_folder, kCatalog), OnServer("SELECT 1 AS one")};
  }

  Result<RelationQuestion> Discover(const SourceRequest& request) override {
    TRY_ASSIGN(const Options options, Options::Parse(request.options));
    return RelationQuestion{PostgresDatabase(options, request.project_folder, kCatalog), OnServer(PostgresCatalogSql())};
  }

  Result<std::vector<StreamOffer>> Offers(const SourceRequest& request, const Rows& rows) override;

  Result<std::vector<RelationQuestion>> Before(const SourceRequest& request) override {
    TRY_ASSIGN(const Options options, Options::Parse(request.options));
    TRY_ASSIGN(x_asked, Ask(request, options));
    // The sessions first: a transaction that is prepared leaves them for the list that the second one reads.
    return std::vector<RelationQuestion>{
        {x_asked.database, OnServer(kMomentSql)},
        {x_asked.database, x_asked.table.empty() ? OnServer(x_asked.query) + " LIMIT 0"
                                                 : OnServer(PostgresTableSql(x_asked.schema, x_asked.table))}};
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
  Status TakeColumns(const SourceRequest& request);
  Status ChooseWay(const SourceRequest& request);
  Result<std::string> Condition() const;
  std::string Relation() const;
  std::string CursorSql(const std::string& condition) const;

  Asked x_asked;
  Moment x_moment;
  PostgresTable x_table;
  Way x_way = Way::kFull;
};

std::int64_t NumberIn(const Cell& cell) { return cell ? std::strtoll(cell->c_str(), nullptr, 10) : 0; }

Status PostgresSource::Learn(const SourceRequest& request, const std::vector<Rows>& answers) {
  if (answers.size() != 2 || answers[0].rows.size() != 1 || answers[0].rows[0].size() != 5) {
    return Error{ErrorKind::kInternal, "the server answered in another form than it was asked", "", ""};
  }
  const std::vector<Cell>& moment = answers[0].rows[0];
  x_moment = Moment{NumberIn(moment[0]), NumberIn(moment[1]), moment[2] == "true", moment[3] == "true", moment[4].value_or("")};
  x_table = x_asked.table.empty() ? PostgresTableOfQuery(answers[1].schema) : ReadPostgresTable(answers[1]);
  const std::string name = x_asked.schema + "." + x_asked.table;
  if (!x_table.found) {
    const bool none = x_table.neighbours.empty();
    return Error{ErrorKind::kNotFound, "the database has no table " + name + ", for stream " + request.stream,
                 none ? "correct `schema:`; there is no table in this one" : "write `table:` for the stream; there are: " + x_table.neighbours, ""};
  }
  if (!x_table.schema_usable) {
    return Error{ErrorKind::kPermission, "the user has no right to use the schema " + x_asked.schema,
                 fmt::format("GRANT USAGE ON SCHEMA {} TO the user", x_asked.schema), ""};
  }
  TRY(TakeColumns(request));
  return ChooseWay(request);
}

/// Leaves the columns that are asked for, each readable.
Status PostgresSource::TakeColumns(const SourceRequest& request) {
  std::string all;
  for (const PostgresColumn& column : x_table.columns) all += (all.empty() ? "" : ", ") + column.name;
  std::vector<std::string> named = x_asked.select;
  if (!x_asked.column.empty()) named.push_back(x_asked.column);
  for (const std::string& column : named) {
    if (x_table.Find(column) != nullptr) continue;
    const bool cursor = column == x_asked.column;
    return Error{ErrorKind::kNotFound, fmt::format("the stream {} has no column '{}', which `{}` names", request.stream, column,
                                                   cursor ? "incremental:" : "select:"),
                 "write one of: " + all, ""};
  }
  if (!x_asked.select.empty()) {
    std::vector<PostgresColumn> chosen;
    for (const std::string& column : x_asked.select) chosen.push_back(*x_table.Find(column));
    if (!x_asked.column.empty() && std::find(x_asked.select.begin(), x_asked.select.end(), x_asked.column) == x_asked.select.end()) {
      return Error{ErrorKind::kInvalidArgument, "`select:` leaves out the cursor column " + x_asked.column, "add it to `select:`", ""};
    }
    x_table.columns = std::move(chosen);
  }
  for (const PostgresColumn& column : x_table.columns) {
    if (column.readable) continue;
    return Error{ErrorKind::kPermission, fmt::format("the user has no right to read {}.{} (column {})", x_asked.schema, x_asked.table, column.name),
                 fmt::format("GRANT SELECT ON {}.{} TO the user", x_asked.schema, x_asked.table), ""};
  }
  if (!x_table.columns.empty()) return {};
  return Error{ErrorKind::kInvalidArgument, "the stream has no column: " + request.stream, "choose another table", ""};
}

Status PostgresSource::ChooseWay(const SourceRequest& request) {
  if (x_asked.column.empty()) return {};
  const PostgresColumn& column = *x_table.Find(x_asked.column);
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

bool IsNumber(std::string_view text) {
  if (text.starts_with("-")) text.remove_prefix(1);
  return !text.empty() && text.size() < 19 && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// The rows that this read takes, in the server's words; "" = all.
Result<std::string> PostgresSource::Condition() const {
  const std::string column = QuoteIdentifier(x_asked.column);
  std::string condition;
  const auto add = [&](const std::string& part) { condition += (condition.empty() ? "" : " AND ") + part; };
  if (x_asked.initial) add(fmt::format("({0} >= {1} OR {0} IS NULL)", column, QuoteLiteral(*x_asked.initial)));
  if (x_asked.value) {
    std::string from = QuoteLiteral(*x_asked.value);
    if (x_asked.lag && IsNumber(*x_asked.value)) {
      if (!IsNumber(*x_asked.lag)) {
        return Error{ErrorKind::kInvalidArgument, "the cursor is a number, so `lag` is one, too: " + *x_asked.lag, "write `lag: 1000`", ""};
      }
      from = fmt::format("{} - {}", *x_asked.value, *x_asked.lag);
    } else if (x_asked.lag) {
      TRY_ASSIGN(const std::chrono::milliseconds lag, ParseDuration(*x_asked.lag));
      from = fmt::format("{}::{} - interval '{} milliseconds'", from, x_table.Find(x_asked.column)->kind, lag.count());
    }
    add(fmt::format("({0} >= {1} OR {0} IS NULL)", column, from));
    return condition;
  }
  const bool comparable = x_asked.transaction && x_table.has_row_versions && x_asked.table_id == x_table.id &&
                          *x_asked.transaction <= x_moment.next && x_moment.next - *x_asked.transaction < kFarthestTransaction;
  if (!comparable) return condition;  // all rows
  // The numbers 0 to 2 are no transactions; the one before them on the circle takes more rows, never fewer.
  const std::int64_t on_circle = *x_asked.transaction % (std::int64_t{1} << 32);
  add(fmt::format("age(xmin) <= age('{}'::xid)", on_circle < 3 ? (std::int64_t{1} << 32) - 1 : on_circle));
  return condition;
}

/// What stands behind FROM on the server.
std::string PostgresSource::Relation() const {
  if (x_asked.table.empty()) return "(\n" + x_asked.query + "\n) AS stream";
  return QuoteIdentifier(x_asked.schema) + "." + QuoteIdentifier(x_asked.table);
}

/// One cell: the cursor's value, after the proof that the scanner can hold every value; "" = nothing to ask.
std::string PostgresSource::CursorSql(const std::string& condition) const {
  std::string guard;
  for (const PostgresColumn& column : x_table.columns) {
    if (!column.guard.empty()) guard += (guard.empty() ? "" : " OR ") + column.guard;
  }
  const std::string where = condition.empty() ? "" : " WHERE " + condition;
  const std::string column = QuoteIdentifier(x_asked.column);
  std::string value = "NULL::text";
  if (x_way == Way::kLag) value = fmt::format("(SELECT max({})::text FROM {}{})", column, Relation(), where);
  if (x_way == Way::kHorizon) {
    value = fmt::format("(SELECT CASE WHEN max({0}) IS NOT NULL THEN least(max({0}), {1}::timestamptz)::text END FROM {2}{3})", column,
                        QuoteLiteral(x_moment.horizon), Relation(), where);
  }
  if (guard.empty() && value == "NULL::text") return "";
  const std::string bad = guard.empty() ? "false" : fmt::format("EXISTS (SELECT 1 FROM {} WHERE {}({}))", Relation(),
                                                                condition.empty() ? "" : condition + " AND ", guard);
  // error() of a NULL is a NULL.
  return fmt::format("SELECT coalesce(CAST(error(CASE WHEN bad THEN {} END) AS VARCHAR), value) FROM ({})",
                     QuoteLiteral(kPostgresGuard), OnServer(fmt::format("SELECT {} AS bad, {} AS value", bad, value)));
}

Result<RelationRead> PostgresSource::Read(const SourceRequest& /*request*/) {
  RelationRead read;
  read.database = x_asked.database;
  TRY_ASSIGN(const std::string condition, Condition());
  const std::string where = condition.empty() ? "" : " WHERE " + condition;
  std::string shown, sent, texts, texts_sent;
  for (const PostgresColumn& column : x_table.columns) {
    const std::string name = QuoteIdentifier(column.name);
    const char* comma = shown.empty() ? "" : ", ";
    shown += fmt::format("{}CAST({} AS {}) AS {}", comma, name, column.type, name);
    sent += fmt::format("{}{} AS {}", comma, column.server.empty() ? name : column.server, name);
    texts += fmt::format("{0}CAST({1} AS VARCHAR) AS {1}", comma, name);
    const std::string& text = column.text.empty() ? column.server : column.text;
    texts_sent += fmt::format("{}{} AS {}", comma, text.empty() ? name : text, name);
  }
  // The scanner's own scan reads with several connections; what the server must compute comes in one stream.
  const bool scan = condition.empty() && !x_asked.table.empty() && x_table.has_row_versions && x_table.plain();
  const std::string from = scan ? fmt::format("{}.{}", kCatalog, Relation())
                                : fmt::format("postgres_query({}, {})", QuoteLiteral(kCatalog),
                                              QuoteLiteral(fmt::format("SELECT {} FROM {}{}", sent, Relation(), where)));
  read.sql = fmt::format("SELECT {} FROM {}", shown, from);
  read.cursor_sql = CursorSql(condition);
  RelationTexts as_texts;
  as_texts.sql = fmt::format("SELECT {} FROM postgres_query({}, {})", texts, QuoteLiteral(kCatalog),
                             QuoteLiteral(fmt::format("SELECT {} FROM {}{}", texts_sent, Relation(), where)));
  for (PostgresColumn& column : x_table.columns) column.guard.clear();
  as_texts.cursor_sql = CursorSql(condition);
  read.as_texts = [as_texts](const Schema& /*columns*/) { return as_texts; };
  return read;
}

Result<ReadOutcome> PostgresSource::Cursor(const SourceRequest& /*request*/, const Cell& cell) {
  ReadOutcome outcome;
  Json cursor = Json::object();
  if (x_way != Way::kFull) {
    cursor["column"] = x_asked.column;
    if (x_way == Way::kVersions) {
      cursor["transaction"] = x_moment.oldest;
      cursor["table"] = x_table.id;
    } else if (cell) {
      cursor["value"] = *cell;
    } else if (x_asked.value) {
      cursor["value"] = *x_asked.value;
    }
  }
  outcome.cursor = DumpJson(cursor);
  return outcome;
}

Result<std::vector<StreamOffer>> PostgresSource::Offers(const SourceRequest& request, const Rows& rows) {
  TRY_ASSIGN(const Options options, Options::Parse(request.options));
  const std::string home = options.Text("schema", "public");
  std::vector<StreamOffer> offers;
  std::vector<std::pair<std::int64_t, std::string>> key;
  const auto end = [&] {
    std::sort(key.begin(), key.end());
    for (auto& [place, column] : key) offers.back().key.push_back(std::move(column));
    key.clear();
  };
  for (const std::vector<Cell>& row : rows.rows) {
    const std::string schema = row[0].value_or("");
    const std::string name = schema == home ? row[1].value_or("") : schema + "." + row[1].value_or("");
    if (offers.empty() || offers.back().name != name) {
      if (!offers.empty()) end();
      offers.emplace_back().name = name;
      offers.back().rows_estimate = NumberIn(row[9]);
    }
    StreamOffer& offer = offers.back();
    const std::string column = row[2].value_or("");
    const std::string kind = row[3].value_or("");
    TRY_ASSIGN(Type type, ParseType(PostgresTypeName(kind, row[4].value_or(""), row[5].value_or(""), NumberIn(row[6]), NumberIn(row[7]))));
    offer.columns.fields.push_back(Field{column, std::move(type), 0});
    const bool in_key = NumberIn(row[8]) >= 0;
    if (in_key) key.emplace_back(NumberIn(row[8]), column);
    const bool number = kind == "int4" || kind == "int8";
    if (kind == "timestamptz" || kind == "timestamp" || (in_key && number)) offer.cursor_candidates.push_back(column);
  }
  if (!offers.empty()) end();
  return offers;
}

}  // namespace

void Register_postgres(Registry& registry) {
  registry.Add(Connector{Spec(), nullptr, [] { return std::make_unique<PostgresSource>(); }});
}

}  // namespace caudal
