// A connector's options as it reads them: JSON that `project` checked against the spec. A value; not thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_fwd.h"
#include "base/result.h"
#include "data/connector_spec.h"

namespace caudal {

/// Names are paths: "client.auth.type". What is absent gives the fallback; what has another type is a bug of ours and
/// gives the fallback, too.
class Options {
 public:
  /// Errors: kInvalidArgument where `text` is no JSON object; "" is an empty one.
  static Result<Options> Parse(const std::string& text);
  ~Options();
  Options(Options&& other) noexcept;

  bool Has(std::string_view path) const;
  std::string Text(std::string_view path, std::string_view fallback) const;
  std::int64_t Integer(std::string_view path, std::int64_t fallback) const;
  bool Boolean(std::string_view path, bool fallback) const;
  std::chrono::milliseconds Duration(std::string_view path, std::chrono::milliseconds fallback) const;
  /// A list; one text is a list of one.
  std::vector<std::string> Texts(std::string_view path) const;
  /// Members that are no maps themselves, as text.
  std::map<std::string, std::string> Map(std::string_view path) const;
  /// The JSON at the path; null where it is absent.
  const Json& At(std::string_view path) const;

 private:
  explicit Options(Json json);
  std::unique_ptr<Json> x_json;
};

/// An option of a spec; `fallback` as in OptionSpec::default_value.
OptionSpec MakeOption(const char* name, OptionType type, const char* fallback, const char* description);

/// `path` below `folder`, or itself where it is absolute.
std::string PathIn(const std::string& folder, const std::string& path);

/// "a.b" as its members; "" is none, "$" too.
std::vector<std::string> DottedPath(std::string_view path);

}  // namespace caudal
