// CHECK: an invariant of ours, on in release. A broken one is a bug, never an error of the user's.
#pragma once

#include <string_view>

namespace caudal {

/// Prints file, line, condition and reason, then aborts.
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition, std::string_view why);

}  // namespace caudal

#define CHECK(condition, why)                                                          \
  do {                                                                                 \
    if (!(condition)) ::caudal::CheckFailed(__FILE__, __LINE__, #condition, why);      \
  } while (false)
