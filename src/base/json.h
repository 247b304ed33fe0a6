// JSON as every room reads and writes it. Include from .cc files; headers take "base/json_fwd.h",
// since the library's header costs a second of compile time.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/json_fwd.h"
#include "base/result.h"

namespace caudal {

/// Parses one JSON document. Objects keep no order: equal objects print equal text.
/// Errors: kCorruption with the byte where the text stops to be JSON. `what` names the document.
Result<Json> ParseJson(std::string_view text, std::string_view what);

/// Compact text; bytes that are no UTF-8 are replaced.
std::string DumpJson(const Json& json);

/// The member `key` as T, or `fallback` where it is absent or null. Errors: none; a member of another
/// type is the fallback, too, so use it only on documents that we wrote ourselves.
std::string JsonString(const Json& object, std::string_view key, std::string_view fallback);
long long JsonInt(const Json& object, std::string_view key, long long fallback);
bool JsonBool(const Json& object, std::string_view key, bool fallback);

}  // namespace caudal
