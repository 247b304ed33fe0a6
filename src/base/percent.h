// Percent-encoding, RFC 3986 section 2.1.
#pragma once

#include <string>
#include <string_view>

namespace caudal {

/// Each %41 as its byte; a % that no two hex digits follow stays as it is.
std::string PercentDecoded(std::string_view text);

}  // namespace caudal
