// The environment of a worker, which does one job and ends. Not thread-safe.
#pragma once

#include <initializer_list>
#include <string_view>

namespace caudal {

/// Unsets every variable whose name begins with one of these, and points HOME to nowhere: a client library finds nothing of
/// the machine's own there.
void ForgetEnvironment(std::initializer_list<std::string_view> prefixes);

}  // namespace caudal
