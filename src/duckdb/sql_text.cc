#include "duckdb/sql_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "data/name.h"

namespace caudal {
namespace {

std::string IdOf(const Field& field) {
  if (!field.type.nested()) return std::to_string(field.id);
  std::string text = fmt::format("{{__duckdb_field_id: {}", field.id);
  for (std::size_t i = 0; i < field.type.children.size(); ++i) {
    const Field& child = field.type.children[i];
    std::string name = child.name;
    if (field.type.kind == TypeKind::kList) name = "element";
    if (field.type.kind == TypeKind::kMap) name = i == 0 ? "key" : "value";
    text += fmt::format(", {}: {}", QuoteLiteral(name), IdOf(child));
  }
  return text + "}";
}

// Where the lexeme that starts at `at` ends: a comment, a string, a quoted name, a dollar-quoted text, or one byte.
std::size_t LexemeEnd(std::string_view sql, std::size_t at) {
  const auto past = [&](std::string_view what, std::size_t from) {
    const std::size_t found = sql.find(what, from);
    return found == std::string_view::npos ? sql.size() : found + what.size();
  };
  const std::string_view rest = sql.substr(at);
  if (rest.starts_with("--")) return past("\n", at);
  if (rest.starts_with("/*")) return past("*/", at + 2);
  const bool escapes = rest.size() > 1 && (rest[0] == 'e' || rest[0] == 'E') && rest[1] == '\'';
  if (escapes && (at == 0 || std::isalnum(static_cast<unsigned char>(sql[at - 1])) == 0)) {
    std::size_t end = at + 2;
    while (end < sql.size() && sql[end] != '\'') end += sql[end] == '\\' ? 2 : 1;
    return std::min(end + 1, sql.size());
  }
  if (rest[0] == '\'' || rest[0] == '"') return past(rest.substr(0, 1), at + 1);
  if (rest[0] == '$') {
    std::size_t end = at + 1;
    while (end < sql.size() && (std::isalnum(static_cast<unsigned char>(sql[end])) != 0 || sql[end] == '_')) ++end;
    if (end < sql.size() && sql[end] == '$') return past(sql.substr(at, end + 1 - at), end + 1);
    return end;
  }
  return at + 1;
}

bool IsFiller(std::string_view lexeme) {
  return lexeme.starts_with("--") || lexeme.starts_with("/*") || lexeme == " " || lexeme == "\n" || lexeme == "\t" ||
         lexeme == "\r" || lexeme == "\f" || lexeme == "\v";
}

/// The origin of a row as the input names its file. DuckDB gives it as a constant of each vector, so this costs nothing a row.
std::string OriginName(const RemoteFiles& remote) {
  if (remote.urls.empty()) return std::string(kOriginColumn);
  return fmt::format("CASE WHEN starts_with({0}, {1}) THEN {2} || url_decode(split_part(substr({0}, {3}), '?', 1)) ELSE {0} END AS {0}",
                     kOriginColumn, QuoteLiteral(remote.url_root), QuoteLiteral(remote.name_root), remote.url_root.size() + 1);
}

// What stands in a data file, as a select list: Hudi's five, then ours, cast. The five are an ENUM of one value, which
// becomes the same UTF8 column as a VARCHAR would, without hashing every value: docs/decisions/0011-marker-columns.md.
/// A column that the files are partitioned by stores '' as NULL and -0.0 as 0.0: the log cannot tell them apart.
std::string FileColumns(const Schema& columns, const std::vector<std::string>& partition_by) {
  std::string list;
  for (const std::string_view name : kHoodieColumns)
    list += fmt::format("{}''::ENUM('') AS {}", list.empty() ? "" : ", ", name);
  for (const Field& field : columns.fields) {
    const std::string name = QuoteIdentifier(field.name);
    const bool partition = std::any_of(partition_by.begin(), partition_by.end(), [&](const auto& p) { return SameName(p, field.name); });
    const bool text = field.type.kind == TypeKind::kVarchar;
    const bool floating = field.type.kind == TypeKind::kFloat || field.type.kind == TypeKind::kDouble;
    const std::string value = partition && text ? "nullif(" + name + ", '')" : partition && floating ? "(" + name + " + 0)" : name;
    list += fmt::format(", CAST({} AS {}) AS {}", value, field.type.ToSql(), name);
  }
  return list;
}

std::string FileOptions(const Schema& columns) {
  return "FORMAT parquet, COMPRESSION zstd, RETURN_STATS, FIELD_IDS " + FieldIds(columns);
}

}  // namespace

std::string LiteralList(const std::vector<std::string>& texts) {
  std::string list = "[";
  for (const std::string& text : texts) {
    if (list.size() > 1) list += ", ";
    list += QuoteLiteral(text);
  }
  return list + "]";
}

std::string SelectBody(std::string_view sql) {
  std::size_t end = 0;  // behind the last lexeme that says something
  for (std::size_t at = 0; at < sql.size();) {
    const std::size_t next = LexemeEnd(sql, at);
    const std::string_view lexeme = sql.substr(at, next - at);
    if (!IsFiller(lexeme) && lexeme != ";") end = next;
    at = next;
  }
  return std::string(sql.substr(0, end));
}

std::string FieldIds(const Schema& columns) {
  std::string text = "{";
  int id = kFirstHoodieFieldId;
  for (const std::string_view name : kHoodieColumns) {
    text += fmt::format("{}'{}': {}", text.size() > 1 ? ", " : "", name, id++);
  }
  for (const Field& field : columns.fields) text += fmt::format(", {}: {}", QuoteLiteral(field.name), IdOf(field));
  return text + "}";
}

std::string ScanOf(const TableInput& input, const RemoteFiles& remote) {
  std::string columns;
  std::string fields;
  for (const Field& field : input.columns.fields) {
    const std::string name = QuoteIdentifier(field.name);
    const std::string type = field.type.ToSql();
    const char* comma = columns.empty() ? "" : ", ";
    columns += input.files.empty() ? fmt::format("{}CAST(NULL AS {}) AS {}", comma, type, name) : comma + name;
    fields += fmt::format("{}{}: {{name: {}, type: {}, default_value: NULL}}", comma, field.id,
                          QuoteLiteral(field.name), QuoteLiteral(type));
  }
  if (input.files.empty()) {
    if (input.with_origin) columns += fmt::format(", CAST(NULL AS VARCHAR) AS {}", kOriginColumn);
    return fmt::format("SELECT {} WHERE false", columns);
  }
  // Named, since a column `filename` of the table's own would hide DuckDB's.
  const std::string origin = input.with_origin ? fmt::format(", filename = '{}'", kOriginColumn) : "";
  if (input.with_origin) columns += ", " + OriginName(remote);
  std::vector<std::string> places;
  for (const std::string& file : input.files) {
    const auto url = remote.urls.find(file);
    places.push_back(url == remote.urls.end() ? file : url->second);
  }
  return fmt::format("SELECT {} FROM read_parquet({}, schema = MAP {{{}}}, hive_partitioning = false{}){}", columns,
                     LiteralList(places), fields, origin, input.only.empty() ? "" : " WHERE " + input.only);
}

std::string CopyOf(const std::string& select, const WriteLayout& layout) {
  std::string columns = FileColumns(layout.columns, layout.partition_by);
  std::vector<std::string> partitions = layout.partition_by;
  if (!layout.file_by.empty()) {
    columns += ", " + QuoteIdentifier(layout.file_by);
    partitions = {layout.file_by};
  }
  std::string order;
  for (const std::string& name : layout.order_by)
    order += (order.empty() ? " ORDER BY " : ", ") + QuoteIdentifier(name);

  std::string options = FileOptions(layout.columns) + ", FILENAME_PATTERN 'part-{uuidv4}'";
  if (partitions.empty()) {
    options += fmt::format(", FILE_SIZE_BYTES {}", std::max<std::int64_t>(layout.target_file_bytes, 1 << 20));
  } else {
    std::string names;
    for (const std::string& name : partitions) names += (names.empty() ? "" : ", ") + QuoteIdentifier(name);
    options += ", PARTITION_BY (" + names + ")";
    if (layout.file_by.empty()) options += ", WRITE_PARTITION_COLUMNS";
  }
  return fmt::format("COPY (SELECT {} FROM (\n{}\n){}) TO {} ({})", columns, SelectBody(select), order,
                     QuoteLiteral(layout.folder), options);
}

std::string CopyToFile(const std::string& select, const Schema& columns, const std::string& path) {
  return fmt::format("COPY (SELECT {} FROM (\n{}\n)) TO {} ({})", FileColumns(columns, {}), SelectBody(select),
                     QuoteLiteral(path), FileOptions(columns));
}

}  // namespace caudal
