// The files in a zip archive, with everything that a stranger's archive may try. Only zip_archive.cc knows libzip.
// Used by one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "connect/inflate.h"
#include "connect/place.h"

namespace caudal {

struct ZipMember {
  std::string name;  // '/' between folders
  std::int64_t size_bytes = 0;
  std::uint64_t index = 0;
};

class ZipArchive {
 public:
  /// `path` is a file that nobody writes; `what` names it in errors. Errors: kCorruption (no zip, or damaged), kUnsupported
  /// (encrypted, an unknown method), kPermission for a member that is a symlink, leads out, or expands beyond the limits.
  static Result<std::unique_ptr<ZipArchive>> Open(const std::string& path, const std::string& what, InflateLimits limits);
  virtual ~ZipArchive() = default;

  /// Files, in byte order of their names; without folders and hidden ones.
  virtual const std::vector<ZipMember>& members() const = 0;
  /// Errors: kCorruption where the bytes do not have the checksum of the archive; those of `take`.
  virtual Status Read(const ZipMember& member, const TakeBytes& take) = 0;
};

}  // namespace caudal
