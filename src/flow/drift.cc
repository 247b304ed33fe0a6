#include "flow/drift.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "data/name.h"

namespace caudal {
namespace {

constexpr std::size_t kMostRemembered = 60;
constexpr std::size_t kLongestExample = 60;

constexpr std::pair<DriftKind, std::string_view> kKinds[] = {
    {DriftKind::kNewColumn, "new_column"},         {DriftKind::kIgnoredColumn, "ignored_column"}, {DriftKind::kRefusedColumn, "refused_column"},
    {DriftKind::kMissingColumn, "missing_column"}, {DriftKind::kWidened, "widened"},              {DriftKind::kRejectedValues, "rejected_values"},
    {DriftKind::kNulledValues, "nulled_values"},   {DriftKind::kFrozen, "frozen"},
    {DriftKind::kNewTable, "new_table"},           {DriftKind::kGoneTable, "gone_table"}};

std::string PlaceOf(const Drift& drift) {
  if (drift.origin.empty()) return "";
  std::string text = drift.origin;
  if (drift.row > 0) text += fmt::format(", row {}", drift.row);
  if (drift.row > 0 && !drift.example.empty()) text += ": '" + drift.example + "'";
  return " (" + text + ")";
}

std::string Values(std::int64_t count) { return fmt::format("{} {}", count, count == 1 ? "value" : "values"); }

/// Not in the middle of a character.
std::string Shortened(const std::string& text) {
  std::size_t most = kLongestExample;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
  return text.substr(0, most) + "...";
}

bool IsNews(DriftKind kind) { return kind != DriftKind::kRejectedValues && kind != DriftKind::kNulledValues; }

}  // namespace

std::string_view DriftKindName(DriftKind kind) {
  for (const auto& [value, name] : kKinds) {
    if (value == kind) return name;
  }
  return "";
}

std::string DriftInWords(const Drift& drift) {
  const std::string& column = drift.column;
  switch (drift.kind) {
    case DriftKind::kNewColumn: return fmt::format("new column {} as {}{}", column, drift.type, PlaceOf(drift));
    case DriftKind::kIgnoredColumn: return fmt::format("new column {} is left out, {} discarded{}", column, Values(drift.values), PlaceOf(drift));
    case DriftKind::kRefusedColumn: return fmt::format("new column {}: {} with it rejected{}", column, drift.values == 1 ? "1 row" : fmt::format("{} rows", drift.values), PlaceOf(drift));
    case DriftKind::kMissingColumn: return fmt::format("column {} is missing, it is NULL{}", column, PlaceOf(drift));
    case DriftKind::kWidened: return fmt::format("column {} was {} and is {} now", column, drift.was, drift.type);
    case DriftKind::kRejectedValues: return fmt::format("{} of {} did not fit {}: rejected{}", Values(drift.values), column, drift.type, PlaceOf(drift));
    case DriftKind::kNulledValues: return fmt::format("{} of {} did not fit {}: set to NULL{}", Values(drift.values), column, drift.type, PlaceOf(drift));
    case DriftKind::kFrozen: return drift.example;
    case DriftKind::kNewTable: return fmt::format("new table at the source: {}", drift.origin);
    case DriftKind::kGoneTable: return fmt::format("table {} is gone at the source", drift.origin);
  }
  return "";
}

Drift TableDrift(DriftKind kind, const std::string& what, Timestamp now) {
  Drift drift;
  drift.kind = kind;
  (kind == DriftKind::kFrozen ? drift.example : drift.origin) = what;
  drift.since = now;
  return drift;
}

Json DriftToJson(const std::vector<Drift>& drift) {
  Json list = Json::array();
  for (const Drift& one : drift) {
    Json item{{"kind", DriftKindName(one.kind)}, {"column", one.column}, {"since", FormatTimestampMs(one.since)}, {"news", one.news}, {"words", DriftInWords(one)}};
    if (!one.type.empty()) item["type"] = one.type;
    if (!one.was.empty()) item["was"] = one.was;
    if (one.values > 0) item["values"] = one.values;
    if (!one.origin.empty()) item["origin"] = one.origin;
    if (one.row > 0) item["row"] = one.row;
    if (!one.example.empty()) item["example"] = one.example;
    list.push_back(std::move(item));
  }
  return list;
}

std::vector<Drift> DriftFromJson(const Json& json) {
  std::vector<Drift> drift;
  if (!json.is_array()) return drift;
  for (const Json& item : json) {
    const auto kind = std::find_if(std::begin(kKinds), std::end(kKinds), [&](const auto& k) { return k.second == JsonString(item, "kind", ""); });
    const auto since = ParseTimestamp(JsonString(item, "since", ""));
    if (kind == std::end(kKinds) || !since) continue;
    drift.push_back({kind->first, JsonString(item, "column", ""), JsonString(item, "type", ""), JsonString(item, "was", ""), JsonInt(item, "values", 0),
                     JsonString(item, "origin", ""), JsonInt(item, "row", 0), JsonString(item, "example", ""), *since, JsonBool(item, "news", true)});
  }
  return drift;
}

std::vector<Drift> DriftOfNote(const std::string& note) {
  if (note.empty()) return {};
  const auto json = ParseJson(note, "a note on drift");
  if (!json) return {};
  if (json->is_array()) return DriftFromJson(*json);
  return json->contains("drift") ? DriftFromJson((*json)["drift"]) : std::vector<Drift>();
}

std::vector<Drift> RememberedDrift(const std::map<std::string, std::string>& domains) {
  const auto known = domains.find("drift");
  return known == domains.end() ? std::vector<Drift>() : DriftOfNote(known->second);
}

std::string RememberDrift(const std::string& known, std::vector<Drift>& met, bool looked, Timestamp now) {
  std::vector<Drift> remembered = DriftOfNote(known);
  const auto same = [](const Drift& a, const Drift& b) { return a.kind == b.kind && SameName(a.column, b.column) && a.type == b.type; };
  if (looked) {
    std::erase_if(remembered, [&](const Drift& old) {
      return old.kind == DriftKind::kMissingColumn && std::none_of(met.begin(), met.end(), [&](const Drift& one) { return same(old, one); });
    });
  }
  for (Drift& one : met) {
    if (one.example.size() > kLongestExample && one.kind != DriftKind::kFrozen) one.example = Shortened(one.example);
    one.since = now;
    one.news = IsNews(one.kind);
    const auto old = std::find_if(remembered.begin(), remembered.end(), [&](const Drift& o) { return same(o, one); });
    if (old == remembered.end()) {
      remembered.push_back(one);
      continue;
    }
    one.since = old->since;
    one.news = false;
    old->values += one.values;
  }
  if (remembered.size() > kMostRemembered) remembered.erase(remembered.begin(), remembered.end() - kMostRemembered);
  return DumpJson(DriftToJson(remembered));
}

}  // namespace caudal
