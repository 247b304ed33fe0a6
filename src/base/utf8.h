// What is UTF-8 and what is not. Pure.
#pragma once

#include <cstddef>
#include <string_view>

namespace caudal {

/// Length in bytes of the well-formed UTF-8 sequence at `at`, or 0.
std::size_t Utf8SequenceLength(std::string_view text, std::size_t at);
/// Where the first byte stands that is no UTF-8; npos = nowhere.
std::size_t FindNoUtf8(std::string_view text);

}  // namespace caudal
