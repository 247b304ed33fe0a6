// Keyed digests and base64. Pure functions; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace caudal {

/// The 32 bytes of HMAC-SHA256.
std::string HmacSha256(std::string_view key, std::string_view bytes);
/// RFC 4648, with padding, one line.
std::string ToBase64(std::string_view bytes);
/// Nothing for a text that is none.
std::optional<std::string> FromBase64(std::string_view text);

}  // namespace caudal
