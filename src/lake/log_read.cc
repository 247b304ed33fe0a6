#include <algorithm>
#include <memory>
#include <utility>

#include "base/json.h"
#include "base/percent.h"
#include "lake/delta_schema.h"
#include "lake/log_entry.h"
#include "lake/log_names.h"
#include "lake/partition_path.h"

namespace caudal {
namespace {

std::map<std::string, Cell> PartitionFromJson(const Json& action) {
  std::map<std::string, Cell> partition;
  auto it = action.find("partitionValues");
  if (it == action.end() || !it->is_object()) return partition;
  for (const auto& [column, value] : it->items()) {
    Cell& cell = partition[column];
    if (value.is_string() && !value.get_ref<const std::string&>().empty()) cell = value.get<std::string>();
  }
  return partition;
}

std::map<std::string, std::string> TextMap(const Json& action, std::string_view key) {
  std::map<std::string, std::string> map;
  auto it = action.find(key);
  if (it == action.end() || !it->is_object()) return map;
  for (const auto& [name, value] : it->items()) {
    if (value.is_string()) map[name] = value.get<std::string>();
  }
  return map;
}

std::int64_t ToNumber(const std::string& text) {
  std::int64_t number = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return 0;
    number = number * 10 + (c - '0');
  }
  return number;
}

/// numRecords of a stats text; ours begin with it.
std::int64_t RowsOf(const std::string& stats) {
  constexpr std::string_view kStart = "{\"numRecords\":";
  if (stats.starts_with(kStart)) {
    auto end = stats.find_first_of(",}", kStart.size());
    return ToNumber(stats.substr(kStart.size(), end - kStart.size()));
  }
  Json json = Json::parse(stats, nullptr, false);
  return JsonInt(json, "numRecords", 0);
}

Timestamp TimeOf(const Json& json, std::string_view key) { return FromMilliseconds(JsonInt(json, key, 0)); }

ChangeKind KindFromText(std::string_view text) {
  for (ChangeKind kind : {ChangeKind::kAppend, ChangeKind::kUpsert, ChangeKind::kDelete, ChangeKind::kOverwrite}) {
    if (ChangeKindName(kind) == text) return kind;
  }
  return ChangeKind::kNone;
}

LiveFile RejectFile(const Json& json, const LogEntry& entry) {
  LiveFile file;
  file.path = JsonString(json, "path", "");
  file.file_id = JsonString(json, "fileId", "");
  file.size_bytes = JsonInt(json, "size", 0);
  file.rows = JsonInt(json, "rows", 0);
  file.sha256 = JsonString(json, "sha256", "");
  file.instant = entry.instant;
  return file;
}

void ReadCommitInfo(const Json& info, LogEntry& entry) {
  entry.time = TimeOf(info, "timestamp");
  entry.instant = JsonString(info, "hudiInstant", "");
  entry.operation = JsonString(info, "operation", "");
  entry.hudi_operation = JsonString(info, "hudiOperation", "");
  entry.transaction = JsonString(info, "txnId", "");
  entry.blind = JsonBool(info, "isBlindAppend", false);
  entry.kind = KindFromText(JsonString(info, "caudal.change", ""));
  entry.task = JsonString(info, "caudal.task", "");
  entry.source_version = JsonInt(info, "caudal.source", -1);
  if (auto note = info.find("caudal.note"); note != info.end()) entry.note = DumpJson(*note);
  if (auto raw = info.find("caudal.raw"); raw != info.end() && raw->is_array()) {
    for (const Json& item : *raw) {
      entry.raw.push_back(RawObject{JsonString(item, "key", ""), JsonString(item, "sha256", ""),
                                    JsonInt(item, "size", 0), JsonInt(item, "rows", 0),
                                    JsonString(item, "origin", ""), JsonString(item, "format", "")});
    }
  }
  if (auto counts = info.find("caudal.counts"); counts != info.end()) {
    entry.counts = RowCounts{JsonInt(*counts, "read", 0), JsonInt(*counts, "written", 0),
                             JsonInt(*counts, "rejected", 0), JsonInt(*counts, "deduplicated", 0),
                             JsonInt(*counts, "discarded_values", 0)};
  }
  if (auto rejects = info.find("caudal.rejects"); rejects != info.end() && rejects->is_object()) {
    entry.rejects = LogRejects{JsonInt(*rejects, "version", 0), JsonInt(*rejects, "previous", -1), {}};
    for (const Json& file : rejects->value("files", Json::array())) {
      entry.rejects->files.push_back(RejectFile(file, entry));
    }
    for (const Json& gone : rejects->value("removes", Json::array())) {
      entry.rejects->removes.push_back(LogRemove{JsonString(gone, "path", ""), {}, JsonInt(gone, "size", 0), JsonInt(gone, "rows", 0),
                                                 JsonString(gone, "fileId", ""), JsonString(gone, "instant", ""), JsonInt(gone, "version", 0)});
    }
  }
}

Status ReadProtocol(const Json& protocol, LogEntry& entry) {
  entry.creates = true;
  const std::string next = "open it with the version of Caudal that wrote it";
  auto reader = JsonInt(protocol, "minReaderVersion", 1);
  if (reader > 1) {
    return Error{ErrorKind::kUnsupported,
                 "the table asks for Delta reader version " + std::to_string(reader) + "; known is 1", next, ""};
  }
  for (const Json& feature : protocol.value("writerFeatures", Json::array())) {
    const std::string name = feature.is_string() ? feature.get<std::string>() : DumpJson(feature);
    if (std::find(kWriterFeatures.begin(), kWriterFeatures.end(), name) != kWriterFeatures.end()) continue;
    return Error{ErrorKind::kUnsupported, "the table has a feature that this version does not know: " + name, next, ""};
  }
  return {};
}

Status ReadMetadata(const Json& json, LogEntry& entry) {
  LogMetadata metadata;
  metadata.id = JsonString(json, "id", "");
  metadata.name = JsonString(json, "name", "");
  TRY_ASSIGN(metadata.schema, ReadDeltaSchema(JsonString(json, "schemaString", "")));
  if (auto columns = json.find("partitionColumns"); columns != json.end() && columns->is_array()) {
    for (const Json& column : *columns) {
      if (column.is_string()) metadata.partition_columns.push_back(column.get<std::string>());
    }
  }
  metadata.configuration = TextMap(json, "configuration");
  metadata.created_ms = JsonInt(json, "createdTime", 0);
  entry.metadata = std::move(metadata);
  return {};
}

void ReadDomain(const Json& json, LogEntry& entry) {
  std::string domain = JsonString(json, "domain", "");
  if (!domain.starts_with(kDomainPrefix)) return;
  auto& value = entry.domains[domain.substr(kDomainPrefix.size())];
  if (!JsonBool(json, "removed", false)) value = JsonString(json, "configuration", "");
}

void ReadRemove(const Json& json, LogEntry& entry) {
  LogRemove remove;
  remove.path = PercentDecoded(JsonString(json, "path", ""));
  remove.partition = PartitionFromJson(json);
  remove.size_bytes = JsonInt(json, "size", 0);
  remove.rows = RowsOf(JsonString(json, "stats", ""));
  auto tags = TextMap(json, "tags");
  remove.file_id = std::move(tags["hudi.fileId"]);
  remove.instant = std::move(tags["hudi.instant"]);
  remove.added_version = ToNumber(tags["caudal.version"]);
  entry.removes.push_back(std::move(remove));
}

void ReadAdd(Json& json, LogEntry& entry) {
  LiveFile add;
  add.path = PercentDecoded(JsonString(json, "path", ""));
  add.partition = PartitionFromJson(json);
  add.size_bytes = JsonInt(json, "size", 0);
  if (auto stats = json.find("stats"); stats != json.end() && stats->is_string()) {
    add.stats = std::make_shared<const std::string>(std::move(stats->get_ref<std::string&>()));
    add.rows = RowsOf(*add.stats);
  }
  auto tags = TextMap(json, "tags");
  add.file_id = std::move(tags["hudi.fileId"]);
  add.instant = std::move(tags["hudi.instant"]);
  add.sha256 = std::move(tags["caudal.sha256"]);
  add.added_version = tags.contains("caudal.version") ? ToNumber(tags["caudal.version"]) : entry.version;
  entry.adds.push_back(std::move(add));
}

Status ReadAction(Json& action, LogEntry& entry) {
  for (auto& [name, body] : action.items()) {
    if (!body.is_object()) continue;
    if (name == "add") {
      ReadAdd(body, entry);
    } else if (name == "remove") {
      ReadRemove(body, entry);
    } else if (name == "commitInfo") {
      ReadCommitInfo(body, entry);
    } else if (name == "domainMetadata") {
      ReadDomain(body, entry);
    } else if (name == "metaData") {
      TRY(ReadMetadata(body, entry));
    } else if (name == "protocol") {
      TRY(ReadProtocol(body, entry));
    }  // other actions are those of newer writers; Delta's rule is to ignore them
  }
  return {};
}

}  // namespace

Result<LogEntry> ReadLogText(std::int64_t version, std::string_view text) {
  LogEntry entry;
  entry.version = version;
  auto broken = [&](const std::string& why) {
    return Error{ErrorKind::kCorruption, "the log entry " + LogFileName(version) + " is broken: " + why,
                 "restore that object from a backup", ""};
  };
  if (text.empty()) return broken("it is empty");
  while (!text.empty()) {
    auto end = text.find('\n');
    auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.find_first_not_of(" \r\t") == std::string_view::npos) continue;
    Json action = Json::parse(line.begin(), line.end(), nullptr, false);
    if (!action.is_object()) return broken("a line is not a JSON object: " + std::string(line.substr(0, 80)));
    auto status = ReadAction(action, entry);
    if (!status) {
      Error error = std::move(status).error();
      error.message = "log entry " + LogFileName(version) + ": " + error.message;
      return error;
    }
  }
  if (version == 0 && (!entry.creates || !entry.metadata)) return broken("version 0 has no protocol and metaData");
  return entry;
}

}  // namespace caudal
