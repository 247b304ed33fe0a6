#include "lake/delta_schema.h"

#include <array>
#include <utility>

#include "base/json.h"

namespace caudal {
namespace {

constexpr std::array<std::pair<TypeKind, std::string_view>, 11> kNames{{
    {TypeKind::kBoolean, "boolean"},
    {TypeKind::kTinyint, "byte"},
    {TypeKind::kSmallint, "short"},
    {TypeKind::kInteger, "integer"},
    {TypeKind::kBigint, "long"},
    {TypeKind::kFloat, "float"},
    {TypeKind::kDouble, "double"},
    {TypeKind::kVarchar, "string"},
    {TypeKind::kBlob, "binary"},
    {TypeKind::kDate, "date"},
    {TypeKind::kTimestamptz, "timestamp"},
}};

Json FieldsToJson(const std::vector<Field>& fields);

/// `type` as Delta writes it. Ids of the children of lists and maps go into `ids`, the metadata of the nearest field
/// above, under their path: "caudal.elementId", "caudal.value.elementId".
Json TypeToJson(const Type& type, Json& ids, const std::string& path) {
  auto child = [&](std::size_t i) {
    const Field& field = type.children.at(i);
    ids["caudal." + path + field.name + "Id"] = field.id;
    return TypeToJson(field.type, ids, path + field.name + ".");
  };
  switch (type.kind) {
    case TypeKind::kDecimal:
      return "decimal(" + std::to_string(type.precision) + "," + std::to_string(type.scale) + ")";
    case TypeKind::kList:
      return Json{{"type", "array"}, {"elementType", child(0)}, {"containsNull", true}};
    case TypeKind::kMap: {
      Json key = child(0);
      return Json{{"type", "map"}, {"keyType", std::move(key)}, {"valueType", child(1)}, {"valueContainsNull", true}};
    }
    case TypeKind::kStruct:
      return Json{{"type", "struct"}, {"fields", FieldsToJson(type.children)}};
    default:
      break;
  }
  for (const auto& [kind, name] : kNames) {
    if (kind == type.kind) return std::string(name);
  }
  CHECK(false, "a type without a name in Delta");
}

Json FieldsToJson(const std::vector<Field>& fields) {
  Json list = Json::array();
  for (const Field& field : fields) {
    Json metadata{{"caudal.fieldId", field.id}};
    Json type = TypeToJson(field.type, metadata, "");
    list.push_back(Json{{"name", field.name}, {"type", std::move(type)}, {"nullable", true},
                        {"metadata", std::move(metadata)}});
  }
  return list;
}

Error Unreadable(const Json& json) {
  return Error{ErrorKind::kCorruption, "not a type of a Delta table: " + DumpJson(json), "", ""};
}

Result<std::vector<Field>> FieldsFromJson(const Json& json);

Result<Type> ScalarFromName(const std::string& name) {
  for (const auto& [kind, known] : kNames) {
    if (known == name) return Type{kind, 0, 0, {}};
  }
  if (name.starts_with("decimal(")) return ParseType(name);
  return Error{ErrorKind::kUnsupported, "a column of Delta's type " + name + " cannot be read", "", ""};
}

Result<Type> TypeFromJson(const Json& json, const Json& ids, const std::string& path) {
  if (json.is_string()) return ScalarFromName(json.get<std::string>());
  if (!json.is_object()) return Unreadable(json);
  std::string name = JsonString(json, "type", "");
  Type type;
  auto child = [&](std::string_view member, const char* as) -> Status {
    auto it = json.find(member);
    if (it == json.end()) return Unreadable(json);
    TRY_ASSIGN(Type inner, TypeFromJson(*it, ids, path + as + "."));
    auto id = static_cast<std::int32_t>(JsonInt(ids, "caudal." + path + as + "Id", 0));
    type.children.push_back(Field{as, std::move(inner), id});
    return {};
  };
  if (name == "array") {
    type.kind = TypeKind::kList;
    TRY(child("elementType", "element"));
  } else if (name == "map") {
    type.kind = TypeKind::kMap;
    TRY(child("keyType", "key"));
    TRY(child("valueType", "value"));
  } else if (name == "struct") {
    type.kind = TypeKind::kStruct;
    TRY_ASSIGN(type.children, FieldsFromJson(json));
  } else {
    return Unreadable(json);
  }
  return type;
}

Result<std::vector<Field>> FieldsFromJson(const Json& json) {
  auto list = json.find("fields");
  if (list == json.end() || !list->is_array()) return Unreadable(json);
  std::vector<Field> fields;
  for (const Json& item : *list) {
    if (!item.is_object() || !item.contains("type")) return Unreadable(item);
    Json metadata = item.contains("metadata") ? item["metadata"] : Json::object();
    TRY_ASSIGN(Type type, TypeFromJson(item["type"], metadata, ""));
    auto id = static_cast<std::int32_t>(JsonInt(metadata, "caudal.fieldId", 0));
    fields.push_back(Field{JsonString(item, "name", ""), std::move(type), id});
  }
  return fields;
}

}  // namespace

std::string DeltaSchemaText(const Schema& schema) {
  return DumpJson(Json{{"type", "struct"}, {"fields", FieldsToJson(schema.fields)}});
}

Result<Schema> ReadDeltaSchema(std::string_view text) {
  TRY_ASSIGN(Json json, ParseJson(text, "a table's schemaString"));
  if (!json.is_object()) return Unreadable(json);
  TRY_ASSIGN(auto fields, FieldsFromJson(json));
  return Schema{std::move(fields)};
}

}  // namespace caudal
