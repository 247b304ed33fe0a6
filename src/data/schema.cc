#include "data/schema.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "data/name.h"

namespace caudal {
namespace {

const Field* FindField(const std::vector<Field>& fields, std::string_view name) {
  auto it = std::find_if(fields.begin(), fields.end(), [&](const Field& f) { return SameName(f.name, name); });
  return it == fields.end() ? nullptr : &*it;
}

void AssignIds(const std::vector<Field>& previous, std::vector<Field>& next, std::int32_t& max_id) {
  static const std::vector<Field> kNone;
  for (Field& field : next) {
    const Field* before = FindField(previous, field.name);
    field.id = before != nullptr && before->id != 0 ? before->id : ++max_id;
    AssignIds(before != nullptr ? before->type.children : kNone, field.type.children, max_id);
  }
}

void CollectIds(const Type& type, Json& ids) {
  for (const Field& child : type.children) {
    ids.push_back(child.id);
    CollectIds(child.type, ids);
  }
}

bool TakeIds(Type& type, const Json& ids, std::size_t& next) {
  for (Field& child : type.children) {
    if (next >= ids.size() || !ids[next].is_number_integer()) return false;
    child.id = ids[next++].get<std::int32_t>();
    if (!TakeIds(child.type, ids, next)) return false;
  }
  return true;
}

std::string Quote(std::string_view text, char quote) {
  std::string quoted(1, quote);
  for (char c : text) {
    if (c == quote) quoted += quote;
    quoted += c;
  }
  return quoted + quote;
}

}  // namespace

const Field* Schema::Find(std::string_view name) const { return FindField(fields, name); }

bool operator==(const Schema& a, const Schema& b) {
  return std::equal(a.fields.begin(), a.fields.end(), b.fields.begin(), b.fields.end(),
                    [](const Field& x, const Field& y) { return x.name == y.name && x.type == y.type; });
}

void AssignFieldIds(const Schema& previous, Schema& next, std::int32_t& max_id) {
  AssignIds(previous.fields, next.fields, max_id);
}

Json SchemaToJson(const Schema& schema) {
  Json json = Json::array();
  for (const Field& field : schema.fields) {
    Json column{{"name", field.name}, {"type", field.type.ToSql()}, {"id", field.id}};
    if (field.type.nested()) {
      Json ids = Json::array();
      CollectIds(field.type, ids);
      column["ids"] = std::move(ids);
    }
    json.push_back(std::move(column));
  }
  return json;
}

Result<Schema> SchemaFromJson(const Json& json) {
  Error broken{ErrorKind::kCorruption, "a schema in JSON is a list of {name, type, id, ids}: " + DumpJson(json), "", ""};
  if (!json.is_array()) return broken;
  Schema schema;
  for (const Json& column : json) {
    Field field;
    field.name = JsonString(column, "name", "");
    if (field.name.empty()) return broken;
    TRY_ASSIGN(field.type, ParseType(JsonString(column, "type", "")));
    field.id = static_cast<std::int32_t>(JsonInt(column, "id", 0));
    std::size_t next = 0;
    if (column.contains("ids") && !TakeIds(field.type, column["ids"], next)) return broken;
    schema.fields.push_back(std::move(field));
  }
  return schema;
}

std::string QuoteIdentifier(std::string_view name) { return Quote(name, '"'); }
std::string QuoteLiteral(std::string_view text) { return Quote(text, '\''); }

std::string QuoteTable(std::string_view schema, std::string_view table) {
  return QuoteIdentifier(schema) + "." + QuoteIdentifier(table);
}

}  // namespace caudal
