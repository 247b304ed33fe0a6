#include "project/catalog.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <tuple>
#include <utility>

#include "base/ids.h"
#include "base/json.h"

namespace caudal {
namespace {

namespace fs = std::filesystem;

constexpr const char* kEnding = ".json";

bool SameTable(const OfferedTable& a, const OfferedTable& b) { return a.schema == b.schema && a.table == b.table; }

std::vector<std::string> TextsAt(const Json& json, const char* member) {
  std::vector<std::string> texts;
  const auto list = json.find(member);
  if (list == json.end() || !list->is_array()) return texts;
  for (const Json& item : *list) {
    if (item.is_string()) texts.push_back(item.get<std::string>());
  }
  return texts;
}

Json CatalogToJson(const SourceCatalog& catalog) {
  Json tables = Json::array();
  for (const OfferedTable& table : catalog.tables) {
    Json item{{"table", table.table}, {"since", table.since}, {"columns", table.columns}};
    if (!table.schema.empty()) item["schema"] = table.schema;
    if (!table.key.empty()) item["key"] = table.key;
    if (!table.gone.empty()) item["gone"] = table.gone;
    tables.push_back(std::move(item));
  }
  return Json{{"format", 1}, {"first_asked", catalog.first_asked}, {"asked", catalog.asked}, {"tables", std::move(tables)}};
}

bool CatalogFromJson(const Json& json, SourceCatalog& catalog) {
  if (!json.is_object() || JsonInt(json, "format", 0) != 1) return false;
  const auto tables = json.find("tables");
  if (tables == json.end() || !tables->is_array()) return false;
  catalog.first_asked = JsonString(json, "first_asked", "");
  catalog.asked = JsonString(json, "asked", "");
  for (const Json& item : *tables) {
    if (!item.is_object()) return false;
    catalog.tables.push_back({JsonString(item, "schema", ""), JsonString(item, "table", ""), TextsAt(item, "key"), TextsAt(item, "columns"),
                              JsonString(item, "since", ""), JsonString(item, "gone", "")});
  }
  return true;
}

}  // namespace

std::string CatalogFolder(const std::string& project_folder) { return project_folder + "/.caudal/catalogs"; }

SourceCatalog NextCatalog(const SourceCatalog* before, std::vector<OfferedTable> now, const std::string& at) {
  SourceCatalog next;
  next.first_asked = before != nullptr ? before->first_asked : at;
  next.asked = at;
  next.tables = std::move(now);
  for (OfferedTable& table : next.tables) {
    table.since = at;
    table.gone.clear();
  }
  if (before != nullptr) {
    for (const OfferedTable& old : before->tables) {
      const auto same = std::find_if(next.tables.begin(), next.tables.end(), [&](const OfferedTable& table) { return SameTable(old, table); });
      if (same != next.tables.end()) {
        same->since = old.since;
        continue;
      }
      next.tables.push_back(old);
      if (old.gone.empty()) next.tables.back().gone = at;
    }
  }
  std::sort(next.tables.begin(), next.tables.end(), [](const OfferedTable& a, const OfferedTable& b) { return std::tie(a.schema, a.table) < std::tie(b.schema, b.table); });
  return next;
}

bool IsNews(const SourceCatalog* before, const SourceCatalog& after) {
  if (before == nullptr || before->tables != after.tables) return true;
  // What was told as just gone is old from now on.
  return std::any_of(before->tables.begin(), before->tables.end(), [&](const OfferedTable& table) { return !table.gone.empty() && table.gone == before->asked; });
}

Catalogs ReadCatalogs(const std::string& project_folder) {
  Catalogs catalogs;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(CatalogFolder(project_folder), error)) {
    if (entry.path().extension() != kEnding) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    const auto json = ParseJson(text, "a catalog");
    SourceCatalog catalog;
    if (in && json && CatalogFromJson(*json, catalog)) catalogs[entry.path().stem().string()] = std::move(catalog);
  }
  return catalogs;
}

Status WriteCatalog(const std::string& project_folder, const std::string& source, const SourceCatalog& catalog) {
  const fs::path folder = CatalogFolder(project_folder);
  const fs::path path = folder / (source + kEnding);
  const fs::path fresh = folder / (source + kEnding + "." + NewToken());
  std::error_code error, ignored;
  fs::create_directories(folder, error);
  {
    std::ofstream out(fresh, std::ios::binary);
    out << DumpJson(CatalogToJson(catalog)) << '\n';
    out.close();
    if (!error && !out) error = std::make_error_code(std::errc::io_error);
  }
  if (!error) fs::rename(fresh, path, error);
  if (!error) return {};
  fs::remove(fresh, ignored);
  return Error{ErrorKind::kPermission, "cannot remember what source " + source + " has: " + path.string() + ": " + error.message(),
               "let the user who runs caudal write there, and see that the disk has room", ""};
}

}  // namespace caudal
