#include "lake/faces/hudi.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/json.h"
#include "lake/faces/iceberg_value.h"

namespace caudal {
namespace {

/// A name as Avro allows them.
std::string AvroName(const std::string& name) {
  std::string safe;
  for (char c : name) {
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    safe += letter || (c >= '0' && c <= '9' && !safe.empty()) ? c : '_';
  }
  return safe;
}

/// The polynomial of zlib and Java's CRC32.
std::uint32_t Crc32(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320U : 0);
  }
  return ~crc;
}

/// "silver.orders" -> ("silver", "orders").
std::pair<std::string, std::string> DatabaseAndTable(const std::string& name) {
  auto dot = name.find('.');
  if (dot == std::string::npos) return {"default", name};
  return {name.substr(0, dot), name.substr(dot + 1)};
}

Json FieldsOf(const std::vector<Field>& fields, const std::string& space);

Json Nullable(const Type& type, const std::string& space, const std::string& name);

Json TypeOf(const Type& type, const std::string& space, const std::string& name) {
  switch (type.kind) {
    case TypeKind::kBoolean: return "boolean";
    case TypeKind::kTinyint:
    case TypeKind::kSmallint:
    case TypeKind::kInteger: return "int";
    case TypeKind::kBigint: return "long";
    case TypeKind::kFloat: return "float";
    case TypeKind::kDouble: return "double";
    case TypeKind::kVarchar: return "string";
    case TypeKind::kBlob: return "bytes";
    case TypeKind::kDate: return Json{{"type", "int"}, {"logicalType", "date"}};
    case TypeKind::kTimestamptz: return Json{{"type", "long"}, {"logicalType", "timestamp-micros"}};
    case TypeKind::kDecimal:
      return Json{{"type", "fixed"},
                  {"name", "fixed"},
                  {"namespace", space + "." + AvroName(name)},
                  {"size", DecimalBytes(type.precision)},
                  {"logicalType", "decimal"},
                  {"precision", type.precision},
                  {"scale", type.scale}};
    case TypeKind::kList:
      return Json{{"type", "array"}, {"items", Nullable(type.children.at(0).type, space, name)}};
    case TypeKind::kMap:
      return Json{{"type", "map"}, {"values", Nullable(type.children.at(1).type, space, name)}};
    case TypeKind::kStruct:
      return Json{{"type", "record"},
                  {"name", AvroName(name)},
                  {"namespace", space},
                  {"fields", FieldsOf(type.children, space + "." + AvroName(name))}};
  }
  CHECK(false, "a type without a name in Avro");
}

Json Nullable(const Type& type, const std::string& space, const std::string& name) {
  return Json::array({"null", TypeOf(type, space, name)});
}

Json FieldsOf(const std::vector<Field>& fields, const std::string& space) {
  Json list = Json::array();
  for (const Field& field : fields) {
    list.push_back(Json{{"name", field.name}, {"type", Nullable(field.type, space, field.name)}, {"default", nullptr}});
  }
  return list;
}

std::string SchemaText(const Snapshot& snapshot) {
  std::string table = AvroName(DatabaseAndTable(snapshot.name).second);
  std::string record = table + "_record", space = "hoodie." + table;
  return DumpJson(Json{{"type", "record"},
                       {"name", record},
                       {"namespace", space},
                       {"fields", FieldsOf(snapshot.schema.fields, space + "." + record)}});
}

bool HasAvroNames(const std::vector<Field>& fields) {
  return std::all_of(fields.begin(), fields.end(), [](const Field& field) {
    return !field.name.empty() && AvroName(field.name) == field.name && HasAvroNames(field.type.children);
  });
}

std::string FolderOf(const std::string& path) {
  auto slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

Json WriteStat(const LiveFile& add, const std::string& previous) {
  bool rewritten = previous != "null";
  Json stat{{"fileId", add.file_id},
            {"path", add.path},
            {"cdcStats", nullptr},
            {"prevCommit", previous},
            {"numWrites", add.rows},
            {"numUpdateWrites", rewritten ? add.rows : 0},
            {"numInserts", rewritten ? 0 : add.rows},
            {"totalWriteBytes", add.size_bytes},
            {"fileSizeInBytes", add.size_bytes},
            {"partitionPath", FolderOf(add.path)},
            {"tempPath", nullptr},
            {"minEventTime", nullptr},
            {"maxEventTime", nullptr},
            {"runtimeStats", {{"totalScanTime", 0}, {"totalUpsertTime", 0}, {"totalCreateTime", 0}}}};
  for (const char* zero : {"numDeletes", "totalWriteErrors", "totalLogRecords", "totalLogFilesCompacted", "totalLogSizeCompacted",
                           "totalUpdatedRecordsCompacted", "totalLogBlocks", "totalCorruptLogBlock", "totalRollbackBlocks"}) {
    stat[zero] = 0;
  }
  return stat;
}

const char* KeyGenerator(const Snapshot& snapshot) {
  if (snapshot.partition_columns.empty()) return "NonpartitionedKeyGenerator";
  return snapshot.partition_columns.size() == 1 && snapshot.key.size() <= 1 ? "SimpleKeyGenerator" : "ComplexKeyGenerator";
}

std::string Joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ",") + name;
  return text;
}

}  // namespace

FaceObject HudiProperties(const Snapshot& snapshot) {
  auto [database, table] = DatabaseAndTable(snapshot.name);
  std::string full = database + "." + table;
  auto seconds = fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(snapshot.created)));
  std::string text = fmt::format("#Properties saved on {}\n#{:%a %b %d %H:%M:%S} UTC {:%Y}\n", FormatTimestampMs(snapshot.created),
                                 seconds, seconds);
  auto line = [&](std::string_view key, std::string_view value) { text += fmt::format("{}={}\n", key, value); };
  line("hoodie.table.name", table);
  line("hoodie.database.name", database);
  line("hoodie.table.type", "COPY_ON_WRITE");
  line("hoodie.table.version", "6");
  line("hoodie.timeline.layout.version", "1");
  line("hoodie.table.base.file.format", "PARQUET");
  if (!snapshot.key.empty()) line("hoodie.table.recordkey.fields", Joined(snapshot.key));
  if (!snapshot.partition_columns.empty()) line("hoodie.table.partition.fields", Joined(snapshot.partition_columns));
  line("hoodie.table.keygenerator.class", fmt::format("org.apache.hudi.keygen.{}", KeyGenerator(snapshot)));
  line("hoodie.datasource.write.hive_style_partitioning", "true");
  line("hoodie.datasource.write.partitionpath.urlencode", "true");
  line("hoodie.datasource.write.drop.partition.columns", "false");
  line("hoodie.populate.meta.fields", "false");
  line("hoodie.archivelog.folder", "archived");
  line("hoodie.table.timeline.timezone", "UTC");
  line("hoodie.table.checksum", std::to_string(Crc32(full)));
  return FaceObject{kHudiPropertiesKey, std::move(text)};
}

FaceObject HudiCommit(const Snapshot& snapshot, const LogEntry& entry) {
  std::map<std::string, std::string> removed;  // file group -> instant of the slice that this version replaces
  for (const LogRemove& remove : entry.removes) removed[remove.file_id] = remove.instant;
  Json stats = Json::object();
  std::set<std::string> carried_on;
  for (const LiveFile& add : entry.adds) {
    auto previous = removed.find(add.file_id);
    if (previous != removed.end()) carried_on.insert(add.file_id);
    stats[FolderOf(add.path)].push_back(WriteStat(add, previous == removed.end() ? "null" : previous->second));
  }
  Json replaced = Json::object();
  for (const LogRemove& remove : entry.removes) {
    if (!carried_on.contains(remove.file_id)) replaced[FolderOf(remove.path)].push_back(remove.file_id);
  }
  Json commit{{"partitionToWriteStats", std::move(stats)},
              {"compacted", false},
              {"extraMetadata", Json::object()},
              {"operationType", entry.hudi_operation}};
  // Readers refuse a schema with names that Avro has not; without one they take the columns from a data file.
  if (HasAvroNames(snapshot.schema.fields)) commit["extraMetadata"]["schema"] = SchemaText(snapshot);
  if (!replaced.empty()) commit["partitionToReplaceFileIds"] = std::move(replaced);
  return FaceObject{HudiCommitKey(entry), DumpJson(commit)};
}

std::string HudiCommitKey(const LogEntry& entry) {
  std::set<std::string> added;
  for (const LiveFile& add : entry.adds) added.insert(add.file_id);
  bool replaces = std::any_of(entry.removes.begin(), entry.removes.end(),
                              [&](const LogRemove& remove) { return !added.contains(remove.file_id); });
  return fmt::format(".hoodie/{}.{}", entry.instant, replaces ? "replacecommit" : "commit");
}

}  // namespace caudal
