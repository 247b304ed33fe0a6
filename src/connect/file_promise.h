// What others say of a file, for it to be held against: side files (.sha256, .md5) and manifests. Values, but for Read.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "connect/place.h"

namespace caudal {

struct Promise {
  std::string sha256;  // "" = not said, as for each below
  std::string md5;
  std::int64_t size_bytes = -1;
  std::int64_t rows = -1;
  std::string digest_by;    // "its .sha256", "manifest day.json"
  std::string manifest;     // that names the file
  bool Empty() const { return sha256.empty() && md5.empty() && size_bytes < 0 && rows < 0; }
};

/// `X is not what Y says` for a file that does not hold it.
Error BrokenPromise(const std::string& name, const std::string& why);

/// Files of the manifest `name`, by their names below the location (those in it are beside the manifest).
/// Three forms: JSON (a list, or {"files": [...]}) and CSV, both with file|name|path, size|bytes, sha256, md5, rows; lines of
/// sha256sum or md5sum. Errors: kCorruption.
Result<std::map<std::string, Promise>> ParseManifest(const std::string& name, std::string_view text);
/// Of all files that match `glob`; the later one wins by name.
Result<std::map<std::string, Promise>> ReadManifests(FilePlace& place, const std::string& glob);

bool IsSideFile(std::string_view name);
/// The side files of all that matches `glob`, by two listings: to ask for each would cost two requests a file.
Result<std::set<std::string>> SideFilesOf(FilePlace& place, const std::string& glob);
/// Adds what `<name>.sha256` and `<name>.md5` say, if they are among `there`. Errors: kCorruption for one without a checksum.
Status AddSideFiles(FilePlace& place, const std::set<std::string>& there, const std::string& name, Promise& promise);

}  // namespace caudal
