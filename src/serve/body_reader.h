// The JSON document of a request, taken strictly: a member that nobody knows, or of another type, is refused by name. Not
// thread-safe.
#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_fwd.h"
#include "base/result.h"

namespace caudal {

class BodyReader {
 public:
  /// Errors: kInvalidArgument for what is no JSON object, or has another member than `names`.
  static Result<BodyReader> Read(const std::string& body, std::initializer_list<std::string_view> names);

  /// Errors of all: kInvalidArgument whose `where` is the member.
  Result<std::string> NeedText(const std::string& name) const;
  Result<std::optional<std::string>> Text(const std::string& name) const;
  Result<std::vector<std::string>> Texts(const std::string& name) const;
  Result<bool> Flag(const std::string& name) const;
  Result<std::optional<int>> Number(const std::string& name, int least, int most) const;

 private:
  std::shared_ptr<const Json> x_object;  // shared by copies
};

}  // namespace caudal
