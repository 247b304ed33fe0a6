// What a key may look like, the same in every store.
#pragma once

#include <string_view>

#include "base/result.h"

namespace caudal {

/// Files under such a name are unfinished objects of a local store; no key may use it.
inline constexpr std::string_view kTempPrefix = ".caudal-tmp-";

/// Errors: kInvalidArgument for an empty key, an empty, "." or ".." segment, a NUL, a segment that begins as kTempPrefix.
Status CheckKey(std::string_view key);

}  // namespace caudal
