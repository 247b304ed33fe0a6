#include "serve/source_document.h"

#include "base/json.h"
#include "serve/situation.h"

namespace caudal {
namespace {

const char* DispositionName(WriteDisposition disposition) {
  return disposition == WriteDisposition::kReplace ? "replace" : disposition == WriteDisposition::kMerge ? "merge" : "append";
}

Json SecondsOrNull(const std::optional<std::chrono::milliseconds>& duration) {
  return duration ? Json(std::chrono::duration_cast<std::chrono::seconds>(*duration).count()) : Json(nullptr);
}

}  // namespace

Json StreamDocument(const StreamConfig& stream, const StreamStatus& status, const std::optional<TableFacts>& facts) {
  Json document{{"stream", status.stream},
                {"table", status.table},
                {"write_disposition", DispositionName(stream.write_disposition)},
                {"state", SourceStateName(status.state)},
                {"last", NodeTaskDocument(status.last_task)},
                {"last_load", nullptr},
                {"lag_seconds", SecondsOrNull(status.lag)},
                {"freshness_seconds", SecondsOrNull(status.freshness)},
                {"drift", DriftToJson(status.drift)},
                {"cursor", status.cursor.empty() ? Json(nullptr) : Json(status.cursor)},
                {"next", status.next},
                {"published", facts.has_value()}};
  if (!stream.pattern.empty()) {
    document["pattern"] = stream.pattern;
    document["at_source"] = stream.at_source;
  }
  if (!stream.gone.empty()) document["gone_since"] = stream.gone;
  if (stream.refused) document["refused"] = stream.refused->message;
  if (status.last_load) {
    document["last_load"] = {{"at", FormatTimestampMs(status.last_load->at)}, {"version", status.last_load->version}, {"rows", status.last_load->rows}};
  }
  if (!facts) return document;
  document["updated"] = FormatTimestampMs(facts->updated);
  document["rows"] = facts->rows;
  document["bytes"] = facts->bytes;
  document["version"] = facts->version;
  return document;
}

Json SourceDocument(const Project& project, const SourceConfig& source, const SourceStatus& status, Json streams) {
  Json document{{"source", source.name},
                {"type", source.type},
                {"owner", source.owner.empty() ? project.owner : source.owner},
                {"description", source.description},
                {"tags", source.tags},
                {"path", source.place.ToString()},
                {"values", Json::object()},
                {"state", SourceStateName(status.state)},
                {"last_load", nullptr},
                {"lag_seconds", SecondsOrNull(status.lag)},
                {"freshness_seconds", SecondsOrNull(status.freshness)},
                {"drift", DriftToJson(status.drift)},
                {"streams", std::move(streams)}};
  if (const auto item = project.for_each.find(source.name); item != project.for_each.end()) {
    for (const auto& [name, value] : item->second) document["values"][name] = value;
  }
  if (status.last_load) document["last_load"] = {{"at", FormatTimestampMs(status.last_load->at)}, {"rows", status.last_load->rows}};
  return document;
}

}  // namespace caudal
