// SQLite, the C library, behind three small types. Only this room includes sqlite3.h. Not thread-safe: the store holds a
// mutex around each connection. Order of destruction: statements before their database.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace caudal {

class Database;

/// A prepared statement. Bind in order, then Step until it is false.
class Statement {
 public:
  Statement& Bind(std::string_view text);
  Statement& Bind(std::int64_t number);
  Statement& Bind(std::optional<std::int64_t> number);
  /// True: a row is there. Errors: by SQLite's code.
  Result<bool> Step();
  /// Step for statements that give no rows.
  Status Run();

  std::string Text(int column) const;
  std::int64_t Number(int column) const;
  std::optional<std::int64_t> Optional(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> x_statement;
  Database* x_database = nullptr;
  int x_next = 1;
};

enum class Access {
  kWrite,   // creates the file
  kRead,    // the file as it is; a WAL needs its -shm beside it
  kFrozen,  // the file alone: nobody writes it, and there is no WAL
  kEmpty,   // no file: a database in memory
};

class Database {
 public:
  /// Errors: kPermission, kCorruption, kUnavailable.
  static Result<std::unique_ptr<Database>> Open(const std::string& path, Access access);

  Status Execute(const char* sql);
  Result<Statement> Prepare(std::string_view sql);
  /// Rows that this connection has changed so far.
  std::int64_t Changed() const { return sqlite3_total_changes64(x_database.get()); }
  /// The error of the last call, as ours.
  Error LastError() const;

 private:
  struct Close {
    void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  };
  std::unique_ptr<sqlite3, Close> x_database;
  std::string x_path;
};

/// BEGIN IMMEDIATE ... COMMIT; rolls back unless Commit was called.
class Transaction {
 public:
  static Result<Transaction> Begin(Database& database);
  ~Transaction();
  Transaction(Transaction&& other) noexcept : x_database(other.x_database) { other.x_database = nullptr; }
  Transaction& operator=(Transaction&&) = delete;
  Status Commit();

 private:
  explicit Transaction(Database& database) : x_database(&database) {}
  Database* x_database;
};

}  // namespace caudal
