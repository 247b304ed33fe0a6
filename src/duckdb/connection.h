// One in-memory DuckDB with one connection. duckdb.h stays behind it. Not thread-safe, but for Progress.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/data_file.h"
#include "data/rows.h"
#include "engine/job.h"

namespace caudal {

struct ConnectionSettings {
  std::int64_t memory_bytes = 0;  // what DuckDB may count
  std::int64_t spill_bytes = 0;
  int threads = 1;
  std::string temp_folder;  // "" = nothing is spilled
  bool keep_order = true;   // rows keep their order without ORDER BY, at the cost of memory
};

class Connection {
 public:
  /// Opens with one thread, which starts none: a sandbox may follow.
  static Result<std::unique_ptr<Connection>> Open();
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Status Configure(const ConnectionSettings& settings);
  /// Attaches a database read-only; its scanner is loaded from `extensions`. Before Fence.
  Status Attach(const AttachedDatabase& database, const std::string& extensions);
  /// Files may be http(s) URLs; `ca_file` "" = the system's authorities. Before Fence.
  Status LoadHttp(const std::string& extensions, const std::string& ca_file);
  /// From here on: these files and folders, no other; no SET, LOAD or INSTALL.
  Status Fence(const std::vector<std::string>& files, const std::vector<std::string>& folders);

  /// Runs statements of ours; their rows are dropped.
  Status Run(const std::string& sql);

  /// The user's text must be one SELECT. Errors: kInvalidArgument.
  Status RequireSelect(const std::string& sql);

  /// A SELECT's rows as text, at most `max_rows`. Parameters that it does not name are ignored; one that has no value
  /// is kInvalidArgument.
  Result<Rows> Query(const std::string& sql, const std::map<std::string, Parameter>& parameters, std::int64_t max_rows);

  /// A SELECT's columns and parameters, from binding it alone.
  struct Shape {
    Schema columns;
    std::map<std::string, Type> parameters;
    std::vector<std::string> untyped;  // parameters whose place tells no type; VARCHAR above
  };
  Result<Shape> Describe(const std::string& sql);

  /// A statement of ours whose one answer is one text.
  Result<std::string> QueryText(const std::string& sql);

  /// Runs `COPY ... (RETURN_STATS)`; what it wrote. Files without rows are among them.
  Result<std::vector<WrittenFile>> Copy(const std::string& sql, const std::map<std::string, Parameter>& parameters);

 private:
  Connection();
  struct Handles;
  std::unique_ptr<Handles> x_handles;
  std::string x_temp_folder;
};

}  // namespace caudal
