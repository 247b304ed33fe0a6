#include "connect/mysql_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "data/name.h"
#include "data/schema.h"

namespace caudal {
namespace {

constexpr auto kWhole = std::to_array<std::array<std::string_view, 3>>({
    // kind, signed, unsigned
    {"tinyint", "TINYINT", "SMALLINT"},
    {"smallint", "SMALLINT", "INTEGER"},
    {"mediumint", "INTEGER", "INTEGER"},
    {"int", "INTEGER", "BIGINT"},
    {"bigint", "BIGINT", "DECIMAL(20,0)"},
});

constexpr std::string_view kBytes[] = {"binary",   "varbinary",  "tinyblob",      "blob",       "mediumblob",      "longblob",     "vector",
                                       "geometry", "point",      "linestring",    "polygon",    "multipoint",      "multilinestring",
                                       "multipolygon", "geometrycollection", "geomcollection"};

constexpr std::string_view kTexts[] = {"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"};

template <std::size_t N>
bool IsOneOf(const std::string_view (&words)[N], std::string_view word) {
  return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

/// A date or time, as text: of one without month or day the scanner makes NULL.
void MakeTime(ServerColumn& column, const std::string& quoted, bool zero_is_null) {
  column.server = fmt::format("CAST({} AS CHAR)", quoted);
  if (zero_is_null) column.server = fmt::format("IF(MONTH({0}) = 0 OR DAYOFMONTH({0}) = 0, NULL, {1})", quoted, column.server);
  column.type = column.kind == "date" ? "DATE" : "TIMESTAMPTZ";
  if (column.kind != "date") column.client = fmt::format("make_timestamptz(epoch_us(CAST({} AS TIMESTAMP)))", QuoteIdentifier(column.name));
}

/// A text. The scanner does not look at its bytes: decode() refuses those that are no UTF-8, and a read by texts keeps them.
void MakeText(ServerColumn& column, const std::string& sent, const std::string& bytes) {
  column.type = "VARCHAR";
  column.server = sent;
  column.client = fmt::format("decode({})", bytes);
  column.client_text = bytes;
}

/// The bytes of what is sent as a BLOB or as a VARCHAR, by its length: the digits of both are the same.
std::string Digits(const ServerColumn& column) { return fmt::format("unhex(hex({}))", QuoteIdentifier(column.name)); }

/// Those of a VARCHAR.
std::string Encoded(const ServerColumn& column) { return fmt::format("encode({})", QuoteIdentifier(column.name)); }

void MakeBit(ServerColumn& column, const std::string& quoted, std::int64_t bits) {
  column.server = fmt::format("CAST({} AS UNSIGNED)", quoted);
  column.type = bits == 1 ? "BOOLEAN" : bits < 64 ? "BIGINT" : "DECIMAL(20,0)";
}

}  // namespace

std::string QuoteMysqlName(const std::string& name) {
  std::string quoted = "`";
  for (const char c : name) {
    if (c == '`') quoted += '`';
    quoted += c;
  }
  return quoted + "`";
}

std::string QuoteMysqlText(const std::string& text) {
  if (text.find('\\') == std::string::npos) return QuoteLiteral(text);
  std::string digits;
  for (const char c : text) digits += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return fmt::format("CONVERT(X'{}' USING utf8mb4)", digits);
}

ServerColumn MysqlColumn(const std::string& name, const MysqlType& type, bool zero_is_null) {
  ServerColumn column;
  column.name = name;
  column.kind = type.kind;
  const std::string quoted = QuoteMysqlName(name);
  for (const auto& [kind, with_sign, without] : kWhole) {
    if (kind == type.kind) column.type = type.whole.find("unsigned") == std::string::npos ? with_sign : without;
  }
  if (!column.type.empty()) return column;
  if (type.kind == "float" || type.kind == "double") {
    column.type = type.kind == "float" ? "FLOAT" : "DOUBLE";
  } else if (type.kind == "date" || type.kind == "datetime" || type.kind == "timestamp") {
    MakeTime(column, quoted, zero_is_null);
  } else if (type.kind == "bit") {
    MakeBit(column, quoted, type.digits);
  } else if (IsOneOf(kBytes, type.kind)) {
    column.type = "BLOB";
    column.client_text = QuoteIdentifier(name);
  } else if (IsOneOf(kTexts, type.kind)) {
    // Of a binary collation the scanner would make a BLOB. What is UTF-8 already is not converted: the server would make a '?' of
    // bytes that are none.
    if (type.charset == "utf8mb4") {
      MakeText(column, quoted + " COLLATE utf8mb4_general_ci", Encoded(column));
    } else if (type.charset.starts_with("utf8") || type.charset == "ascii") {
      // CAST AS BINARY would keep the charset, in which MariaDB then sends it.
      MakeText(column, fmt::format("UNHEX(HEX({}))", quoted), Digits(column));
    } else {
      MakeText(column, fmt::format("CONVERT({} USING utf8mb4)", quoted), Encoded(column));
    }
  } else if (type.kind == "json") {
    MakeText(column, fmt::format("CONVERT({} USING utf8mb4)", quoted), Encoded(column));
  } else {
    column.server = fmt::format("CAST({} AS {})", quoted, type.kind == "year" ? "UNSIGNED" : "CHAR");
    column.type = type.kind == "year" ? "SMALLINT" : "VARCHAR";
    if (type.kind == "decimal" && type.digits <= 38) column.type = fmt::format("DECIMAL({},{})", type.digits, type.scale);
  }
  return column;
}

std::vector<ServerColumn> MysqlColumnsOfQuery(const Schema& columns, bool zero_is_null) {
  std::vector<ServerColumn> found;
  for (const Field& field : columns.fields) {
    ServerColumn& column = found.emplace_back();
    column.name = field.name;
    column.type = field.type.ToSql();
    const std::string quoted = QuoteMysqlName(field.name);
    if (field.type.kind == TypeKind::kDate || field.type.kind == TypeKind::kTimestamptz) {
      column.kind = field.type.kind == TypeKind::kDate ? "date" : "datetime";
      MakeTime(column, quoted, zero_is_null);
    } else if (field.type.kind == TypeKind::kDecimal) {
      column.server = fmt::format("CAST({} AS CHAR)", quoted);
      // The scanner counts a sign and a point, also where there are none: a digit too few.
      column.type = fmt::format("DECIMAL({},{})", std::min<int>(field.type.precision + 1, 38), field.type.scale);
    } else if (field.type.kind == TypeKind::kVarchar) {
      // Also a time, whose 00:00:00 would be NULL, and bytes that are too many for the scanner to say so: they stay bytes, and are
      // no text then.
      MakeText(column, fmt::format("IF(CHARSET({0}) = 'binary', {0}, CONVERT({0} USING utf8mb4))", quoted), Digits(column));
    } else if (field.type.kind == TypeKind::kBlob) {
      column.client_text = QuoteIdentifier(field.name);
    } else if (field.type.kind != TypeKind::kFloat && field.type.kind != TypeKind::kDouble) {
      column.kind = "bigint";
    }
  }
  return found;
}

namespace {

// In both SQL texts, as MysqlTypeIn reads it. Each text is converted: some of the catalog's are of a binary collation.
constexpr const char* kTypeCells =
    "CONVERT(c.DATA_TYPE USING utf8mb4) AS kind, CONVERT(c.COLUMN_TYPE USING utf8mb4) AS whole, "
    "CONVERT(c.CHARACTER_SET_NAME USING utf8mb4) AS charset, CAST(c.NUMERIC_PRECISION AS CHAR) AS digits, CAST(c.NUMERIC_SCALE AS CHAR) AS scale";

}  // namespace

MysqlType MysqlTypeIn(const Cell* cells) {
  return MysqlType{cells[0].value_or(""), cells[1].value_or(""), cells[2].value_or(""), NumberIn(cells[3]), NumberIn(cells[4])};
}

std::string MysqlTableSql(const std::string& schema, const std::string& table) {
  // The catalog's names are compared without regard to case, also where the server knows two.
  const auto is = [](const std::string& column, const std::string& name) {
    return fmt::format("{0} = {1} AND (@@lower_case_table_names <> 0 OR CAST({0} AS BINARY) = CAST({1} AS BINARY))", column, QuoteMysqlText(name));
  };
  // The columns' names stand in a WHERE of their own: in a join the server would look into the tables of all databases.
  return fmt::format(
      "SELECT CONVERT(GROUP_CONCAT(k.name ORDER BY k.name SEPARATOR ', ') USING utf8mb4) AS neighbours, NULL AS name, NULL AS kind, NULL AS whole, "
      "NULL AS charset, NULL AS digits, NULL AS scale, NULL AS readable, 0 AS place FROM (SELECT n.TABLE_NAME AS name FROM information_schema.TABLES AS n "
      "WHERE {} ORDER BY 1 LIMIT 10) AS k UNION ALL SELECT NULL, CONVERT(c.COLUMN_NAME USING utf8mb4), {}, "
      "CAST(FIND_IN_SET('select', c.PRIVILEGES) > 0 AS CHAR), c.ORDINAL_POSITION FROM information_schema.COLUMNS AS c WHERE {} AND {} ORDER BY place",
      is("n.TABLE_SCHEMA", schema), kTypeCells, is("c.TABLE_SCHEMA", schema), is("c.TABLE_NAME", table));
}

MysqlTable ReadMysqlTable(const Rows& rows, bool zero_is_null) {
  MysqlTable table;
  for (const std::vector<Cell>& row : rows.rows) {
    if (row[0]) table.neighbours = *row[0];
    if (!row[1]) continue;
    table.columns.push_back(MysqlColumn(*row[1], MysqlTypeIn(&row[2]), zero_is_null));
    table.columns.back().readable = row[7] == "1";
  }
  return table;
}

std::string MysqlCatalogSql() {
  return fmt::format(
      "SELECT CONVERT(c.TABLE_SCHEMA USING utf8mb4) AS space, CONVERT(c.TABLE_NAME USING utf8mb4) AS relation, "
      "CONVERT(c.COLUMN_NAME USING utf8mb4) AS name, CAST(COALESCE(CAST(k.SEQ_IN_INDEX AS SIGNED) - 1, -1) AS CHAR) AS key_place, "
      "CAST(COALESCE(t.TABLE_ROWS, -1) AS CHAR) AS estimate, {} "
      "FROM information_schema.COLUMNS AS c JOIN information_schema.TABLES AS t ON t.TABLE_SCHEMA = c.TABLE_SCHEMA AND t.TABLE_NAME = c.TABLE_NAME "
      "LEFT JOIN information_schema.STATISTICS AS k ON k.TABLE_SCHEMA = c.TABLE_SCHEMA AND k.TABLE_NAME = c.TABLE_NAME "
      "AND k.COLUMN_NAME = c.COLUMN_NAME AND k.INDEX_NAME = 'PRIMARY' "
      "WHERE c.TABLE_SCHEMA NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys') AND FIND_IN_SET('select', c.PRIVILEGES) > 0 "
      "ORDER BY c.TABLE_SCHEMA, c.TABLE_NAME, c.ORDINAL_POSITION",
      kTypeCells);
}

}  // namespace caudal
