#include "state/sqlite.h"

#include <cerrno>

namespace caudal {
namespace {

constexpr int kBusyTimeoutMs = 10'000;

/// A file: URI, in which these three mean something else.
std::string UriOf(const std::string& path, std::string_view query) {
  std::string uri = "file:";
  for (const char c : path) {
    if (c == '%' || c == '?' || c == '#') {
      uri += c == '%' ? "%25" : c == '?' ? "%3f" : "%23";
    } else {
      uri += c;
    }
  }
  return uri + std::string(query);
}

}  // namespace

Statement& Statement::Bind(std::string_view text) {
  sqlite3_bind_text64(x_statement.get(), x_next++, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  return *this;
}

Statement& Statement::Bind(std::int64_t number) {
  sqlite3_bind_int64(x_statement.get(), x_next++, number);
  return *this;
}

Statement& Statement::Bind(std::optional<std::int64_t> number) {
  if (number) return Bind(*number);
  sqlite3_bind_null(x_statement.get(), x_next++);
  return *this;
}

Result<bool> Statement::Step() {
  int code = sqlite3_step(x_statement.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return x_database->LastError();
}

Status Statement::Run() {
  TRY_ASSIGN([[maybe_unused]] bool row, Step());
  return {};
}

std::string Statement::Text(int column) const {
  const unsigned char* text = sqlite3_column_text(x_statement.get(), column);
  int bytes = sqlite3_column_bytes(x_statement.get(), column);
  return text ? std::string(reinterpret_cast<const char*>(text), static_cast<std::size_t>(bytes)) : std::string();
}

std::int64_t Statement::Number(int column) const { return sqlite3_column_int64(x_statement.get(), column); }

std::optional<std::int64_t> Statement::Optional(int column) const {
  if (sqlite3_column_type(x_statement.get(), column) == SQLITE_NULL) return std::nullopt;
  return Number(column);
}

Result<std::unique_ptr<Database>> Database::Open(const std::string& path, Access access) {
  auto database = std::make_unique<Database>();
  database->x_path = path;
  sqlite3* handle = nullptr;
  const std::string name = access == Access::kEmpty    ? ":memory:"
                           : access == Access::kFrozen ? UriOf(path, "?immutable=1")
                                                       : path;
  const int writes = access == Access::kWrite || access == Access::kEmpty ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
  const int uri = access == Access::kFrozen ? SQLITE_OPEN_URI : 0;
  int code = sqlite3_open_v2(name.c_str(), &handle, writes | uri | SQLITE_OPEN_NOMUTEX, nullptr);
  database->x_database.reset(handle);
  if (code != SQLITE_OK) return database->LastError();
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  return database;
}

Status Database::Execute(const char* sql) {
  if (sqlite3_exec(x_database.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) return LastError();
  return {};
}

Result<Statement> Database::Prepare(std::string_view sql) {
  Statement statement;
  sqlite3_stmt* handle = nullptr;
  if (sqlite3_prepare_v2(x_database.get(), sql.data(), static_cast<int>(sql.size()), &handle, nullptr) != SQLITE_OK) {
    return LastError();
  }
  statement.x_statement.reset(handle);
  statement.x_database = this;
  return statement;
}

Error Database::LastError() const {
  int code = x_database ? sqlite3_errcode(x_database.get()) & 0xff : SQLITE_CANTOPEN;
  std::string text = "the state store " + x_path + ": " + (x_database ? sqlite3_errmsg(x_database.get()) : "no memory");
  switch (code) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Error{ErrorKind::kUnavailable, text, "another process holds it; try again", ""};
    case SQLITE_FULL:
      return Error{ErrorKind::kUnavailable, text, "free space on its disk, then run again", ""};
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
    case SQLITE_AUTH:
      return Error{ErrorKind::kPermission, text, "make its folder writable for this user", ""};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Error{ErrorKind::kCorruption, text,
                   "move the file away: tables and cursors do not depend on it, only the record of past runs", ""};
    case SQLITE_IOERR:
      if (sqlite3_system_errno(x_database.get()) == EFBIG) {
        return Error{ErrorKind::kUnavailable, text + ": the file would pass the size limit of this user", "raise it (`ulimit -f`)", ""};
      }
      return Error{ErrorKind::kUnavailable, text, "look at the disk (dmesg), then try again", ""};
    default:
      return Error{ErrorKind::kInternal, text, "please report it with the command", ""};
  }
}

Result<Transaction> Transaction::Begin(Database& database) {
  TRY(database.Execute("BEGIN IMMEDIATE"));
  return Transaction(database);
}

Transaction::~Transaction() {
  if (x_database) static_cast<void>(x_database->Execute("ROLLBACK"));
}

Status Transaction::Commit() {
  TRY(x_database->Execute("COMMIT"));
  x_database = nullptr;
  return {};
}

}  // namespace caudal
