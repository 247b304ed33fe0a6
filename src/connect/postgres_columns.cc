#include "connect/postgres_columns.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "data/name.h"
#include "data/schema.h"

namespace caudal {
namespace {

// Types that the scanner gives without loss, in a scan of the table and in a query alike.
constexpr auto kPlain = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"bool", "BOOLEAN"},   {"int2", "SMALLINT"},  {"int4", "INTEGER"},     {"int8", "BIGINT"},
    {"oid", "BIGINT"},     {"float4", "FLOAT"},   {"float8", "DOUBLE"},    {"text", "VARCHAR"},
    {"varchar", "VARCHAR"}, {"bpchar", "VARCHAR"}, {"name", "VARCHAR"},    {"json", "VARCHAR"},
    {"jsonb", "VARCHAR"},  {"uuid", "VARCHAR"},   {"bytea", "BLOB"},       {"date", "DATE"},
    {"time", "VARCHAR"},   {"timetz", "VARCHAR"}, {"interval", "VARCHAR"}, {"timestamp", "TIMESTAMPTZ"},
    {"timestamptz", "TIMESTAMPTZ"},
});

// Elements of which a list is read as a list.
constexpr std::string_view kElements[] = {"bool",   "int2",   "int4", "int8", "float4", "float8",
                                          "text",   "varchar", "uuid", "date"};

std::string PlainType(std::string_view type) {
  for (const auto& [name, ours] : kPlain) {
    if (name == type) return std::string(ours);
  }
  return "";
}

bool IsElement(std::string_view type) {
  for (const std::string_view name : kElements) {
    if (name == type) return true;
  }
  return false;
}

struct Numeric {
  std::string type;  // ours
  bool exact = true;  // as the server declares it: the scanner reads it
};

// The modifier holds precision and scale: https://github.com/postgres/postgres/blob/REL_15_STABLE/src/backend/utils/adt/numeric.c
Numeric NumericOf(std::int64_t modifier) {
  if (modifier < 4) return {"VARCHAR", false};
  const std::int64_t packed = modifier - 4;
  const std::int64_t precision = (packed >> 16) & 0xffff;
  const std::int64_t scale = ((packed & 0x7ff) ^ 1024) - 1024;
  if (scale < 0 && precision - scale <= 38) return {fmt::format("DECIMAL({},0)", precision - scale), false};
  if (scale > precision && scale <= 38) return {fmt::format("DECIMAL({0},{0})", scale), false};
  if (scale < 0 || scale > precision || precision > 38) return {"VARCHAR", false};
  return {fmt::format("DECIMAL({},{})", precision, scale), true};
}

ServerColumn ColumnOf(const std::string& name, const std::string& kind, const std::string& category,
                        const std::string& element, std::int64_t modifier, std::int64_t dimensions, bool domain) {
  ServerColumn column;
  column.name = name;
  column.kind = kind;
  column.type = PostgresTypeName(kind, category, element, modifier, dimensions);
  const std::string quoted = QuoteIdentifier(name);
  if (kind == "numeric") {
    const Numeric numeric = NumericOf(modifier);
    column.text = quoted + "::text";
    if (!numeric.exact) column.server = column.text;
    if (numeric.exact) column.guard = quoted + " = 'NaN'";
  } else if (kind == "timestamp" || kind == "timestamptz") {
    column.text = quoted + "::text";
    column.guard = fmt::format("({0} > '294246-01-01' AND {0} <> 'infinity')", quoted);
  } else if (category == "array") {
    column.text = fmt::format("to_json({})::text", quoted);
    if (column.type == "VARCHAR") column.server = column.text;
  } else if (category == "composite") {
    column.server = column.text = fmt::format("to_json({})::text", quoted);
  } else if (PlainType(kind).empty() && category != "enum") {
    column.server = column.text = quoted + "::text";
  }
  // Of a domain a scan gives text, and a query the type below it.
  if (domain && column.server.empty()) column.server = quoted;
  return column;
}

}  // namespace

std::string PostgresTypeName(const std::string& type, const std::string& category, const std::string& element,
                             std::int64_t modifier, std::int64_t dimensions) {
  if (type == "numeric") return NumericOf(modifier).type;
  if (category == "array") return dimensions <= 1 && IsElement(element) ? PlainType(element) + "[]" : "VARCHAR";
  const std::string plain = PlainType(type);
  return plain.empty() ? "VARCHAR" : plain;
}

bool PostgresTable::plain() const {
  for (const ServerColumn& column : columns) {
    if (!column.server.empty()) return false;
  }
  return !columns.empty() && name_is_unique;
}

std::string PostgresTableSql(const std::string& schema, const std::string& table) {
  return fmt::format(
      "SELECT c.oid::text AS id, c.relkind::text AS relation, has_schema_privilege(n.oid, 'USAGE') AS usable, "
      "(SELECT count(*) FROM pg_prepared_xacts AS p WHERE p.database = current_database()) AS prepared, "
      "(SELECT string_agg(k.relname, ', ' ORDER BY k.relname) FROM (SELECT r.relname FROM pg_class AS r JOIN pg_namespace AS m "
      "ON m.oid = r.relnamespace WHERE m.nspname = {0} AND r.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY 1 LIMIT 10) AS k) "
      "AS neighbours, a.attname::text AS name, b.typname::text AS kind, "
      "CASE WHEN b.typcategory = 'A' THEN 'array' WHEN b.typtype = 'e' THEN 'enum' WHEN b.typtype = 'c' THEN 'composite' ELSE '' END AS category, "
      "e.typname::text AS element, (CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END)::text AS modifier, "
      "a.attndims::text AS dimensions, t.typtype = 'd' AS domain, has_column_privilege(c.oid, a.attnum, 'SELECT') AS readable, "
      "(SELECT count(*) FROM pg_class AS r JOIN pg_namespace AS m ON m.oid = r.relnamespace WHERE lower(m.nspname) = lower({0}) "
      "AND lower(r.relname) = lower({1}) AND r.relkind IN ('r', 'p', 'v', 'm', 'f')) AS alike, "
      "c.relkind IN ('r', 'm') AND NOT c.relhassubclass AS one_heap "
      "FROM (SELECT 1) AS one LEFT JOIN pg_namespace AS n ON n.nspname = {0} "
      "LEFT JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = {1} AND c.relkind IN ('r', 'p', 'v', 'm', 'f') "
      "LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
      "LEFT JOIN pg_type AS t ON t.oid = a.atttypid "
      "LEFT JOIN pg_type AS b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END "
      "LEFT JOIN pg_type AS e ON e.oid = b.typelem AND b.typcategory = 'A' ORDER BY a.attnum",
      QuoteLiteral(schema), QuoteLiteral(table));
}

PostgresTable ReadPostgresTable(const Rows& rows) {
  PostgresTable table;
  for (const std::vector<Cell>& row : rows.rows) {
    table.found = row[0].has_value();
    table.id = row[0].value_or("");
    const std::string relation = row[1].value_or("");
    table.is_table = relation == "r" || relation == "p";
    table.has_row_versions = table.is_table || relation == "m";
    table.schema_usable = !row[2] || *row[2] == "true";
    table.prepared = NumberIn(row[3]);
    table.neighbours = row[4].value_or("");
    table.name_is_unique = NumberIn(row[13]) < 2;
    table.has_row_places = row[14] == "true";
    if (!row[5]) continue;
    ServerColumn column = ColumnOf(*row[5], row[6].value_or(""), row[7].value_or(""), row[8].value_or(""),
                                     NumberIn(row[9]), NumberIn(row[10]), row[11] == "true");
    column.readable = row[12] == "true";
    table.columns.push_back(std::move(column));
  }
  return table;
}

PostgresTable PostgresTableOfQuery(const Schema& columns) {
  PostgresTable table;
  table.found = true;
  for (const Field& field : columns.fields) {
    ServerColumn column;
    column.name = field.name;
    column.type = field.type.ToSql();
    column.kind = column.type == "TIMESTAMPTZ" ? "timestamptz" : "";
    // A NaN of the server's numeric is a zero of the scanner's DECIMAL.
    const std::string quoted = QuoteIdentifier(field.name);
    if (field.type.kind == TypeKind::kDecimal) column.server = column.text = quoted + "::text";
    if (field.type.kind == TypeKind::kList) column.text = fmt::format("to_json({})::text", quoted);
    if (column.kind == "timestamptz") column.text = quoted + "::text";
    table.columns.push_back(std::move(column));
  }
  return table;
}

std::string PostgresCatalogSql() {
  return "SELECT n.nspname::text AS schema, c.relname::text AS relation, a.attname::text AS name, "
         "coalesce(array_position(i.indkey::int2[], a.attnum), -1)::text AS key_place, c.reltuples::int8::text AS rows, b.typname::text AS kind, "
         "CASE WHEN b.typcategory = 'A' THEN 'array' WHEN b.typtype = 'e' THEN 'enum' WHEN b.typtype = 'c' THEN 'composite' ELSE '' END AS category, "
         "e.typname::text AS element, (CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END)::text AS modifier, "
         "a.attndims::text AS dimensions "
         "FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace "
         "JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
         "JOIN pg_type AS t ON t.oid = a.atttypid "
         "JOIN pg_type AS b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END "
         "LEFT JOIN pg_type AS e ON e.oid = b.typelem AND b.typcategory = 'A' "
         "LEFT JOIN pg_index AS i ON i.indrelid = c.oid AND i.indisprimary "
         "WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition AND n.nspname <> 'information_schema' "
         "AND n.nspname NOT LIKE 'pg\\_%' AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') "
         "ORDER BY 1, 2, a.attnum";
}

}  // namespace caudal
