#include "data/data_file.h"

#include <utility>

#include "base/json.h"

namespace caudal {
namespace {

Json CellToJson(const Cell& cell) { return cell ? Json(*cell) : Json(nullptr); }

Result<Cell> CellFromJson(const Json& json) {
  if (json.is_null()) return Cell();
  if (json.is_string()) return Cell(json.get<std::string>());
  return Error{ErrorKind::kCorruption, "a cell is text or null in JSON, not " + DumpJson(json), "", ""};
}

Json StatsToJson(const ColumnStats& stats) {
  Json json = Json::object();
  if (stats.min) json["min"] = *stats.min;
  if (stats.max) json["max"] = *stats.max;
  if (stats.null_count) json["null_count"] = *stats.null_count;
  if (stats.has_nan) json["has_nan"] = true;
  return json;
}

Result<ColumnStats> StatsFromJson(const Json& json) {
  ColumnStats stats;
  if (json.contains("min")) {
    TRY_ASSIGN(stats.min, CellFromJson(json["min"]));
  }
  if (json.contains("max")) {
    TRY_ASSIGN(stats.max, CellFromJson(json["max"]));
  }
  if (json.contains("null_count")) stats.null_count = JsonInt(json, "null_count", 0);
  stats.has_nan = JsonBool(json, "has_nan", false);
  return stats;
}

}  // namespace

Json WrittenFileToJson(const WrittenFile& file) {
  Json partition = Json::object();
  for (const auto& [column, value] : file.partition) partition[column] = CellToJson(value);
  Json columns = Json::object();
  for (const auto& [column, stats] : file.columns) columns[column] = StatsToJson(stats);
  Json json{{"path", file.path},
            {"rows", file.rows},
            {"size_bytes", file.size_bytes},
            {"partition", std::move(partition)},
            {"columns", std::move(columns)}};
  if (!file.sha256.empty()) json["sha256"] = file.sha256;
  return json;
}

Result<WrittenFile> WrittenFileFromJson(const Json& json) {
  if (!json.is_object() || JsonString(json, "path", "").empty()) {
    return Error{ErrorKind::kCorruption, "a written file without a path: " + DumpJson(json), "", ""};
  }
  WrittenFile file;
  file.path = JsonString(json, "path", "");
  file.rows = JsonInt(json, "rows", 0);
  file.size_bytes = JsonInt(json, "size_bytes", 0);
  file.sha256 = JsonString(json, "sha256", "");
  if (json.contains("partition")) {
    for (const auto& [column, value] : json["partition"].items()) {
      TRY_ASSIGN(file.partition[column], CellFromJson(value));
    }
  }
  if (json.contains("columns")) {
    for (const auto& [column, stats] : json["columns"].items()) {
      TRY_ASSIGN(file.columns[column], StatsFromJson(stats));
    }
  }
  return file;
}

}  // namespace caudal
