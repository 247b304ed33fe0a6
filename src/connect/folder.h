// A local folder as a location of files: what lies in it, and bytes of one file. Used by one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace caudal {

struct FolderFile {
  std::string name;  // relative to the location, '/' between folders
  std::int64_t size_bytes = 0;
  std::int64_t modified_us = 0;
};

class Folder {
 public:
  /// Errors: kNotFound, kPermission, kInvalidArgument where it is no folder.
  static Result<Folder> Open(std::string path);

  /// Files that match, in byte order of their names; hidden ones only where the pattern names them.
  /// Errors: kPermission for a symlink that leads out, and for folders that cannot be read.
  Result<std::vector<FolderFile>> List(std::string_view glob) const;
  /// Errors: kNotFound, kPermission.
  Result<FolderFile> Stat(const std::string& name) const;
  /// Gives the file's bytes in pieces. Errors: kUnavailable where it changed meanwhile; those of `take`.
  Status Read(const FolderFile& file, const std::function<Status(std::string_view)>& take) const;
  /// The first bytes, at most `limit`.
  Result<std::string> Head(const std::string& name, std::size_t limit) const;

  const std::string& path() const { return x_path; }

 private:
  explicit Folder(std::string path) : x_path(std::move(path)) {}
  std::string x_path;  // without symlinks
};

}  // namespace caudal
