#include "base/json.h"

#include <algorithm>

namespace caudal {

// The library's own words name its exceptions: the place says as much.
Result<Json> ParseJson(std::string_view text, std::string_view what) {
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& e) {
    const std::size_t at = std::min(e.byte == 0 ? 0 : e.byte - 1, text.size());
    const std::string_view before = text.substr(0, at);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const std::size_t column = 1 + at - (before.rfind('\n') + 1);
    const std::string place = at == text.size() ? "it ends too early, in line " + std::to_string(line)
                                                : "line " + std::to_string(line) + ", byte " + std::to_string(column);
    return Error{ErrorKind::kCorruption, std::string(what) + " is not valid JSON: " + place, "", ""};
  } catch (const Json::exception&) {
    return Error{ErrorKind::kCorruption, std::string(what) + " is not valid JSON: a number is too large", "", ""};
  }
}

std::string DumpJson(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string JsonString(const Json& object, std::string_view key, std::string_view fallback) {
  auto it = object.is_object() ? object.find(key) : object.end();
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string(fallback);
}

long long JsonInt(const Json& object, std::string_view key, long long fallback) {
  auto it = object.is_object() ? object.find(key) : object.end();
  return it != object.end() && it->is_number_integer() ? it->get<long long>() : fallback;
}

bool JsonBool(const Json& object, std::string_view key, bool fallback) {
  auto it = object.is_object() ? object.find(key) : object.end();
  return it != object.end() && it->is_boolean() ? it->get<bool>() : fallback;
}

}  // namespace caudal
