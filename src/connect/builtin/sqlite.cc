// Tables of a SQLite database, read through DuckDB's scanner. Authentication: the rights on the file. Order: none.
// Delivery: at least once from the source (the rows at the cursor come again), exactly once in a table with a key.
// Types, locks and what is not seen: docs/connectors/sqlite.md. File header: https://www.sqlite.org/fileformat2.html
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/clock.h"
#include "base/ids.h"
#include "base/json.h"
#include "connect/options.h"
#include "connect/server_stream.h"
#include "connect/source.h"
#include "data/name.h"

namespace caudal {

void Register_sqlite(Registry& registry);

namespace {

constexpr const char* kCatalog = "src";

ConnectorSpec Spec() {
  ConnectorSpec spec;
  spec.name = "sqlite";
  spec.summary = "Tables, views and queries of a SQLite database file";
  spec.shape = SourceShape::kRelation;
  spec.discovers = true;
  spec.table_option = "table";
  spec.incremental = true;
  spec.may_repeat = true;
  spec.delivery = "at least once: rows at the cursor's last value come again, and a key makes them one";
  spec.options = {MakeOption("database", OptionType::kPath, "", "The database file")};
  spec.options[0].required = true;
  spec.stream_options = {
      MakeOption("table", OptionType::kString, "", "Table or view; the stream's name, if neither this nor `query` is given"),
      MakeOption("query", OptionType::kString, "", "A SELECT in SQLite's own words instead of a table; its columns are VARCHAR unless `columns:` says more"),
      MakeOption("select", OptionType::kStringList, "", "Only these columns of the table")};
  spec.stream_options[1].excludes = {"table"};
  return spec;
}

struct Stat {
  std::int64_t size = 0;
  std::int64_t modified_us = 0;
  std::uint64_t inode = 0;
};

Result<Stat> StatOf(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    const ErrorKind kind = errno == EACCES ? ErrorKind::kPermission : ErrorKind::kNotFound;
    return Error{kind, fmt::format("cannot open the database: {}: {}", std::strerror(errno), path),
                 kind == ErrorKind::kPermission ? "give the user who runs caudal the right to read it" : "correct `database:` of the source", ""};
  }
  if (!S_ISREG(info.st_mode)) {
    return Error{ErrorKind::kInvalidArgument, "the database is no file: " + path, "correct `database:` of the source", ""};
  }
  return Stat{info.st_size, info.st_mtim.tv_sec * 1'000'000 + info.st_mtim.tv_nsec / 1000, info.st_ino};
}

Result<std::string> HeadOf(const std::string& path, std::size_t size) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return Error{errno == EACCES ? ErrorKind::kPermission : ErrorKind::kNotFound,
                 fmt::format("cannot read the database: {}: {}", std::strerror(errno), path),
                 "give the user who runs caudal the right to read it", ""};
  }
  std::string head(size, '\0');
  const ssize_t n = ::pread(fd, head.data(), head.size(), 0);
  ::close(fd);
  head.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return head;
}

/// Changes with every write to the database; "" where that cannot be told. Taken before the read's snapshot.
Result<std::string> StateOf(const std::string& path) {
  TRY_ASSIGN(const Stat info, StatOf(path));
  if (info.size == 0) {
    return Error{ErrorKind::kCorruption, "the database file is empty, it has no table: " + path,
                 "correct `database:` of the source, or have its program create the tables", ""};
  }
  TRY_ASSIGN(const std::string head, HeadOf(path, 100));
  if (!std::string_view(head).starts_with("SQLite format 3")) {
    return Error{ErrorKind::kCorruption, "this file is no SQLite database: " + path, "correct `database:` of the source", ""};
  }
  if (head.size() < 100) return std::string();
  std::string state = fmt::format("{}:{}:", info.inode, info.size);
  for (std::size_t i = 24; i < 28; ++i) state += fmt::format("{:02x}", static_cast<unsigned char>(head[i]));
  struct stat wal {};
  if (::stat((path + "-wal").c_str(), &wal) != 0 || wal.st_size == 0) return state;
  // In WAL mode the change counter rests; the time of a file is coarse, so a young one tells nothing.
  const std::int64_t modified_us = wal.st_mtim.tv_sec * 1'000'000 + wal.st_mtim.tv_nsec / 1000;
  if (SystemClock().Now().time_since_epoch().count() - modified_us < 2'000'000) return std::string();
  TRY_ASSIGN(const std::string salts, HeadOf(path + "-wal", 32));
  return fmt::format("{}:{}:{}:{}", state, wal.st_size, modified_us, Sha256Hex(salts).substr(0, 16));
}

/// What the options and the cursor ask for.
struct Asked {
  std::string path;
  std::string table;   // "" = a query
  std::string from;    // an SQL relation
  std::string select;  // columns
  std::string column;  // of the cursor, "" = a full read
  std::string lower;   // the cursor's last value, or the initial one
  bool has_lower = false;
  std::string lag;
  std::string state;       // of the database, now
  std::string definition;  // digest of the options
  bool unchanged = false;
};

Result<Asked> Ask(const SourceRequest& request) {
  TRY_ASSIGN(const Options options, Options::Parse(request.options));
  TRY_ASSIGN(const Options stream, Options::Parse(request.stream_options));
  Asked asked;
  asked.path = PathIn(request.project_folder, options.Text("database", ""));
  TRY_ASSIGN(asked.state, StateOf(asked.path));
  const std::string query = stream.Text("query", "");
  const std::string table = stream.Text("table", request.stream);
  if (!query.empty() && stream.Has("table")) {
    return Error{ErrorKind::kInvalidArgument, "a stream reads a `table` or a `query`, not both: " + request.stream,
                 "take one of them out", ""};
  }
  if (query.empty()) asked.table = table;
  asked.from = query.empty() ? fmt::format("{}.main.{}", kCatalog, QuoteIdentifier(table))
                             : fmt::format("sqlite_query({}, {})", QuoteLiteral(kCatalog), QuoteLiteral(query));
  for (const std::string& column : stream.Texts("select")) {
    asked.select += (asked.select.empty() ? "" : ", ") + QuoteIdentifier(column);
  }
  if (asked.select.empty()) asked.select = "*";
  asked.column = stream.Text("incremental.cursor", "");
  asked.lag = stream.Text("incremental.lag", "");
  asked.definition = Sha256Hex(request.options + "\n" + request.stream_options).substr(0, 16);
  if (stream.Has("incremental.initial_value")) {
    asked.has_lower = true;
    asked.lower = stream.Text("incremental.initial_value", "");
  }
  if (request.cursor.empty()) return asked;
  TRY_ASSIGN(const Json cursor, ParseJson(request.cursor, "the cursor of a sqlite source"));
  // Another cursor column means another history: from the beginning.
  if (!asked.column.empty() && JsonString(cursor, "column", "") == asked.column && cursor.contains("value")) {
    asked.has_lower = true;
    asked.lower = JsonString(cursor, "value", "");
  }
  asked.unchanged = !asked.state.empty() && JsonString(cursor, "state", "") == asked.state &&
                    JsonString(cursor, "definition", "") == asked.definition;
  return asked;
}

/// Rows from the cursor's value on, that one included: rows that came later with the same value are not lost, nor are
/// rows without a value.
Result<std::string> Condition(const Asked& asked, const std::string& column) {
  if (asked.column.empty() || !asked.has_lower) return std::string();
  std::string condition = fmt::format("{} >= {}", column, QuoteLiteral(asked.lower));
  if (!asked.lag.empty() && IsWholeNumber(asked.lower)) {
    if (!IsWholeNumber(asked.lag)) {
      return Error{ErrorKind::kInvalidArgument, "the cursor is a number, so `lag` is one, too: " + asked.lag,
                   "write `lag: 1000`", ""};
    }
    condition = fmt::format("{} >= {} - {}", column, asked.lower, asked.lag);
  } else if (!asked.lag.empty()) {
    TRY_ASSIGN(const std::chrono::milliseconds lag, ParseDuration(asked.lag));
    condition = fmt::format("TRY_CAST({} AS TIMESTAMP) >= CAST({} AS TIMESTAMP) - INTERVAL {} MILLISECOND", column,
                            QuoteLiteral(asked.lower), lag.count());
  }
  return fmt::format(" WHERE ({} OR {} IS NULL)", condition, column);
}

/// A value of SQLite as text that says all of it; the column's type decides from which form it is read.
std::string TextInSqlite(const Field& field) {
  const std::string column = QuoteIdentifier(field.name);
  if (field.type.kind == TypeKind::kBlob) return fmt::format("CASE WHEN {0} IS NOT NULL THEN hex({0}) END", column);
  std::string text = fmt::format("CAST({} AS TEXT)", column);
  if (field.type.kind == TypeKind::kTimestamptz) {
    text = fmt::format("CASE typeof({0}) WHEN 'integer' THEN coalesce(datetime({0}, 'unixepoch'), {1}) ELSE {1} END", column, text);
  }
  return fmt::format("CASE typeof({0}) WHEN 'real' THEN printf('%!.17g', {0}) ELSE {1} END", column, text);
}

/// The rows through a SELECT of SQLite's own, whose columns are VARCHAR.
Result<RelationTexts> TextsOf(const Asked& asked, const Schema& columns) {
  std::string list;
  std::string shown;
  for (const Field& field : columns.fields) {
    const std::string name = QuoteIdentifier(field.name);
    list += fmt::format("{}{} AS {}", list.empty() ? "" : ", ", TextInSqlite(field), name);
    shown += shown.empty() ? "" : ", ";
    // Of the hex digits 'AB01' the text '\xAB\x01', which DuckDB reads as a BLOB.
    const bool blob = field.type.kind == TypeKind::kBlob;
    shown += blob ? fmt::format(R"(regexp_replace({0}, '(..)', '\\x\1', 'g') AS {0})", name) : name;
  }
  const std::string from = fmt::format("sqlite_query({}, {})", QuoteLiteral(kCatalog),
                                       QuoteLiteral(fmt::format("SELECT {} FROM {}", list, QuoteIdentifier(asked.table))));
  RelationTexts texts;
  texts.sql = fmt::format("SELECT {} FROM {}", shown, from);
  if (const Field* field = asked.column.empty() ? nullptr : columns.Find(asked.column)) {
    const std::string type = field->type.kind == TypeKind::kTimestamptz ? "TIMESTAMP" : field->type.ToSql();
    const std::string value = fmt::format("TRY_CAST({} AS {})", QuoteIdentifier(field->name), type);
    TRY_ASSIGN(const std::string condition, Condition(asked, value));
    texts.sql += condition;
    texts.cursor_sql = fmt::format("SELECT CAST(max({}) AS VARCHAR) FROM {}", value, from);
  }
  return texts;
}

/// The engine's complaint about a column that `incremental:` or `select:` names, without its SQL.
Error NoSuchColumn(const SourceRequest& request, const Error& error) {
  const auto behind = [&](std::string_view words, char end) {
    const std::size_t at = error.message.find(words);
    if (at == std::string::npos) return std::string();
    const std::size_t from = at + words.size();
    return error.message.substr(from, error.message.find(end, from) - from);
  };
  const std::string candidates = behind("Candidate bindings: ", '\n');
  const std::string column = behind("Referenced column \"", '"');
  const Result<Options> options = Options::Parse(request.stream_options);
  const bool cursor = options && options->Text("incremental.cursor", "") == column;
  return Error{ErrorKind::kNotFound, fmt::format("the stream {} has no column '{}', which `{}` names", request.stream, column,
                                                 cursor ? "incremental:" : "select:"),
               candidates.empty() ? "write a column of the table" : "did you mean one of " + candidates + "?", error.where};
}

class SqliteSource final : public RelationSource {
 public:
  Result<RelationQuestion> Check(const SourceRequest& request) override {
    TRY_ASSIGN(const AttachedDatabase database, Database(request));
    return RelationQuestion{database, fmt::format("SELECT count(*) FROM duckdb_tables() WHERE database_name = {}",
                                                  QuoteLiteral(kCatalog))};
  }

  Result<RelationQuestion> Discover(const SourceRequest& request) override {
    TRY_ASSIGN(const AttachedDatabase database, Database(request));
    return RelationQuestion{
        database,
        fmt::format("SELECT c.table_name, c.column_name, c.data_type, coalesce(list_contains(k.constraint_column_names, "
                    "c.column_name), false), t.estimated_size FROM duckdb_columns() AS c JOIN duckdb_tables() AS t USING "
                    "(database_name, schema_name, table_name) LEFT JOIN duckdb_constraints() AS k ON k.database_name = "
                    "c.database_name AND k.table_name = c.table_name AND k.constraint_type = 'PRIMARY KEY' "
                    "WHERE c.database_name = {} ORDER BY c.table_name, c.column_index",
                    QuoteLiteral(kCatalog))};
  }

  Result<std::vector<StreamOffer>> Offers(const SourceRequest& /*request*/, const Rows& rows) override {
    std::vector<StreamOffer> offers;
    for (const std::vector<Cell>& row : rows.rows) {
      const std::string table = row[0].value_or("");
      if (offers.empty() || offers.back().name != table) {
        offers.emplace_back().name = table;
        if (row[4]) offers.back().rows_estimate = std::stoll(*row[4]);
      }
      StreamOffer& offer = offers.back();
      const std::string column = row[1].value_or("");
      TRY_ASSIGN(const Type type, ParseType(row[2].value_or("VARCHAR")));
      if (row[3] == "true") offer.key.push_back(column);
      const std::string lower = LowerName(column);
      const bool time = type.kind == TypeKind::kTimestamptz || type.kind == TypeKind::kDate;
      if (time || lower.ends_with("updated_at") || lower.ends_with("modified_at") || lower.ends_with("changed_at")) {
        offer.cursor_candidates.push_back(column);
      }
      offer.columns.fields.push_back(Field{column, type, 0});
    }
    for (StreamOffer& offer : offers) {
      if (offer.key.size() != 1) continue;
      const Field* key = offer.columns.Find(offer.key[0]);
      if (key != nullptr && key->type.kind == TypeKind::kBigint) offer.cursor_candidates.push_back(offer.key[0]);
    }
    return offers;
  }

  Result<RelationRead> Read(const SourceRequest& request) override {
    TRY_ASSIGN(x_asked, Ask(request));
    RelationRead read;
    read.database = AttachedDatabase{kCatalog, "sqlite", x_asked.path};
    read.unchanged = x_asked.unchanged;
    TRY_ASSIGN(const std::string condition, Condition(x_asked, QuoteIdentifier(x_asked.column)));
    read.sql = fmt::format("SELECT {} FROM {}{}", x_asked.select, x_asked.from, condition);
    for (const std::string& key : request.keys) read.keys_sql += (read.keys_sql.empty() ? "SELECT " : ", ") + QuoteIdentifier(key);
    if (!request.keys.empty()) read.keys_sql += fmt::format(" FROM (SELECT {} FROM {})", x_asked.select, x_asked.from);
    if (!x_asked.table.empty()) {
      read.as_texts = [asked = x_asked](const Schema& columns) { return TextsOf(asked, columns); };
    }
    if (!x_asked.column.empty()) {
      read.cursor_sql =
          fmt::format("SELECT CAST(max({}) AS VARCHAR) FROM {}", QuoteIdentifier(x_asked.column), x_asked.from);
    }
    return read;
  }

  Result<ReadOutcome> Cursor(const SourceRequest& /*request*/, const Cell& cell) override {
    Json cursor{{"state", x_asked.state}, {"definition", x_asked.definition}};
    if (!x_asked.column.empty()) {
      cursor["column"] = x_asked.column;
      if (cell) {
        cursor["value"] = *cell;
      } else if (x_asked.has_lower) {
        cursor["value"] = x_asked.lower;
      }
    }
    ReadOutcome outcome;
    outcome.cursor = DumpJson(cursor);
    return outcome;
  }

  Error Explain(const SourceRequest& request, Error error) const override {
    const std::string& said = error.message;
    const auto says = [&](std::string_view text) { return said.find(text) != std::string::npos; };
    if (says("database is locked") || says("database table is locked")) {
      return Error{ErrorKind::kUnavailable, "the SQLite database is locked by a writer: " + said,
                   "try again once the writer is done", error.where};
    }
    if (says("unable to open database file")) {
      return Error{ErrorKind::kUnavailable, "the SQLite database cannot be opened for reading: " + said,
                   "a database in WAL mode that no program has open cannot be read without writing: run `PRAGMA "
                   "wal_checkpoint(TRUNCATE); PRAGMA journal_mode=DELETE` on it once", error.where};
    }
    if (says("file is not a database") || says("malformed")) {
      return Error{ErrorKind::kCorruption, "the SQLite database is damaged: " + said, "run `PRAGMA integrity_check`", error.where};
    }
    if (says("does not exist") && says("Table with name")) {
      return Error{ErrorKind::kNotFound, fmt::format("the database has no such table, for stream {}: {}", request.stream, said),
                   "write `table:` for the stream", error.where};
    }
    if (says("Referenced column \"")) return NoSuchColumn(request, error);
    if (IsAboutAValue(error)) {
      error.kind = ErrorKind::kInvalidArgument;
      error.message = "a value is not of its column's declared type: " + said.substr(0, said.find('\n'));
      error.next = "correct the value, leave the column out with `select:`, or CAST it in a `query:`";
    }
    return error;
  }

  bool IsAboutAValue(const Error& error) const override {
    for (const char* words : {"Mismatch Type Error", "Invalid unicode", "Conversion Error"}) {
      if (error.message.find(words) != std::string::npos) return true;
    }
    return false;
  }

 private:
  static Result<AttachedDatabase> Database(const SourceRequest& request) {
    TRY_ASSIGN(const Options options, Options::Parse(request.options));
    const std::string path = PathIn(request.project_folder, options.Text("database", ""));
    TRY_ASSIGN([[maybe_unused]] const std::string state, StateOf(path));
    return AttachedDatabase{kCatalog, "sqlite", path};
  }

  Asked x_asked;
};

std::string NextInSqlite(const Json& stream_options, const Json& cursor) {
  const std::string rows = NextRowsInWords(stream_options, cursor);
  return JsonString(cursor, "state", "").empty() ? rows : rows + ", if the file has changed";
}

}  // namespace

void Register_sqlite(Registry& registry) {
  registry.Add(Connector{Spec(), nullptr, [] { return std::make_unique<SqliteSource>(); }, NextInSqlite});
}

}  // namespace caudal
