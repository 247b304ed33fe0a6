// Patterns of names: `*` is any number of characters, `?` is one. Pure.
#pragma once

#include <string_view>

namespace caudal {

bool NameMatches(std::string_view name, std::string_view glob);

}  // namespace caudal
