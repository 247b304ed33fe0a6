#include "duckdb/connection.h"

#include <duckdb.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/json.h"
#include "duckdb/mysql_session.h"
#include "duckdb/postgres_session.h"
#include "duckdb/result_set.h"
#include "duckdb/sql_text.h"
#include "duckdb/sqlite_file.h"

namespace caudal {
namespace {

// Files that are open at once while one partition each is written; below the sandbox's RLIMIT_NOFILE.
constexpr int kOpenPartitions = 2000;
constexpr int kHttpTimeoutSeconds = 30;
constexpr int kHttpRetries = 6;
constexpr int kHttpSmallFile = 256 << 10;  // below, one request brings the whole file
constexpr std::chrono::microseconds kWaitForTasks{200};

// Outside of a result an error has no type, only a message that begins with its name.
Error ErrorOfText(const char* message) {
  const std::string_view text = message != nullptr ? message : "";
  for (const auto& [prefix, type] : {std::pair{"Permission Error", DUCKDB_ERROR_PERMISSION},
                                     {"Out of Memory Error", DUCKDB_ERROR_OUT_OF_MEMORY},
                                     {"IO Error", DUCKDB_ERROR_IO},
                                     {"HTTP Error", DUCKDB_ERROR_HTTP},
                                     {"Not implemented Error", DUCKDB_ERROR_NOT_IMPLEMENTED},
                                     {"INTERNAL Error", DUCKDB_ERROR_INTERNAL},
                                     {"FATAL Error", DUCKDB_ERROR_FATAL}}) {
    if (text.starts_with(prefix)) return ErrorOf(type, message);
  }
  return ErrorOf(DUCKDB_ERROR_INVALID_INPUT, message);
}

}  // namespace

// The connection goes before its database.
struct Connection::Handles {
  duckdb_database database = nullptr;
  duckdb_connection connection = nullptr;
  ~Handles() {
    duckdb_disconnect(&connection);
    duckdb_close(&database);
  }

  // Runs one or more statements; the result is the last one's and belongs to the caller, also where it is an error.
  Status Ask(const std::string& sql, ResultHandle& result) const {
    ExtractedHandle statements;
    const idx_t count = duckdb_extract_statements(connection, sql.c_str(), &statements.handle);
    if (count == 0) return ErrorOfText(duckdb_extract_statements_error(statements.handle));
    for (idx_t i = 0; i < count; ++i) {
      StatementHandle statement;
      if (duckdb_prepare_extracted_statement(connection, statements.handle, i, &statement.handle) == DuckDBError) {
        return ErrorOfText(duckdb_prepare_error(statement.handle));
      }
      duckdb_destroy_result(&result.handle);
      TRY(Execute(statement.handle, result));
    }
    return {};
  }

  // duckdb_query would spin on a core whenever the last tasks are in the other threads' hands.
  static Status Execute(duckdb_prepared_statement statement, ResultHandle& result) {
    PendingHandle pending;
    if (duckdb_pending_prepared(statement, &pending.handle) == DuckDBError) {
      return ErrorOfText(duckdb_pending_error(pending.handle));
    }
    for (;;) {
      const duckdb_pending_state state = duckdb_pending_execute_task(pending.handle);
      if (state == DUCKDB_PENDING_RESULT_READY) break;
      if (state == DUCKDB_PENDING_ERROR) return ErrorOfText(duckdb_pending_error(pending.handle));
      if (state == DUCKDB_PENDING_NO_TASKS_AVAILABLE) std::this_thread::sleep_for(kWaitForTasks);
    }
    if (duckdb_execute_pending(pending.handle, &result.handle) == DuckDBError) return ErrorOf(result.handle);
    return {};
  }

  // Parameters go through PREPARE and EXECUTE, since only SQL text can hold a value of every type.
  Status AskWith(const std::string& sql, const std::map<std::string, Parameter>& parameters,
                 ResultHandle& result) const {
    StatementHandle statement;
    if (duckdb_prepare(connection, sql.c_str(), &statement.handle) == DuckDBError) {
      return ErrorOfText(duckdb_prepare_error(statement.handle));
    }
    const idx_t count = duckdb_nparams(statement.handle);
    if (count == 0) return Execute(statement.handle, result);
    std::string values;
    for (idx_t i = 1; i <= count; ++i) {
      const char* given = duckdb_parameter_name(statement.handle, i);
      const std::string name = given != nullptr ? given : "";
      duckdb_free(const_cast<char*>(given));  // NOLINT: the API hands out ownership as const
      const auto found = parameters.find(name);
      if (found == parameters.end()) {
        return Error{ErrorKind::kInvalidArgument, "no value is given for the query's parameter $" + name,
                     "name parameters as $name, and give each a value", ""};
      }
      values +=
          fmt::format("{}{} := CAST({} AS {})", values.empty() ? "" : ", ", QuoteIdentifier(name),
                      found->second.value ? QuoteLiteral(*found->second.value) : "NULL", found->second.type.ToSql());
    }
    ResultHandle prepared;
    TRY(Ask("PREPARE caudal_statement AS " + sql, prepared));
    const Status status = Ask("EXECUTE caudal_statement(" + values + ")", result);
    ResultHandle freed;
    (void)Ask("DEALLOCATE caudal_statement", freed);
    return status;
  }
};

Connection::Connection() : x_handles(std::make_unique<Handles>()) {}
Connection::~Connection() = default;

Result<std::unique_ptr<Connection>> Connection::Open() {
  std::unique_ptr<Connection> opened(new Connection);
  DuckHandle<duckdb_config, duckdb_destroy_config> config;
  duckdb_create_config(&config.handle);
  for (const auto& [name, value] : {std::pair{"threads", "1"},
                                    {"autoinstall_known_extensions", "false"},
                                    {"autoload_known_extensions", "false"},
                                    {"allow_community_extensions", "false"},
                                    {"allow_unsigned_extensions", "false"},
                                    {"allow_persistent_secrets", "false"},
                                    {"temp_directory", ""}}) {
    if (duckdb_set_config(config.handle, name, value) == DuckDBError) {
      return Error{ErrorKind::kInternal, fmt::format("DuckDB does not know the setting {}", name), "", ""};
    }
  }
  char* why = nullptr;
  if (duckdb_open_ext(nullptr, &opened->x_handles->database, config.handle, &why) == DuckDBError) {
    Error error{ErrorKind::kInternal, fmt::format("DuckDB does not start: {}", why != nullptr ? why : "no reason"), "",
                ""};
    duckdb_free(why);
    return error;
  }
  if (duckdb_connect(opened->x_handles->database, &opened->x_handles->connection) == DuckDBError) {
    return Error{ErrorKind::kInternal, "DuckDB does not connect", "", ""};
  }
  TRY(opened->Run("SET TimeZone = 'UTC'"));
  return opened;
}

Status Connection::Configure(const ConnectionSettings& settings) {
  x_temp_folder = settings.temp_folder;
  std::string sql = fmt::format("SET threads = {}; SET preserve_insertion_order = {};", std::max(settings.threads, 1),
                                settings.keep_order);
  if (settings.memory_bytes > 0) sql += fmt::format("SET memory_limit = '{}B';", settings.memory_bytes);
  if (!settings.temp_folder.empty()) {
    sql += fmt::format("SET temp_directory = {}; SET max_temp_directory_size = '{}B';",
                       QuoteLiteral(settings.temp_folder), settings.spill_bytes);
  }
  sql += fmt::format("SET partitioned_write_max_open_files = {};", kOpenPartitions);
  return Run(sql);
}

Status Connection::Attach(const AttachedDatabase& database, const std::string& extensions) {
  // Nothing to attach: its function takes the folder.
  if (database.kind == "delta") return Run("LOAD " + QuoteLiteral(extensions + "/delta.duckdb_extension"));
  if (database.kind != "mysql" && database.kind != "postgres" && database.kind != "sqlite") {
    return Error{ErrorKind::kUnsupported, "no database of this kind can be attached: " + database.kind,
                 "kinds: delta, mysql, postgres, sqlite", ""};
  }
  TRY(Run("LOAD " + QuoteLiteral(fmt::format("{}/{}_scanner.duckdb_extension", extensions, database.kind))));
  if (database.kind != "sqlite") {
    TRY_ASSIGN(const std::string attach, database.kind == "mysql" ? AttachMysql(database) : AttachPostgres(database));
    return Run(attach);
  }
  TRY_ASSIGN(const std::string location, ReadableSqliteFile(database.location, x_temp_folder));
  return Run(
      fmt::format("ATTACH {} AS {} (TYPE sqlite, READ_ONLY)", QuoteLiteral(location), QuoteIdentifier(database.name)));
}

Status Connection::LoadHttp(const std::string& extensions, const std::string& ca_file) {
  TRY(Run("LOAD " + QuoteLiteral(extensions + "/httpfs.duckdb_extension")));
  std::string authorities = ca_file;
  for (const char* known : {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"}) {
    if (authorities.empty() && ::access(known, R_OK) == 0) authorities = known;
  }
  // Objects of a lake never change, so what was learned of one holds for the whole job.
  std::string sql = fmt::format(
      "SET http_timeout = {}; SET http_retries = {}; SET http_retry_backoff = 2; SET force_download_threshold = {};"
      "SET enable_http_metadata_cache = true; SET validate_external_file_cache = 'NO_VALIDATION';",
      kHttpTimeoutSeconds, kHttpRetries, kHttpSmallFile);
  if (!authorities.empty()) sql += "SET ca_cert_file = " + QuoteLiteral(authorities) + "; SET enable_server_cert_verification = true;";
  return Run(sql);
}

Status Connection::Fence(const std::vector<std::string>& files, const std::vector<std::string>& folders) {
  std::vector<std::string> below;
  for (const std::string& folder : folders) below.push_back(folder.ends_with('/') ? folder : folder + "/");
  return Run(
      fmt::format("SET allowed_paths = {}; SET allowed_directories = {}; SET enable_external_access = false;"
                  "SET lock_configuration = true",
                  LiteralList(files), LiteralList(below)));
}

Status Connection::Run(const std::string& sql) {
  ResultHandle result;
  return x_handles->Ask(sql, result);
}

Status Connection::RequireSelect(const std::string& sql) {
  TRY_ASSIGN(const std::string text, QueryText("SELECT json_serialize_sql(" + QuoteLiteral(sql) + ")"));
  TRY_ASSIGN(const Json parsed, ParseJson(text, "parsed query"));
  if (JsonBool(parsed, "error", true)) {
    if (JsonString(parsed, "error_type", "") == "not implemented") {
      return Error{ErrorKind::kInvalidArgument, "only a SELECT is accepted here", "write one SELECT statement", ""};
    }
    return Error{ErrorKind::kInvalidArgument, JsonString(parsed, "error_message", "the query cannot be parsed"), "",
                 ""};
  }
  if (const std::size_t count = parsed.value("statements", Json::array()).size(); count != 1) {
    return Error{ErrorKind::kInvalidArgument, fmt::format("one SELECT is accepted here, not {} statements", count),
                 "write one SELECT statement", ""};
  }
  return {};
}

Result<Rows> Connection::Query(const std::string& sql, const std::map<std::string, Parameter>& parameters,
                               std::int64_t max_rows) {
  const std::string body = SelectBody(sql);
  Rows rows;
  {
    ResultHandle shape;
    TRY(x_handles->AskWith("SELECT * FROM (\n" + body + "\n) LIMIT 0", parameters, shape));
    for (idx_t i = 0; i < duckdb_column_count(&shape.handle); ++i) {
      const TypeHandle type(duckdb_column_logical_type(&shape.handle, i));
      TRY_ASSIGN(Type parsed, ParseType(TypeText(type.handle)));
      rows.schema.fields.push_back(Field{duckdb_column_name(&shape.handle, i), std::move(parsed), 0});
    }
  }
  ResultHandle result;
  TRY(x_handles->AskWith(fmt::format("SELECT CAST(COLUMNS(*) AS VARCHAR) FROM (\n{}\n) LIMIT {}", body, max_rows + 1),
                         parameters, result));
  rows.rows = TextRows(result.handle);
  if (static_cast<std::int64_t>(rows.rows.size()) > max_rows) {
    rows.rows.resize(static_cast<std::size_t>(max_rows));
    rows.truncated = true;
  }
  return rows;
}

Result<Connection::Shape> Connection::Describe(const std::string& sql) {
  StatementHandle statement;
  if (duckdb_prepare(x_handles->connection, sql.c_str(), &statement.handle) == DuckDBError) {
    return ErrorOfText(duckdb_prepare_error(statement.handle));
  }
  Shape shape;
  for (idx_t i = 0; i < duckdb_prepared_statement_column_count(statement.handle); ++i) {
    const TypeHandle type(duckdb_prepared_statement_column_logical_type(statement.handle, i));
    TRY_ASSIGN(Type parsed, ParseType(TypeText(type.handle)));
    const char* name = duckdb_prepared_statement_column_name(statement.handle, i);
    shape.columns.fields.push_back(Field{name != nullptr ? name : "", std::move(parsed), 0});
    duckdb_free(const_cast<char*>(name));  // NOLINT: the API hands out ownership as const
  }
  for (idx_t i = 1; i <= duckdb_nparams(statement.handle); ++i) {
    const TypeHandle type(duckdb_param_logical_type(statement.handle, i));
    TRY_ASSIGN(Type parsed, ParseType(TypeText(type.handle)));
    const char* name = duckdb_parameter_name(statement.handle, i);
    shape.parameters.insert_or_assign(name != nullptr ? name : "", std::move(parsed));
    const duckdb_type id = duckdb_get_type_id(type.handle);
    if (id == DUCKDB_TYPE_INVALID || id == DUCKDB_TYPE_ANY) shape.untyped.emplace_back(name != nullptr ? name : "");
    duckdb_free(const_cast<char*>(name));  // NOLINT
  }
  return shape;
}

Result<std::string> Connection::QueryText(const std::string& sql) {
  ResultHandle result;
  TRY(x_handles->Ask(sql, result));
  const auto rows = TextRows(result.handle);
  if (rows.size() != 1 || rows[0].size() != 1 || !rows[0][0]) {
    return Error{ErrorKind::kInternal, "DuckDB gave no answer to " + sql.substr(0, 60), "", ""};
  }
  return *rows[0][0];
}

Result<std::vector<WrittenFile>> Connection::Copy(const std::string& sql,
                                                  const std::map<std::string, Parameter>& parameters) {
  ResultHandle result;
  TRY(x_handles->AskWith(sql, parameters, result));
  return CopiedFiles(result.handle);
}

}  // namespace caudal
