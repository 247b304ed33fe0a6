#include "lake/table_config.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <utility>

#include "base/json.h"
#include "data/name.h"

namespace caudal {
namespace {

constexpr std::string_view kPrefix = "caudal.";
constexpr std::string_view kRecordKey = "caudal.recordKey";
constexpr std::string_view kMaxFieldId = "caudal.maxFieldId";
constexpr std::string_view kSchemaId = "caudal.schemaId";
constexpr std::string_view kSpecId = "caudal.specId";
constexpr std::string_view kDropped = "caudal.dropped";
constexpr std::array kOwn = {kRecordKey, kMaxFieldId, kSchemaId, kSpecId, kDropped};
/// Foreign checkpoint writers delete log entries unless told not to.
constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kGuards{
    {{"delta.enableExpiredLogCleanup", "false"}, {"delta.logRetentionDuration", "interval 36500 days"}}};

Error Refuse(const std::string& message, const std::string& next) {
  return Error{ErrorKind::kInvalidArgument, message, next, ""};
}

std::int64_t NumberOf(const std::map<std::string, std::string>& configuration, std::string_view key) {
  auto it = configuration.find(std::string(key));
  std::int64_t number = 0;
  if (it != configuration.end()) std::from_chars(it->second.data(), it->second.data() + it->second.size(), number);
  return number;
}

Result<Schema> DroppedColumns(const Snapshot* before) {
  if (before == nullptr) return Schema{};
  auto it = before->configuration.find(std::string(kDropped));
  if (it == before->configuration.end()) return Schema{};
  TRY_ASSIGN(Json json, ParseJson(it->second, kDropped));
  return SchemaFromJson(json);
}

void CollectPaths(const std::vector<Field>& fields, const std::string& above, std::vector<std::string>& paths) {
  for (const Field& field : fields) {
    paths.push_back(above + field.name);
    CollectPaths(field.type.children, above + field.name + ".", paths);
  }
}

Status CheckNames(const Schema& schema) {
  if (schema.fields.empty()) return Refuse("a table has at least one column", "");
  std::set<std::string> seen;
  for (const Field& field : schema.fields) {
    if (field.name.empty()) return Refuse("a column has no name", "");
    if (!seen.insert(LowerName(field.name)).second) {
      return Refuse("two columns are called '" + field.name + "'; names do not differ by case alone", "rename one");
    }
    if (field.name.starts_with("_hoodie_")) {
      return Refuse("the column name '" + field.name + "' belongs to the Hudi format", "rename the column");
    }
    for (char c : field.name) {
      if (static_cast<unsigned char>(c) < 0x20) return Refuse("a column name holds a control character", "rename it");
    }
  }
  std::vector<std::string> paths;
  CollectPaths(schema.fields, "", paths);
  std::sort(paths.begin(), paths.end());
  auto twice = std::adjacent_find(paths.begin(), paths.end());
  if (twice == paths.end()) return {};
  return Refuse("'" + *twice + "' is both a column and a member of one; readers of Iceberg cannot tell them apart", "rename one");
}

Status CheckSingleColumns(const Schema& schema, const std::vector<std::string>& columns, const std::string& what) {
  std::set<std::string> seen;
  for (const std::string& column : columns) {
    const Field* field = schema.Find(column);
    if (field == nullptr) {
      std::string names;
      for (const Field& known : schema.fields) names += (names.empty() ? "" : ", ") + known.name;
      return Refuse("the " + what + " column '" + column + "' is not a column of the table; columns: " + names, "");
    }
    if (field->type.nested() || field->type.kind == TypeKind::kBlob) {
      return Refuse("the " + what + " column '" + column + "' is " + field->type.ToSql() + "; it must be a single value",
                    "");
    }
    if (!seen.insert(LowerName(column)).second) return Refuse("the " + what + " names '" + column + "' twice", "");
    if (column.find(',') != std::string::npos) {
      return Refuse("the " + what + " column '" + column + "' has a comma in its name", "rename the column");
    }
  }
  return {};
}

/// The table's own spelling of the names, as its files have them.
void KeepSpelling(const Schema& schema, std::vector<std::string>& columns) {
  for (std::string& column : columns) {
    if (const Field* field = schema.Find(column)) column = field->name;
  }
}

Status CheckColumnChange(const Field& from, const Field& to) {
  if (Widens(from.type, to.type)) return {};
  return Refuse("column '" + to.name + "' is " + from.type.ToSql() + " and cannot become " + to.type.ToSql() +
                    " while files of the old type live on",
                "integers, FLOAT and DECIMAL may widen; for any other change replace all rows, or use a new name");
}

/// Columns that files still hold although the table does not show them: their names are burnt, since readers by name
/// would show the old values under a new column.
Result<Schema> NextDropped(const Snapshot* before, Schema& next) {
  TRY_ASSIGN(Schema dropped, DroppedColumns(before));
  Schema remaining;
  for (const Field& field : dropped.fields) {
    const Field* back = next.Find(field.name);
    if (back == nullptr) {
      remaining.fields.push_back(field);
    } else if (!(back->type == field.type)) {
      return Refuse("column '" + field.name + "' was dropped as " + field.type.ToSql() +
                        " and files still hold its values; it cannot come back as " + back->type.ToSql(),
                    "use another name, or replace all rows");
    }
  }
  if (before != nullptr) {
    for (const Field& field : before->schema.fields) {
      if (next.Find(field.name) == nullptr) remaining.fields.push_back(field);
    }
  }
  return remaining;
}

Status Evolve(const Snapshot* before, bool all_replaced, Schema& next, Schema& dropped, std::int32_t& max_id) {
  Schema known;
  if (before != nullptr) {
    known = before->schema;
    for (Field& field : next.fields) {
      const Field* old = known.Find(field.name);
      if (old == nullptr) continue;
      if (!all_replaced) {
        TRY(CheckColumnChange(*old, field));
        field.name = old->name;
      }
    }
    if (all_replaced) {
      // A column of another type is another column: it gets a new id.
      std::erase_if(known.fields, [&](const Field& old) {
        const Field* now = next.Find(old.name);
        return now != nullptr && (now->name != old.name || !Widens(old.type, now->type));
      });
    } else {
      TRY_ASSIGN(Schema earlier, DroppedColumns(before));
      TRY_ASSIGN(dropped, NextDropped(before, next));
      for (const Field& field : earlier.fields) {
        if (known.Find(field.name) == nullptr) known.fields.push_back(field);  // comes back under its old id
      }
    }
  }
  AssignFieldIds(known, next, max_id);
  return {};
}

/// Ids of the partition columns: where they differ, files are laid out in another way.
std::vector<std::int32_t> PartitionIds(const Schema& schema, const std::vector<std::string>& columns) {
  std::vector<std::int32_t> ids;
  for (const std::string& column : columns) {
    if (const Field* field = schema.Find(column)) ids.push_back(field->id);
  }
  return ids;
}

}  // namespace

std::int64_t SchemaId(const std::map<std::string, std::string>& configuration) { return NumberOf(configuration, kSchemaId); }
std::int64_t SpecId(const std::map<std::string, std::string>& configuration) { return NumberOf(configuration, kSpecId); }

std::vector<std::string> KeyColumns(const std::map<std::string, std::string>& configuration) {
  std::vector<std::string> columns;
  auto it = configuration.find(std::string(kRecordKey));
  if (it == configuration.end() || it->second.empty()) return columns;
  std::string_view rest = it->second;
  for (;;) {
    auto comma = rest.find(',');
    columns.emplace_back(rest.substr(0, comma));
    if (comma == std::string_view::npos) return columns;
    rest.remove_prefix(comma + 1);
  }
}

Result<LogMetadata> NextMetadata(const Snapshot* before, const TableDefinition& definition, bool all_replaced,
                                 const std::string& id, Timestamp now) {
  if (definition.name.empty()) return Refuse("a table has a name", "");
  TRY(CheckNames(definition.schema));
  TRY(CheckSingleColumns(definition.schema, definition.partition_columns, "partition"));
  TRY(CheckSingleColumns(definition.schema, definition.key, "key"));
  LogMetadata next;
  next.id = before != nullptr ? before->table_id : id;
  next.name = definition.name;
  next.schema = definition.schema;
  next.partition_columns = definition.partition_columns;
  next.created_ms = MillisecondsOf(before != nullptr ? before->created : now);
  if (next.partition_columns.size() == next.schema.fields.size()) {
    return Refuse("every column is a partition column: the files would have nothing to hold", "leave one out");
  }
  if (before != nullptr && !all_replaced && before->partition_columns != next.partition_columns) {
    std::vector<std::string> wanted = next.partition_columns;
    KeepSpelling(before->schema, wanted);
    if (wanted != before->partition_columns) {
      return Refuse("the partition columns cannot change while files of the old layout live on", "replace all rows");
    }
  }
  Schema dropped;
  auto max_id = static_cast<std::int32_t>(before != nullptr ? NumberOf(before->configuration, kMaxFieldId) : 0);
  TRY(Evolve(before, all_replaced, next.schema, dropped, max_id));
  KeepSpelling(next.schema, next.partition_columns);
  std::vector<std::string> key = definition.key;
  KeepSpelling(next.schema, key);

  if (before != nullptr) {
    for (const auto& [name, value] : before->configuration) {
      if (!name.starts_with(kPrefix)) next.configuration[name] = value;
    }
  }
  for (const auto& [name, value] : definition.properties) {
    std::string full = std::string(kPrefix) + name;
    if (std::find(kOwn.begin(), kOwn.end(), full) != kOwn.end()) {
      return Refuse("the table property '" + name + "' is kept by the table itself", "use another name");
    }
    next.configuration[full] = value;
  }
  for (const auto& [name, value] : kGuards) next.configuration[std::string(name)] = value;
  std::string key_text;
  for (const std::string& column : key) key_text += (key_text.empty() ? "" : ",") + column;
  if (!key_text.empty()) next.configuration[std::string(kRecordKey)] = key_text;
  if (!dropped.fields.empty()) next.configuration[std::string(kDropped)] = DumpJson(SchemaToJson(dropped));
  next.configuration[std::string(kMaxFieldId)] = std::to_string(max_id);
  bool same_schema = before != nullptr && SchemaToJson(before->schema) == SchemaToJson(next.schema);
  auto schema_id = before != nullptr ? SchemaId(before->configuration) + (same_schema ? 0 : 1) : 0;
  next.configuration[std::string(kSchemaId)] = std::to_string(schema_id);
  bool same_spec = before == nullptr || PartitionIds(before->schema, before->partition_columns) ==
                                            PartitionIds(next.schema, next.partition_columns);
  auto spec_id = before != nullptr ? SpecId(before->configuration) + (same_spec ? 0 : 1) : 0;
  if (spec_id > 0) next.configuration[std::string(kSpecId)] = std::to_string(spec_id);
  return next;
}

Result<Schema> NextColumns(const Snapshot* before, const Schema& columns, bool all_replaced) {
  Schema next = columns;
  Schema dropped;
  auto max_id = static_cast<std::int32_t>(before != nullptr ? NumberOf(before->configuration, kMaxFieldId) : 0);
  TRY(Evolve(before, all_replaced, next, dropped, max_id));
  return next;
}

LogMetadata RestoredMetadata(const Snapshot& now, const Snapshot& then) {
  LogMetadata next;
  next.id = now.table_id;
  next.name = now.name;
  next.schema = then.schema;
  next.partition_columns = then.partition_columns;
  next.configuration = then.configuration;
  next.created_ms = MillisecondsOf(now.created);
  auto count = [&](std::string_view key, std::int64_t number) {
    if (number > 0 || key != kSpecId) next.configuration[std::string(key)] = std::to_string(number);
  };
  bool same_schema = SchemaToJson(now.schema) == SchemaToJson(then.schema);
  bool same_spec = PartitionIds(now.schema, now.partition_columns) == PartitionIds(then.schema, then.partition_columns);
  count(kMaxFieldId, std::max(NumberOf(now.configuration, kMaxFieldId), NumberOf(then.configuration, kMaxFieldId)));
  count(kSchemaId, SchemaId(now.configuration) + (same_schema ? 0 : 1));
  count(kSpecId, SpecId(now.configuration) + (same_spec ? 0 : 1));
  return next;
}

bool SameMetadata(const Snapshot& before, const LogMetadata& next) {
  return before.name == next.name && before.partition_columns == next.partition_columns &&
         before.configuration == next.configuration && SchemaToJson(before.schema) == SchemaToJson(next.schema);
}

}  // namespace caudal
