// A JSON body without its records: where the next page is, how many there are. Several times faster than reading all of it,
// which the splitter does anyway. No I/O.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_fwd.h"

namespace caudal {

struct JsonOutline {
  std::shared_ptr<const Json> rest;  // the body with an empty array in place of the records
  std::int64_t records = 0;
};

/// Nothing where there is no array at `selector` (steps without "*"), or the brackets and quotes do not close: then the
/// whole body is to be parsed, and says what is wrong. What stands within the records is not looked at.
std::optional<JsonOutline> OutlineOf(std::string_view body, const std::vector<std::string>& selector);

}  // namespace caudal
