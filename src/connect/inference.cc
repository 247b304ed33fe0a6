// The schema of a stream that was never read before, from all of its staged records.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "connect/hive_path.h"
#include "connect/intake.h"
#include "connect/value_class.h"
#include "data/name.h"

namespace caudal {
namespace {

constexpr std::size_t kMostMembers = 200;  // above it an object is a dictionary, kept as JSON text
constexpr std::int64_t kSampleRecords = 100000;

// Rows of the step: name, how ("sql": `type` is an SQL type; "json": a structure of json_group_structure), type,
// days and stamps (all text values are dates, timestamps), place (order of appearance).

/// Columns of the CSV batches, in the order in which they appear, with what all their values are.
std::vector<std::pair<std::string, ColumnFacts>> CsvFacts(const std::vector<StagedBatch>& batches) {
  std::vector<std::pair<std::string, ColumnFacts>> columns;
  for (const StagedBatch& batch : batches) {
    if (batch.kind != "csv") continue;
    for (std::size_t i = 0; i < batch.columns.size(); ++i) {
      const ColumnFacts& seen = batch.facts[i];
      const auto same = [&](const auto& column) { return SameName(column.first, batch.columns[i]); };
      const auto known = std::find_if(columns.begin(), columns.end(), same);
      if (known == columns.end()) {
        columns.emplace_back(batch.columns[i], seen);
      } else {
        known->second = JoinFacts(known->second, seen);
      }
    }
  }
  return columns;
}

std::string ColumnsOfFacts(const std::vector<std::pair<std::string, ColumnFacts>>& columns) {
  std::string values;
  std::int64_t place = 0;
  for (const auto& [name, facts] : columns) {
    values += fmt::format("{}({}, 'sql', {}, false, false, {}::BIGINT)", values.empty() ? "" : ", ", QuoteLiteral(name),
                          QuoteLiteral(InferredType(facts).ToSql()), place++);
  }
  if (values.empty()) return "";
  return fmt::format("SELECT * FROM (VALUES {}) AS c(name, how, type, days, stamps, place)", values);
}

std::string LineColumns(const StagedBatch& batch) {
  const char* day = "\\d{4}-\\d{2}-\\d{2}";
  const std::string stamp = fmt::format("{}[T ]\\d{{2}}:\\d{{2}}(:\\d{{2}}(\\.\\d+)?)?(Z|[+-]\\d{{2}}(:?\\d{{2}})?)?", day);
  const std::int64_t line = std::max<std::int64_t>(std::int64_t{2} << 20, batch.longest_record_bytes + 1024);
  return fmt::format(
      "SELECT key AS name, 'json' AS how, json_group_structure(value)::VARCHAR AS type, "
      "bool_and(CASE WHEN type = 'VARCHAR' THEN regexp_full_match(text, '{0}') AND TRY_CAST(text AS DATE) IS NOT NULL "
      "WHEN type = 'NULL' THEN true ELSE false END) AS days, "
      "bool_and(CASE WHEN type = 'VARCHAR' THEN regexp_full_match(text, '{0}|{1}') AND TRY_CAST(text AS TIMESTAMPTZ) IS NOT "
      "NULL WHEN type = 'NULL' THEN true ELSE false END) AS stamps, min(place) AS place FROM "
      "(SELECT e.key, e.value, e.type, e.value->>'$' AS text, b.n * 10000 + e.id::BIGINT AS place FROM "
      "(SELECT j, row_number() OVER () AS n FROM (SELECT j FROM read_csv({2}, auto_detect=false, header=false, delim='\\t', "
      "quote='', escape='', new_line='\\n', nullstr='', columns={{'c': 'INTEGER', 'r': 'BIGINT', 'j': 'VARCHAR'}}, "
      "max_line_size={3}, buffer_size={4}) LIMIT {5}) WHERE json_valid(j)) AS b, json_each(b.j) AS e) GROUP BY key",
      day, stamp, QuoteLiteral(batch.path), line, std::max<std::int64_t>(std::int64_t{8} << 20, 2 * line), kSampleRecords);
}

std::string ParquetColumns(const StagedBatch& batch) {
  return fmt::format(
      "SELECT column_name AS name, 'sql' AS how, column_type AS type, false AS days, false AS stamps, "
      "row_number() OVER () AS place FROM (DESCRIBE SELECT {} FROM read_parquet({}, hive_partitioning=false))",
      ColumnsBeside(batch.partition_values), QuoteLiteral(batch.path));
}

/// Columns of the folders that Parquet files are in; after those of the files.
std::string FolderColumns(const std::vector<StagedBatch>& batches) {
  std::vector<std::pair<std::string, ColumnFacts>> columns;
  for (const StagedBatch& batch : batches) {
    for (const PartitionValue& one : batch.partition_values) {
      const auto same = [&](const auto& column) { return SameName(column.first, one.column); };
      auto known = std::find_if(columns.begin(), columns.end(), same);
      if (known == columns.end()) known = columns.insert(columns.end(), {one.column, ColumnFacts{}});
      NarrowFacts(known->second, one.value.value_or(""));
    }
  }
  return ColumnsOfFacts(columns);
}

Type Of(TypeKind kind) { return Type{kind, 0, 0, {}}; }

/// Columns that Caudal adds, in a Parquet file that it wrote itself.
bool IsOurs(const std::string& name) {
  return name.starts_with("_hoodie_") || name == "_source_file" || name == "_source_row";
}

/// `structure` as json_group_structure writes it.
Type OfStructure(const Json& structure) {
  if (structure.is_object()) {
    if (structure.empty() || structure.size() > kMostMembers) return Of(TypeKind::kVarchar);
    Type type = Of(TypeKind::kStruct);
    for (const auto& [name, member] : structure.items()) {
      const auto same = [&](const Field& field) { return SameName(field.name, name); };
      if (name.empty() || std::any_of(type.children.begin(), type.children.end(), same)) return Of(TypeKind::kVarchar);
      type.children.push_back(Field{name, OfStructure(member), 0});
    }
    return type;
  }
  if (structure.is_array()) {
    if (structure.size() != 1) return Of(TypeKind::kVarchar);
    Type type = Of(TypeKind::kList);
    type.children.push_back(Field{"element", OfStructure(structure[0]), 0});
    return type;
  }
  const std::string word = structure.is_string() ? structure.get<std::string>() : "";
  if (word == "BOOLEAN") return Of(TypeKind::kBoolean);
  if (word == "UBIGINT" || word == "BIGINT") return Of(TypeKind::kBigint);
  if (word == "DOUBLE") return Of(TypeKind::kDouble);
  return Of(TypeKind::kVarchar);
}

/// What holds both.
Type Wider(const Type& a, const Type& b) {
  if (a == b || Widens(b, a)) return a;
  if (Widens(a, b)) return b;
  const auto number = [](const Type& type) { return type.kind == TypeKind::kBigint || type.kind == TypeKind::kDouble; };
  const auto time = [](const Type& type) { return type.kind == TypeKind::kDate || type.kind == TypeKind::kTimestamptz; };
  if (number(a) && number(b)) return Of(TypeKind::kDouble);
  if (time(a) && time(b)) return Of(TypeKind::kTimestamptz);
  return Of(TypeKind::kVarchar);
}

}  // namespace

std::optional<Schema> SchemaOfFacts(const std::vector<StagedBatch>& batches) {
  if (std::any_of(batches.begin(), batches.end(), [](const StagedBatch& batch) { return batch.kind != "csv"; })) {
    return std::nullopt;
  }
  Schema schema;
  for (const auto& [name, facts] : CsvFacts(batches)) {
    if (!IsOurs(name)) schema.fields.push_back(Field{name, InferredType(facts), 0});
  }
  return schema;
}

ComputeJob InferenceJob(const std::vector<StagedBatch>& batches) {
  ComputeJob job;
  std::vector<std::string> selects;
  if (std::string csv = ColumnsOfFacts(CsvFacts(batches)); !csv.empty()) selects.push_back(std::move(csv));
  for (const StagedBatch& batch : batches) {
    if (batch.kind == "csv" || (batch.kind == "ndjson" && batch.rows == 0)) continue;
    selects.push_back(batch.kind == "ndjson" ? LineColumns(batch) : ParquetColumns(batch));
    job.read_paths.push_back(batch.path);
  }
  if (std::string folders = FolderColumns(batches); !folders.empty()) selects.push_back(std::move(folders));
  if (selects.empty()) {
    selects.push_back("SELECT '' AS name, '' AS how, '' AS type, false AS days, false AS stamps, 0::BIGINT AS place WHERE false");
  }
  std::string all;
  for (std::size_t i = 0; i < selects.size(); ++i) {
    all += fmt::format("{}SELECT {} AS batch, * FROM ({})", i == 0 ? "" : " UNION ALL ", i, selects[i]);
  }
  job.steps.push_back(Step::Query(
      "columns", fmt::format("SELECT name, how, type, days, stamps FROM ({}) ORDER BY batch, place, name", all), 10000));
  return job;
}

Result<Schema> SchemaOfInference(const ComputeResult& result) {
  const StepResult* step = result.Find("columns");
  CHECK(step != nullptr, "the result is of an InferenceJob");
  Schema schema;
  for (const std::vector<Cell>& row : step->rows.rows) {
    const std::string name = row[0].value_or("");
    const std::string text = row[2].value_or("VARCHAR");
    if (name.empty() || IsOurs(name)) continue;
    Type type = Of(TypeKind::kVarchar);
    if (row[1] == "json") {
      TRY_ASSIGN(const Json structure, ParseJson(text, "structure of " + name));
      type = OfStructure(structure);
      if (structure == "VARCHAR" && row[3] == "true") type = Of(TypeKind::kDate);
      if (structure == "VARCHAR" && row[3] != "true" && row[4] == "true") type = Of(TypeKind::kTimestamptz);
    } else {
      TRY_ASSIGN(type, ParseType(text));
    }
    const auto same = [&](const Field& field) { return SameName(field.name, name); };
    const auto known = std::find_if(schema.fields.begin(), schema.fields.end(), same);
    if (known == schema.fields.end()) {
      schema.fields.push_back(Field{name, std::move(type), 0});
    } else {
      known->type = Wider(known->type, type);
    }
  }
  return schema;
}

}  // namespace caudal
