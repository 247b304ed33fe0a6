#include "lake/faces/iceberg_schema.h"

#include <algorithm>
#include <array>

#include "base/json.h"
#include "lake/table_config.h"

namespace caudal {
namespace {

constexpr std::array<const char*, 5> kHudiColumns{"_hoodie_commit_time", "_hoodie_commit_seqno", "_hoodie_record_key",
                                                  "_hoodie_partition_path", "_hoodie_file_name"};
constexpr std::int32_t kFirstHudiId = 1000001;
constexpr std::int32_t kFirstPartitionId = 1000;
constexpr std::int32_t kPartitionIdsPerSpec = 100;

Json FieldsOf(const std::vector<Field>& fields);

Json TypeOf(const Type& type) {
  switch (type.kind) {
    case TypeKind::kBoolean: return "boolean";
    case TypeKind::kTinyint:
    case TypeKind::kSmallint:
    case TypeKind::kInteger: return "int";
    case TypeKind::kBigint: return "long";
    case TypeKind::kFloat: return "float";
    case TypeKind::kDouble: return "double";
    case TypeKind::kDecimal:
      return "decimal(" + std::to_string(type.precision) + ", " + std::to_string(type.scale) + ")";
    case TypeKind::kVarchar: return "string";
    case TypeKind::kBlob: return "binary";
    case TypeKind::kDate: return "date";
    case TypeKind::kTimestamptz: return "timestamptz";
    case TypeKind::kList: {
      const Field& element = type.children.at(0);
      return Json{{"type", "list"}, {"element-id", element.id}, {"element", TypeOf(element.type)}, {"element-required", false}};
    }
    case TypeKind::kMap: {
      const Field &key = type.children.at(0), &value = type.children.at(1);
      return Json{{"type", "map"},         {"key-id", key.id},          {"key", TypeOf(key.type)},
                  {"value-id", value.id},  {"value", TypeOf(value.type)}, {"value-required", false}};
    }
    case TypeKind::kStruct: return Json{{"type", "struct"}, {"fields", FieldsOf(type.children)}};
  }
  CHECK(false, "a type without a name in Iceberg");
}

Json FieldsOf(const std::vector<Field>& fields) {
  Json list = Json::array();
  for (const Field& field : fields) {
    list.push_back(Json{{"id", field.id}, {"name", field.name}, {"required", false}, {"type", TypeOf(field.type)}});
  }
  return list;
}

Json MappingOf(const std::vector<Field>& fields) {
  Json list = Json::array();
  for (const Field& field : fields) {
    Json entry{{"field-id", field.id}, {"names", Json::array({field.name})}};
    if (field.type.nested()) entry["fields"] = MappingOf(field.type.children);
    list.push_back(std::move(entry));
  }
  return list;
}

void Collect(const std::vector<Field>& fields, const std::string& prefix, std::map<std::string, Field>& leaves) {
  for (const Field& field : fields) {
    if (field.type.kind == TypeKind::kStruct) {
      Collect(field.type.children, prefix + field.name + ".", leaves);
    } else if (!field.type.nested()) {
      leaves.emplace(prefix + field.name, field);
    }
  }
}

}  // namespace

Json IcebergSchema(const Schema& schema, std::int64_t schema_id) {
  return Json{{"type", "struct"}, {"schema-id", schema_id}, {"fields", FieldsOf(schema.fields)}};
}

std::string IcebergNameMapping(const Schema& schema) {
  Json mapping = MappingOf(schema.fields);
  std::int32_t id = kFirstHudiId;
  for (const char* name : kHudiColumns) mapping.push_back(Json{{"field-id", id++}, {"names", Json::array({name})}});
  return DumpJson(mapping);
}

PartitionSpec SpecOf(const Snapshot& snapshot) {
  PartitionSpec spec;
  spec.id = static_cast<std::int32_t>(SpecId(snapshot.configuration));
  for (const std::string& column : snapshot.partition_columns) {
    if (const Field* field = snapshot.schema.Find(column)) spec.columns.push_back(*field);
  }
  return spec;
}

Json SpecFields(const PartitionSpec& spec) {
  Json fields = Json::array();
  std::int32_t id = kFirstPartitionId + spec.id * kPartitionIdsPerSpec;
  for (const Field& column : spec.columns) {
    fields.push_back(Json{{"name", column.name}, {"transform", "identity"}, {"source-id", column.id}, {"field-id", id++}});
  }
  return fields;
}

std::int32_t LastPartitionId(const PartitionSpec& spec) {
  return kFirstPartitionId + spec.id * kPartitionIdsPerSpec + static_cast<std::int32_t>(spec.columns.size()) - 1;
}

std::map<std::string, Field> StatisticsColumns(const Schema& schema) {
  std::map<std::string, Field> leaves;
  Collect(schema.fields, "", leaves);
  return leaves;
}

}  // namespace caudal
