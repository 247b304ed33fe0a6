// Reads an attached database for an extract job: questions, and one table's rows to one Parquet file.
// Not thread-safe; one connection a job.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "duckdb/connection.h"
#include "engine/job.h"

namespace caudal {

class RelationReader {
 public:
  /// `connection` outlives it and is configured. After the first call it is fenced to `staging_folder`.
  RelationReader(Connection& connection, std::string extensions, std::string staging_folder)
      : x_connection(connection), x_extensions(std::move(extensions)), x_staging_folder(std::move(staging_folder)) {}

  /// All rows of a SELECT, up to a hundred thousand.
  Result<Rows> Ask(const AttachedDatabase& database, const std::string& sql);

  /// What is read, all in one snapshot.
  struct Selects {
    std::string rows;
    std::string numbered;  // the same, and `_source_row`; "" = they are counted from 1
    std::string cursor;    // one VARCHAR; "" = none
    std::string keys;      // of every row; "" = none
  };
  struct Target {
    std::string path, keys_path;
    std::string source_file;
  };
  struct Copied {
    WrittenFile file;  // rows == 0: no file was kept
    Schema columns;
    Cell cursor;
    std::int64_t keys = 0;  // rows in keys_path, which is there where keys were asked for
  };
  /// Copies the rows to one file at `path`, with `_source_file` and `_source_row` last. A column of `pinned`
  /// keeps its type and field id, others get fresh ids; keys get the same types. A failed copy leaves no file, and another one
  /// may follow.
  Result<Copied> Copy(const AttachedDatabase& database, const Selects& selects, const Target& target, const Schema& pinned);

 private:
  Status Attach(const AttachedDatabase& database);
  Result<Copied> CopyInside(const Selects& selects, const Target& target, const Schema& pinned);
  Result<std::int64_t> CopyKeys(const std::string& sql, const std::string& path, const Schema& pinned);

  Connection& x_connection;
  std::string x_extensions;
  std::string x_staging_folder;
  std::string x_attached;
};

}  // namespace caudal
