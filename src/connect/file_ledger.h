// What a stream of files has loaded: the cursor of `files`. A value; docs/connectors/files.md says what counts as new.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/result.h"
#include "connect/place.h"

namespace caudal {

struct LedgerEntry {
  std::int64_t size_bytes = 0;
  std::int64_t modified_us = 0;
  std::string sha256;
};

/// What was loaded, and the dialect that the first file had. A member of an archive stands beside its archive, as
/// "day.zip/lines.csv".
struct FileLedger {
  std::map<std::string, LedgerEntry> files;
  std::string delimiter;

  static Result<FileLedger> Parse(const std::string& cursor);
  std::string ToText() const;

  /// Loaded, and as far as size and time tell unchanged since.
  bool Knows(const PlaceFile& file) const;
  /// Another file with that content, or "". `folders_are_content`: only one whose folders give it the same columns.
  std::string SameContent(const std::string& name, const std::string& sha256, bool folders_are_content) const;
  bool SomeOfSize(std::int64_t size_bytes) const;
};

}  // namespace caudal
