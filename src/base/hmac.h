// Keyed digests, and the two texts that bytes are written in. Pure functions; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace caudal {

/// The 32 bytes of HMAC-SHA-256 (RFC 2104).
std::string HmacSha256(std::string_view key, std::string_view bytes);

/// RFC 4648, section 4: with padding, one line.
std::string ToBase64(std::string_view bytes);
/// Nothing for a text that is none.
std::optional<std::string> FromBase64(std::string_view text);

/// Lower-case hex.
std::string HexOf(std::string_view bytes);
/// The bytes that `hex` writes; whatever is no hex digit counts as 0.
std::string BytesOfHex(std::string_view hex);

}  // namespace caudal
