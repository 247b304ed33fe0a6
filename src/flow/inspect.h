// Questions about published tables. Read-only; each answers from one snapshot.
#pragma once

#include <string>
#include <vector>

#include "flow/workspace.h"
#include "quality/audit.h"

namespace caudal {

/// Runs the user's SELECT over published tables (and views) in a sandboxed worker. At most `max_rows` rows.
/// Errors: kInvalidArgument with the place in `sql`; kNotFound for a table that is not published, with the nearest name.
Result<Rows> QueryTables(const Workspace& workspace, const std::string& sql, std::int64_t max_rows,
                         const CancelFlag* cancel);

/// Every check of the table, over all that is published.
Result<std::vector<CheckResult>> CheckPublished(const Workspace& workspace, const Node& node, const CancelFlag* cancel);

/// What stands in the lake, a line a table.
struct TableSize {
  std::string table;
  std::int64_t version = 0;
  std::int64_t rows = 0;
  std::int64_t files = 0;
  std::int64_t size_bytes = 0;
  /// The same rows as plain CSV, measured by a scan; -1 = not asked for.
  std::int64_t csv_bytes = -1;
};
/// Published tables of the project, `__rejects` included, in the order of the DAG. `with_csv` reads every row.
Result<std::vector<TableSize>> MeasureTables(const Workspace& workspace, bool with_csv, const CancelFlag* cancel);

struct RowSource;

/// Where a row came from.
struct RowTrace {
  std::vector<Cell> row;         // as Rows::rows of Trace::rows
  std::string file;              // data file that holds it
  std::int64_t version = 0;      // commit that wrote this file
  Timestamp committed;
  std::string operation, task;   // "<run>/<table>"
  std::string raw_key, origin;   // bronze: raw object, and what it was called at the source
  std::int64_t raw_row = 0;      // line or ordinal in it
  std::vector<RowSource> from;   // what a model's row that carries no raw origin was made of
};
struct Trace {
  Schema columns;
  std::vector<RowTrace> rows;
  bool truncated = false;
};
/// Rows of an input that agree with a model's row in every column that the model takes over unchanged: all that the row can
/// have come from, and where the model filters, more.
struct RowSource {
  std::string table;
  std::int64_t version = 0;  // that the row's commit read
  std::string where;         // in words: "order_date = '2026-01-31'"
  std::int64_t rows = 0;
  Trace trace;               // of the first of them
};
/// `where`: an SQL condition over the table's columns. Errors: kInvalidArgument for the condition.
Result<Trace> TraceRows(const Workspace& workspace, const std::string& table, const std::string& where, int limit,
                        const CancelFlag* cancel);

/// A unit test's verdict: rows that were expected and missing, and rows that came unexpected.
struct UnitTestResult {
  std::string name, model;
  bool passed = false;
  Schema columns;
  std::vector<std::vector<Cell>> missing, unexpected;
  std::optional<Error> error;
};
Result<std::vector<UnitTestResult>> RunUnitTests(const Workspace& workspace, const std::vector<std::string>& names,
                                                 const CancelFlag* cancel);

/// What `doctor` found wrong with one table; empty = nothing.
struct Finding {
  std::string table;
  std::string what;
  std::string next;
};
enum class Depth {
  kSizes,  // names and sizes
  kBytes,  // every byte of every data file and raw object against its recorded SHA-256
};
struct LakeReport {
  std::vector<Finding> findings;
  std::int64_t data_files = 0;
  std::int64_t raw_objects = 0;
};
/// Opens every table of the lake at every version, looks for each file a version names, counts files that none names.
/// A data file without a recorded digest is decoded whole, and compared with its statistics. Errors: kCancelled; those of
/// the lake as a whole.
Result<LakeReport> ExamineLake(const Workspace& workspace, Depth depth, const CancelFlag* cancel);

/// `connection test`: reaches the source with its credentials and touches no data.
Status CheckSource(const Workspace& workspace, const SourceConfig& source, const CancelFlag* cancel);

}  // namespace caudal
