#include <fmt/format.h>

#include <utility>

#include "base/json.h"
#include "lake/checkpoint.h"
#include "lake/delta_schema.h"
#include "lake/log_entry.h"
#include "lake/log_names.h"
#include "lake/partition_path.h"

namespace caudal {
namespace {

Json PartitionJson(const std::map<std::string, Cell>& partition) {
  Json json = Json::object();
  for (const auto& [column, value] : partition) json[column] = value ? Json(*value) : Json(nullptr);
  return json;
}

Json TagsJson(const std::string& file_id, const std::string& instant, std::int64_t added_version) {
  return Json{{"hudi.fileId", file_id}, {"hudi.instant", instant}, {"caudal.version", std::to_string(added_version)}};
}

Json CommitInfoJson(const LogEntry& entry) {
  Json info{{"timestamp", MillisecondsOf(entry.time)},
            {"operation", entry.operation},
            {"operationParameters", Json::object()},
            {"isBlindAppend", entry.blind && entry.removes.empty()},
            {"engineInfo", "caudal/" CAUDAL_VERSION},
            {"txnId", entry.transaction},
            {"hudiInstant", entry.instant},
            {"hudiOperation", entry.hudi_operation},
            {"caudal.change", ChangeKindName(entry.kind)}};
  if (!entry.task.empty()) info["caudal.task"] = entry.task;
  if (entry.source_version >= 0) info["caudal.source"] = entry.source_version;
  if (!entry.note.empty()) info["caudal.note"] = Json::parse(entry.note, nullptr, false);
  for (const RawObject& raw : entry.raw) {
    info["caudal.raw"].push_back(Json{{"key", raw.key},
                                      {"sha256", raw.sha256},
                                      {"size", raw.size_bytes},
                                      {"rows", raw.rows},
                                      {"origin", raw.origin},
                                      {"format", raw.format}});
  }
  if (entry.counts) {
    info["caudal.counts"] = Json{{"read", entry.counts->read},
                                 {"written", entry.counts->written},
                                 {"rejected", entry.counts->rejected},
                                 {"deduplicated", entry.counts->deduplicated}};
    if (entry.counts->discarded_values > 0) info["caudal.counts"]["discarded_values"] = entry.counts->discarded_values;
  }
  if (entry.rejects) {
    Json files = Json::array();
    for (const LiveFile& file : entry.rejects->files) {
      files.push_back(Json{{"path", file.path}, {"fileId", file.file_id}, {"size", file.size_bytes}, {"rows", file.rows}});
      if (!file.sha256.empty()) files.back()["sha256"] = file.sha256;
    }
    info["caudal.rejects"] = Json{{"version", entry.rejects->version},
                                  {"previous", entry.rejects->previous_source},
                                  {"files", std::move(files)}};
    for (const LogRemove& gone : entry.rejects->removes) {
      info["caudal.rejects"]["removes"].push_back(Json{{"path", gone.path}, {"fileId", gone.file_id}, {"size", gone.size_bytes}, {"rows", gone.rows},
                                                       {"instant", gone.instant}, {"version", gone.added_version}});
    }
  }
  return Json{{"commitInfo", std::move(info)}};
}

Json ProtocolJson() {
  Json features = Json::array();
  for (auto feature : kWriterFeatures) features.push_back(std::string(feature));
  return Json{{"protocol", {{"minReaderVersion", 1}, {"minWriterVersion", 7}, {"writerFeatures", std::move(features)}}}};
}

Json MetadataJson(const LogMetadata& metadata) {
  return Json{{"metaData",
               {{"id", metadata.id},
                {"name", metadata.name},
                {"format", {{"provider", "parquet"}, {"options", Json::object()}}},
                {"schemaString", DeltaSchemaText(metadata.schema)},
                {"partitionColumns", metadata.partition_columns},
                {"configuration", metadata.configuration},
                {"createdTime", metadata.created_ms}}}};
}

Json RemoveJson(const LogEntry& entry, const LogRemove& remove) {
  return Json{{"remove",
               {{"path", EncodeUriPath(remove.path)},
                {"deletionTimestamp", MillisecondsOf(entry.time)},
                {"dataChange", entry.kind != ChangeKind::kNone},
                {"extendedFileMetadata", true},
                {"partitionValues", PartitionJson(remove.partition)},
                {"size", remove.size_bytes},
                {"stats", fmt::format("{{\"numRecords\":{}}}", remove.rows)},
                {"tags", TagsJson(remove.file_id, remove.instant, remove.added_version)}}}};
}

Json AddJson(const LiveFile& add, Timestamp added, bool changes_data) {
  Json tags = TagsJson(add.file_id, add.instant, add.added_version);
  if (!add.sha256.empty()) tags["caudal.sha256"] = add.sha256;
  return Json{{"add",
               {{"path", EncodeUriPath(add.path)},
                {"partitionValues", PartitionJson(add.partition)},
                {"size", add.size_bytes},
                {"modificationTime", MillisecondsOf(added)},
                {"dataChange", changes_data},
                {"stats", add.stats ? *add.stats : std::string("{}")},
                {"tags", std::move(tags)}}}};
}

Json DomainJson(const std::string& domain, const std::optional<std::string>& configuration) {
  return Json{{"domainMetadata",
               {{"domain", std::string(kDomainPrefix) + domain},
                {"configuration", configuration.value_or("")},
                {"removed", !configuration.has_value()}}}};
}

}  // namespace

std::string LogText(const LogEntry& entry) {
  std::string text;
  auto line = [&](const Json& action) { text += DumpJson(action) + "\n"; };
  line(CommitInfoJson(entry));
  if (entry.creates) line(ProtocolJson());
  if (entry.metadata) line(MetadataJson(*entry.metadata));
  for (const auto& [domain, configuration] : entry.domains) line(DomainJson(domain, configuration));
  for (const LogRemove& remove : entry.removes) line(RemoveJson(entry, remove));
  for (const LiveFile& add : entry.adds) line(AddJson(add, entry.time, entry.kind != ChangeKind::kNone));
  return text;
}

std::string CheckpointText(const Snapshot& snapshot) {
  std::string text;
  auto line = [&](const Json& action) { text += DumpJson(action) + "\n"; };
  line(ProtocolJson());
  line(MetadataJson(LogMetadata{snapshot.table_id, snapshot.name, snapshot.schema, snapshot.partition_columns, snapshot.configuration,
                                MillisecondsOf(snapshot.created)}));
  for (const auto& [domain, configuration] : snapshot.domains) line(DomainJson(domain, configuration));
  for (const LiveFile& file : snapshot.files) line(AddJson(file, snapshot.time, false));
  return text;
}

std::string LogFileName(std::int64_t version) { return fmt::format("{:020}.json", version); }

}  // namespace caudal
