// A local folder as a place of files. Used by one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "connect/place.h"

namespace caudal {

class Folder final : public FilePlace, public PlaceEditor {
 public:
  /// Errors: kNotFound, kPermission, kInvalidArgument where it is no folder.
  static Result<Folder> Open(std::string path);

  Result<std::vector<PlaceFile>> List(std::string_view glob) override;
  Result<PlaceFile> Stat(const std::string& name) override;
  /// Errors: kUnavailable where the file changed meanwhile.
  Status Read(const PlaceFile& file, std::int64_t from, const TakeBytes& take) override;
  Result<std::string> Head(const std::string& name, std::size_t limit) override;
  PlaceEditor* editor() override { return this; }
  Status Rename(const std::string& name, const std::string& to) override;
  Status Remove(const std::string& name) override;

 private:
  explicit Folder(std::string path) : x_path(std::move(path)) {}
  std::string x_path;  // without symlinks
};

}  // namespace caudal
