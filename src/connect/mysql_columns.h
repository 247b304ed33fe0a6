// What the catalog of a MariaDB or MySQL server says of a table, and how each of its types travels through DuckDB's scanner
// into a type of ours. Values and pure functions. The mapping in words: docs/connectors/mysql.md.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "connect/server_stream.h"
#include "data/rows.h"

namespace caudal {

/// `name`, in backticks.
std::string QuoteMysqlName(const std::string& name);

/// A text of the server, whatever its sql_mode says of backslashes.
std::string QuoteMysqlText(const std::string& text);

/// A column as information_schema.COLUMNS has it.
struct MysqlType {
  std::string kind;         // "int"
  std::string whole;        // "int(10) unsigned"
  std::string charset;      // of texts
  std::int64_t digits = 0;  // of decimals; of bit its bits
  std::int64_t scale = 0;
};

/// `zero_is_null`: a date without month or day is NULL; else it is a text that is no date, which rejects its row.
ServerColumn MysqlColumn(const std::string& name, const MysqlType& type, bool zero_is_null);

struct MysqlTable {
  std::string neighbours;  // tables of the database, for an error
  std::vector<ServerColumn> columns;  // none: there is no such table, or the user may not see it
};

/// A SELECT in the server's words; its rows are what ReadMysqlTable takes.
std::string MysqlTableSql(const std::string& schema, const std::string& table);
MysqlTable ReadMysqlTable(const Rows& rows, bool zero_is_null);

/// The same for the columns of a query, from what DuckDB makes of them.
std::vector<ServerColumn> MysqlColumnsOfQuery(const Schema& columns, bool zero_is_null);

/// Tables, views and their columns that the user may read, in the server's words: rows as OffersOf takes them, then what
/// MysqlTypeIn reads.
std::string MysqlCatalogSql();
MysqlType MysqlTypeIn(const Cell* cells);

}  // namespace caudal
