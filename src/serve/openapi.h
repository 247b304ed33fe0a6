// src/serve/openapi.json, as it was when this was built.
#pragma once

#include <string_view>

namespace caudal {

std::string_view OpenApiText();

}  // namespace caudal
