// A file that a verb writes for the user, who may have one there: it is never overwritten.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace caudal {

/// With its folders. Errors: kAlreadyExists, kPermission, kUnavailable.
Status WriteNewFile(const std::filesystem::path& path, const std::string& text);

}  // namespace caudal
