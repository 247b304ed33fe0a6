#include "connect/place.h"

#include <algorithm>

#include "connect/dialect.h"

namespace caudal {

Result<std::vector<PlaceFile>> WalkPlace(std::string_view glob,
                                         const std::function<Result<std::vector<PlaceEntry>>(const std::string&)>& list,
                                         const std::function<Result<PlaceFile>(const PlaceEntry&, const std::string&)>& complete) {
  std::vector<PlaceFile> files;
  const bool deep = glob.find('/') != std::string_view::npos || glob.find("**") != std::string_view::npos;
  const bool hidden = glob.find("/.") != std::string_view::npos || glob.starts_with(".");
  std::vector<std::string> folders{""};
  while (!folders.empty()) {
    const std::string below = std::move(folders.back());
    folders.pop_back();
    TRY_ASSIGN(const std::vector<PlaceEntry> entries, list(below));
    for (const PlaceEntry& entry : entries) {
      // A server chooses the names that it lists; one that would lead elsewhere is none.
      if (entry.name.empty() || entry.name == "." || entry.name == ".." || entry.name.find('/') != std::string::npos) continue;
      if (entry.name[0] == '.' && !hidden) continue;
      const std::string name = below + entry.name;
      if (entry.kind == PlaceEntry::Kind::kFolder) {
        if (deep && std::count(name.begin(), name.end(), '/') < 32) folders.push_back(name + "/");
        continue;
      }
      if (entry.kind == PlaceEntry::Kind::kOther || !MatchesGlob(glob, name)) continue;
      TRY_ASSIGN(PlaceFile file, complete(entry, name));
      if (file.size_bytes >= 0) files.push_back(std::move(file));
    }
  }
  std::sort(files.begin(), files.end(), [](const PlaceFile& a, const PlaceFile& b) { return a.name < b.name; });
  return files;
}

}  // namespace caudal
