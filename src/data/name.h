// How names are compared: as DuckDB does, without regard to the case of ASCII letters.
#pragma once

#include <string>
#include <string_view>

namespace caudal {

std::string LowerName(std::string_view name);
bool SameName(std::string_view a, std::string_view b);

}  // namespace caudal
