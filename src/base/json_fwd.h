// Names Json without the cost of its header.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace caudal {
using Json = nlohmann::json;
}  // namespace caudal
