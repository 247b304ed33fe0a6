// What PostgreSQL's catalog says of a table, and how each of its types travels through DuckDB's scanner into a type of
// ours. Values and pure functions. The mapping in words: docs/connectors/postgres.md.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "connect/server_stream.h"
#include "data/rows.h"

namespace caudal {

struct PostgresTable {
  bool found = false;
  bool schema_usable = true;
  bool is_table = false;          // its rows become visible when the transaction that wrote them commits: no view of any kind
  bool has_row_versions = false;  // rows carry the number of the transaction that wrote them (no view, no foreign table)
  bool has_row_places = false;    // a row's place tells it from all others of the table (one heap)
  std::string id;                 // oid
  bool name_is_unique = true;     // the scanner finds names without regard to case
  std::string neighbours;         // tables of the schema, for an error
  std::int64_t prepared = 0;      // transactions of the database that are prepared and not finished
  std::vector<ServerColumn> columns;

  /// Whether every column may be read by the scanner itself, in parallel.
  bool plain() const;
};

/// A SELECT in the server's words; its rows are what ReadPostgresTable takes.
std::string PostgresTableSql(const std::string& schema, const std::string& table);
PostgresTable ReadPostgresTable(const Rows& rows);

/// The same for the columns of a query, from what DuckDB makes of them.
PostgresTable PostgresTableOfQuery(const Schema& columns);

/// Tables, views and their columns that the user may see, in the server's words: rows as OffersOf takes them, then kind,
/// category, element, modifier, dimensions.
std::string PostgresCatalogSql();

/// DuckDB's name of the type, for a row of PostgresCatalogSql; ours is ParseType of it.
std::string PostgresTypeName(const std::string& type, const std::string& kind, const std::string& element,
                             std::int64_t modifier, std::int64_t dimensions);

}  // namespace caudal
