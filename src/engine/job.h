// Work as values. A job names everything it may touch; a worker process does one and ends.
// Values; no thread affinity. On the wire: docs/formats/worker-protocol.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "data/analysis.h"
#include "data/data_file.h"
#include "data/rows.h"
#include "data/schema.h"

namespace caudal {

/// No table has a column of this name: names that begin with _caudal_ are reserved.
inline constexpr std::string_view kOriginColumn = "_caudal_origin";

/// A table as a query sees it: Parquet files read by field id under `columns`; a column that a file lacks is NULL.
/// No file: an empty table.
struct TableInput {
  std::string schema;
  std::string name;
  Schema columns;
  std::vector<std::string> files;  // absolute paths or presigned URLs
  /// Adds the column kOriginColumn, VARCHAR: the row's file as in `files`; for merges and lineage of rows.
  bool with_origin = false;
  std::string only = {};  // SQL over `columns`: the rows that the query sees; "" = all
};

/// A database that the job reads through DuckDB's scanner, read-only, as catalog `name`.
struct AttachedDatabase {
  std::string name;
  std::string kind;  // "delta", "mysql", "postgres", "sqlite"
  std::string location;
  /// The password, inside a worker only: it is not written with a job, and no error may quote it.
  std::string secret = {};
};

/// How a Write step lays out its files.
struct WriteLayout {
  /// Absolute folder, created by the worker, below ComputeJob::output_folder.
  std::string folder;
  /// Column order, types and field ids of the files; the step's SELECT is cast to it, by name. The worker adds the
  /// five `_hoodie_*` columns in front (docs/formats/table.md).
  Schema columns;
  /// One folder a value; the columns stay in the files too.
  std::vector<std::string> partition_by;
  /// One output file for each value of this column of the SELECT, which is not written itself; "" = none. The value
  /// comes back as WrittenFile::partition["<file_by>"]. Not together with partition_by.
  std::string file_by;
  /// Rows are sorted by these before they are written.
  std::vector<std::string> order_by;
  /// A file is ended near this size.
  std::int64_t target_file_bytes = std::int64_t{128} << 20;
};

/// One SQL statement of a compute job. Steps run in order on one connection.
struct Step {
  enum class Kind {
    kRun,    // DDL of temp objects, views; with user_sql a SELECT that becomes the view `name` ("schema.view")
    kWrite,  // a SELECT -> Parquet files; afterwards view "<name>" shows exactly these files
    kQuery,  // a SELECT -> Rows, at most max_rows
  };
  Kind kind = Kind::kRun;
  std::string name;
  std::string sql;
  WriteLayout layout;         // kWrite
  std::int64_t max_rows = 0;  // kQuery
  /// True: `sql` is the user's; only one SELECT statement is accepted, and ComputeJob::parameters are bound.
  bool user_sql = false;
  /// kWrite: a condition on the SELECT's columns, ours; rows for which it is not true are left out. "" = none.
  std::string where = {};

  static Step Run(std::string name, std::string sql) { return {Kind::kRun, std::move(name), std::move(sql), {}}; }
  static Step Write(std::string name, std::string sql, WriteLayout layout) {
    return {Kind::kWrite, std::move(name), std::move(sql), std::move(layout)};
  }
  static Step Query(std::string name, std::string sql, std::int64_t max_rows) {
    return {Kind::kQuery, std::move(name), std::move(sql), {}, max_rows};
  }
  /// The same with the user's SQL.
  Step OfUser() && {
    user_sql = true;
    return std::move(*this);
  }
};

/// Where a worker finds the inputs of a lake that is no folder: at URLs that are good for reading one object each, without
/// any key. Names stay what queries and answers speak of.
struct RemoteFiles {
  std::string name_root;  // "s3://bucket/prefix/": an input's file below it is read at its URL
  std::string url_root;   // "http://host:9000/bucket/prefix/", which stands for it in each URL
  std::map<std::string, std::string> urls;  // exactly the files that the job may read
  int tcp_port = 0;       // the only one that is connected to
  std::string ca_file;    // "" = the system's authorities
};

/// SQL over named sets of files. Rights: reads the inputs' files and `read_paths`, writes `output_folder`; no network, but to
/// `remote`.
struct ComputeJob {
  std::vector<TableInput> inputs;
  RemoteFiles remote;
  std::vector<AttachedDatabase> databases;
  std::vector<std::string> read_paths;  // files or folders
  std::string output_folder;            // absolute, must exist; "" = writes nothing
  std::map<std::string, Parameter> parameters;
  std::vector<Step> steps;
};

struct StepResult {
  std::string name;
  std::vector<WrittenFile> files;  // kWrite
  Rows rows;                       // kQuery
};

struct ComputeResult {
  std::vector<StepResult> steps;  // one a kWrite or kQuery step, in order
  const StepResult* Find(std::string_view name) const;
};

/// Queries are bound against `tables`; a query may name an earlier query of the same job as "schema.table" by its
/// `name`, so a whole project is one job. Rights: none.
struct AnalyzeJob {
  std::vector<CatalogTable> tables;
  std::vector<AnalyzeQuery> queries;
};

struct AnalyzeResult {
  std::vector<Analysis> queries;
};

/// Reads from a source through the connector registry. Rights: network or the files that the connector's spec asks
/// for, its secrets, writes `staging_folder`; no lake. kCommitted alone may also change `write_folders`.
struct ExtractJob {
  enum class Kind { kCheck, kDiscover, kRead, kReplay, kCommitted };
  Kind kind = Kind::kRead;
  std::string connector;  // registry name
  std::string request;    // JSON, connect/source.h: options, stream, cursor
  /// Secret option -> value. Never logged, never part of `request`.
  std::map<std::string, std::string> secrets;
  std::vector<std::string> read_paths;
  std::vector<std::string> write_folders;
  bool network = false;
  /// The one port that the source is reached at (beside that of name servers), where the kernel can hold it to that;
  /// 0 = any.
  int tcp_port = 0;
  std::string staging_folder;
  /// A program that speaks for the source, "" = none. Rights of its own: the network; reads and executes `program_paths` and
  /// what the system has for programs, reads `program_reads`, writes the job's temp folder.
  std::string program;
  std::vector<std::string> program_paths;
  std::vector<std::string> program_reads;
};

struct ExtractResult {
  std::string answer;  // JSON, connect/source.h
};

/// Staged files into the store at `store_url`, each durable before the job ends. Rights: staging, the lake; no DuckDB.
struct MoveJob {
  struct Item {
    std::string local_path;
    std::string key;
  };
  std::string store_url;
  std::vector<Item> items;
};

struct MoveResult {};

using Job = std::variant<ComputeJob, AnalyzeJob, ExtractJob, MoveJob>;
using JobResult = std::variant<ComputeResult, AnalyzeResult, ExtractResult, MoveResult>;

/// What a job may use of the machine.
struct JobLimits {
  std::int64_t memory_bytes = std::int64_t{1} << 30;  // of the whole process, enforced by the kernel and by the pool
  std::int64_t spill_bytes = std::int64_t{8} << 30;
  int threads = 2;
  std::chrono::milliseconds timeout{std::chrono::hours{6}};
};

/// What a running job tells; values only grow.
struct JobProgress {
  std::int64_t rows = 0;          // that the worker counted at the source; 0 where it does not count
  std::int64_t bytes = 0;         // of the files that it has written, seen from outside
  std::int64_t memory_bytes = 0;  // resident now, seen from outside
};

}  // namespace caudal
