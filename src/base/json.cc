#include "base/json.h"

namespace caudal {

Result<Json> ParseJson(std::string_view text, std::string_view what) {
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& e) {
    return Error{ErrorKind::kCorruption,
                 std::string(what) + " is not valid JSON at byte " + std::to_string(e.byte) + ": " + e.what(), "", ""};
  } catch (const Json::exception& e) {  // a number that no double holds
    return Error{ErrorKind::kCorruption, std::string(what) + " is not valid JSON: " + e.what(), "", ""};
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
