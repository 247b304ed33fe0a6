#include "connect/chunk.h"

#include <type_traits>

#include "base/json.h"

namespace caudal {
namespace {

// Reading uses at() and get<>(), which throw on any surprise; this turns that into an Error once.
template <typename F>
auto Guarded(const char* what, F read) -> Result<std::invoke_result_t<F>> {
  try {
    return read();
  } catch (const Json::exception& e) {
    return Error{ErrorKind::kCorruption, std::string("malformed ") + what + ": " + e.what(), "", ""};
  }
}

Json FromValues(const std::vector<PartitionValue>& values) {
  Json list = Json::array();
  for (const PartitionValue& one : values) list.push_back(Json::array({one.column, one.value ? Json(*one.value) : Json()}));
  return list;
}

std::vector<PartitionValue> ReadValues(const Json& json) {
  std::vector<PartitionValue> values;
  for (const Json& item : json.value("partition_values", Json::array())) {
    PartitionValue& value = values.emplace_back(PartitionValue{item.at(0).get<std::string>(), std::nullopt});
    if (!item.at(1).is_null()) value.value = item.at(1).get<std::string>();
  }
  return values;
}

ChunkFormat ReadFormat(const Json& json) {
  ChunkFormat format;
  format.kind = json.at("kind").get<std::string>();
  format.body = JsonString(json, "body", "");
  format.compression = JsonString(json, "compression", "none");
  format.delimiter = JsonString(json, "delimiter", ",");
  format.quote = JsonString(json, "quote", "\"");
  format.escape = JsonString(json, "escape", "\"");
  format.encoding = JsonString(json, "encoding", "utf-8");
  format.header = JsonBool(json, "header", true);
  if (json.contains("columns")) format.columns = json.at("columns").get<std::vector<std::string>>();
  format.trailer = JsonString(json, "trailer", "");
  if (json.contains("selector")) format.selector = json.at("selector").get<std::vector<std::string>>();
  format.partition_values = ReadValues(json);
  format.numbered = JsonBool(json, "numbered", false);
  return format;
}

Json FromChunk(const StagedChunk& chunk) {
  return Json{{"raw_path", chunk.raw_path},         {"extension", chunk.extension}, {"origin", chunk.origin},
              {"sha256", chunk.sha256},             {"size_bytes", chunk.size_bytes}, {"stored_bytes", chunk.stored_bytes},
              {"rows", chunk.rows},                 {"format", ChunkFormatToJson(chunk.format)}};
}

StagedChunk ReadChunk(const Json& json) {
  StagedChunk chunk;
  chunk.raw_path = json.at("raw_path").get<std::string>();
  chunk.extension = json.at("extension").get<std::string>();
  chunk.origin = json.at("origin").get<std::string>();
  chunk.sha256 = json.at("sha256").get<std::string>();
  chunk.size_bytes = json.at("size_bytes").get<std::int64_t>();
  chunk.stored_bytes = json.at("stored_bytes").get<std::int64_t>();
  chunk.rows = json.at("rows").get<std::int64_t>();
  chunk.format = ReadFormat(json.at("format"));
  return chunk;
}

Json FromBatch(const StagedBatch& batch) {
  Json facts = Json::array();
  for (const ColumnFacts& column : batch.facts) {
    facts.push_back(Json::array({column.classes, column.any, column.integer_digits, column.fraction_digits}));
  }
  return Json{{"kind", batch.kind},
              {"path", batch.path},
              {"columns", batch.columns},
              {"delimiter", batch.delimiter},
              {"quote", batch.quote},
              {"escape", batch.escape},
              {"rows", batch.rows},
              {"first_chunk", batch.first_chunk},
              {"facts", std::move(facts)},
              {"longest_record_bytes", batch.longest_record_bytes},
              {"partition_values", FromValues(batch.partition_values)},
              {"numbered", batch.numbered},
              {"multiline", batch.multiline}};
}

StagedBatch ReadBatch(const Json& json) {
  StagedBatch batch;
  batch.kind = json.at("kind").get<std::string>();
  batch.path = json.at("path").get<std::string>();
  batch.columns = json.at("columns").get<std::vector<std::string>>();
  batch.delimiter = json.at("delimiter").get<std::string>();
  batch.quote = json.at("quote").get<std::string>();
  batch.escape = json.at("escape").get<std::string>();
  batch.rows = json.at("rows").get<std::int64_t>();
  batch.first_chunk = json.at("first_chunk").get<std::int64_t>();
  for (const Json& item : json.at("facts")) {
    batch.facts.push_back(ColumnFacts{item.at(0).get<std::uint32_t>(), item.at(1).get<bool>(),
                                      item.at(2).get<std::int32_t>(), item.at(3).get<std::int32_t>()});
  }
  batch.longest_record_bytes = json.at("longest_record_bytes").get<std::int64_t>();
  batch.partition_values = ReadValues(json);
  batch.numbered = JsonBool(json, "numbered", false);
  batch.multiline = json.at("multiline").get<bool>();
  return batch;
}

}  // namespace

Json ChunkFormatToJson(const ChunkFormat& format) {
  Json json{{"kind", format.kind}, {"compression", format.compression}};
  const std::string& records = format.kind == "pages" ? format.body : format.kind;
  if (format.kind == "pages") json["body"] = format.body;
  if (records == "csv") {
    json["delimiter"] = format.delimiter;
    json["quote"] = format.quote;
    json["escape"] = format.escape;
    json["encoding"] = format.encoding;
  }
  if (records == "csv" || records == "xlsx") {
    json["header"] = format.header;
    json["columns"] = format.columns;
  }
  if (!format.trailer.empty()) json["trailer"] = format.trailer;
  if (records == "json" || records == "singer" || records == "xlsx") json["selector"] = format.selector;
  if (!format.partition_values.empty()) json["partition_values"] = FromValues(format.partition_values);
  if (format.numbered) json["numbered"] = true;
  return json;
}

Result<ChunkFormat> ChunkFormatFromJson(const Json& json) {
  return Guarded("format of a raw object", [&] { return ReadFormat(json); });
}

Json StagedReadToJson(const StagedRead& read) {
  Json chunks = Json::array();
  for (const StagedChunk& chunk : read.chunks) chunks.push_back(FromChunk(chunk));
  Json batches = Json::array();
  for (const StagedBatch& batch : read.batches) batches.push_back(FromBatch(batch));
  return Json{{"chunks", std::move(chunks)},
              {"batches", std::move(batches)},
              {"rejects_path", read.rejects_path},
              {"rejected", read.rejected},
              {"cursor", read.cursor},
              {"unchanged", read.unchanged},
              {"relation_file", read.relation_file},
              {"relation_columns", read.relation_columns},
              {"keys_file", read.keys_file},
              {"keys", read.keys},
              {"replaces", read.replaces},
              {"notes", read.notes}};
}

Result<StagedRead> StagedReadFromJson(const Json& json) {
  return Guarded("answer of an extract job", [&] {
    StagedRead read;
    for (const Json& item : json.at("chunks")) read.chunks.push_back(ReadChunk(item));
    for (const Json& item : json.at("batches")) read.batches.push_back(ReadBatch(item));
    read.rejects_path = json.at("rejects_path").get<std::string>();
    read.rejected = json.at("rejected").get<std::int64_t>();
    read.cursor = json.at("cursor").get<std::string>();
    read.unchanged = json.at("unchanged").get<bool>();
    read.relation_file = json.at("relation_file").get<std::string>();
    read.relation_columns = json.at("relation_columns").get<std::string>();
    read.keys_file = json.at("keys_file").get<std::string>();
    read.keys = json.at("keys").get<std::int64_t>();
    read.replaces = json.at("replaces").get<std::map<std::string, std::int64_t>>();
    read.notes = json.at("notes").get<std::vector<std::string>>();
    return read;
  });
}

}  // namespace caudal
