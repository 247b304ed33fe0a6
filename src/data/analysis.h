// What the engine's parser says of a SELECT, as values that every room may hold. Filled by analyze jobs.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "data/rows.h"
#include "data/schema.h"

namespace caudal {

/// A parameter `$name` of user SQL: a type and text that casts to it; absent = NULL.
struct Parameter {
  Type type;
  Cell value;
};

/// A SELECT to be understood, never run.
struct AnalyzeQuery {
  std::string name;
  std::string sql;
  /// The partition column that the result should have, for the partition-wise proof; "" = do not ask.
  std::string partition_by;
  /// True: later queries read through it to the tables below; false: it is a table to them.
  bool is_view = false;
};

struct CatalogTable {
  std::string schema;
  std::string name;
  Schema columns;
};

struct SqlProblem {
  std::string kind;  // "parser", "binder", "catalog", "not a select", ...
  std::string message;
  std::optional<std::int64_t> position;  // byte offset in the query
  std::vector<std::string> candidates;   // nearest valid names
};

struct ColumnOrigin {
  std::string table;  // "silver.orders"
  std::string column;
  friend auto operator<=>(const ColumnOrigin&, const ColumnOrigin&) = default;
};

struct OutputColumn {
  Field field;
  /// Every column of a named table whose values flow into this one.
  std::vector<ColumnOrigin> origins;
  /// Set where the values are exactly those of one column of one table, unchanged.
  std::optional<ColumnOrigin> straight;
};

struct Analysis {
  std::string name;
  std::optional<SqlProblem> problem;
  std::vector<OutputColumn> columns;
  /// Tables read, as "schema.table", in order of first use; filled also where the query does not bind (by the parser).
  std::vector<std::string> tables;
  std::map<std::string, Type> parameters;
  /// True where each result partition depends on nothing but the same partition of each table in `partition_inputs`
  /// (that table's column of equal values), and on whole other tables.
  bool partition_wise = false;
  std::map<std::string, std::string> partition_inputs;
  /// Why not, in words, where partition_by was asked and partition_wise is false.
  std::string partition_reason;
  /// True where each result row comes from exactly one row of one table by projection and filter alone.
  bool row_wise = false;
  /// True where it is row_wise and no filter can drop a row.
  bool keeps_every_row = false;
};

}  // namespace caudal
