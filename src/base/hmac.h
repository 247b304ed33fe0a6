// Keyed digests and the two texts that bytes are written in. Thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace caudal {

/// The 32 bytes of HMAC-SHA-256 (RFC 2104).
std::string HmacSha256(std::string_view key, std::string_view bytes);

/// Lower-case hex.
std::string HexOf(std::string_view bytes);

/// Base64 with padding (RFC 4648, section 4).
std::string Base64Of(std::string_view bytes);

/// The bytes that `hex` writes; whatever is no hex digit counts as 0.
std::string BytesOfHex(std::string_view hex);

}  // namespace caudal
