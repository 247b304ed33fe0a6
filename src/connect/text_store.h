// Many texts by their number, of which only a part is in memory: a spreadsheet's shared strings. Used by one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "connect/staged_batches.h"

namespace caudal {

class TextStore {
 public:
  /// The texts go to a new file in `folder`, which goes with this object.
  explicit TextStore(const std::string& folder);
  ~TextStore();
  TextStore(const TextStore&) = delete;
  TextStore& operator=(const TextStore&) = delete;

  Status Add(std::string_view text);
  /// No Add after this.
  Status Close();
  std::int64_t size() const { return x_size; }
  /// Requires: index < size(), and Close. Valid until the next call.
  Result<std::string_view> At(std::int64_t index);

 private:
  struct Page {
    std::int64_t number = -1;
    std::string bytes;
  };
  Status Copy(std::int64_t from, std::size_t length, char* to);

  std::string x_path;
  AppendFile x_file;
  int x_fd = -1;
  std::int64_t x_bytes = 0;
  std::int64_t x_size = 0;
  std::vector<std::int64_t> x_groups;  // where every 16th text begins
  std::vector<Page> x_pages;           // each page of the file has one place here
  std::string x_text;
};

}  // namespace caudal
