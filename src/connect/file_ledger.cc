#include "connect/file_ledger.h"

#include <algorithm>

#include "base/json.h"
#include "connect/hive_path.h"

namespace caudal {

Result<FileLedger> FileLedger::Parse(const std::string& cursor) {
  FileLedger ledger;
  if (cursor.empty()) return ledger;
  TRY_ASSIGN(const Json json, ParseJson(cursor, "the cursor of a files source"));
  ledger.delimiter = JsonString(json, "delimiter", "");
  const auto files = json.find("files");
  if (files == json.end() || !files->is_object()) return ledger;
  for (const auto& [name, entry] : files->items()) {
    ledger.files[name] = LedgerEntry{JsonInt(entry, "size", 0), JsonInt(entry, "mtime_us", 0), JsonString(entry, "sha256", "")};
  }
  return ledger;
}

std::string FileLedger::ToText() const {
  Json json{{"files", Json::object()}};
  if (!delimiter.empty()) json["delimiter"] = delimiter;
  for (const auto& [name, entry] : files) {
    json["files"][name] = Json{{"size", entry.size_bytes}, {"mtime_us", entry.modified_us}, {"sha256", entry.sha256}};
  }
  return DumpJson(json);
}

bool FileLedger::Knows(const PlaceFile& file) const {
  const auto found = files.find(file.name);
  return found != files.end() && found->second.size_bytes == file.size_bytes && found->second.modified_us == file.modified_us;
}

std::string FileLedger::SameContent(const std::string& name, const std::string& sha256, bool folders_are_content) const {
  for (const auto& [other, entry] : files) {
    if (other == name || entry.sha256 != sha256) continue;
    if (!folders_are_content || PartitionValuesOf(other) == PartitionValuesOf(name)) return other;
  }
  return "";
}

bool FileLedger::SomeOfSize(std::int64_t size_bytes) const {
  return std::any_of(files.begin(), files.end(), [&](const auto& item) { return item.second.size_bytes == size_bytes; });
}

}  // namespace caudal
