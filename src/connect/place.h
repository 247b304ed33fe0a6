// Where files lie: a folder, a bucket, a server. The connector `files` knows this contract and nothing of protocols.
// Implementations: folder.h, s3_place.h, sftp_place.h, ftp_place.h, http_place.h. Used by one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace caudal {

struct PlaceFile {
  std::string name;  // relative to the location, '/' between folders
  std::int64_t size_bytes = 0;
  std::int64_t modified_us = 0;  // as exact as the server tells; 0 = it does not say
};

using TakeBytes = std::function<Status(std::string_view)>;

/// What else may be done where we may write. Both are atomic as far as the server is.
class PlaceEditor {
 public:
  virtual ~PlaceEditor() = default;
  /// Gives a file another name below the location; folders are made. Errors: kAlreadyExists, kNotFound, kPermission.
  virtual Status Rename(const std::string& name, const std::string& to) = 0;
  /// Removing what is not there succeeds.
  virtual Status Remove(const std::string& name) = 0;
};

class FilePlace {
 public:
  virtual ~FilePlace() = default;
  /// Files that match, in byte order of their names; hidden ones only where the pattern names them.
  /// Errors: kNotFound (the location), kPermission; also for a symlink that leads out; kUnavailable, kTimeout.
  virtual Result<std::vector<PlaceFile>> List(std::string_view glob) = 0;
  /// Errors: kNotFound, kPermission.
  virtual Result<PlaceFile> Stat(const std::string& name) = 0;
  /// Gives the bytes from `from` to the file's end in pieces. Errors: kUnavailable and kTimeout where another call may go on
  /// behind the last byte that was given; those of `take`.
  virtual Status Read(const PlaceFile& file, std::int64_t from, const TakeBytes& take) = 0;
  /// The first bytes, at most `limit`. Errors: kNotFound, kPermission.
  virtual Result<std::string> Head(const std::string& name, std::size_t limit) = 0;
  /// Null where files can only be read.
  virtual PlaceEditor* editor() { return nullptr; }
};

/// One entry of one folder, as a server lists it.
struct PlaceEntry {
  enum class Kind { kFile, kFolder, kLink, kOther };
  std::string name;  // within its folder
  Kind kind = Kind::kFile;
  std::int64_t size_bytes = -1;
  std::int64_t modified_us = 0;
};

/// Walks as FilePlace::List says: `list` gives the entries of a folder ("" or "a/b/"), `complete` makes a file that matches whole;
/// one with a size below 0 is left out.
Result<std::vector<PlaceFile>> WalkPlace(std::string_view glob,
                                         const std::function<Result<std::vector<PlaceEntry>>(const std::string&)>& list,
                                         const std::function<Result<PlaceFile>(const PlaceEntry&, const std::string&)>& complete);

}  // namespace caudal
