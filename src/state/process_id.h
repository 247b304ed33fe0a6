// Who holds a run: a process that can be told from a later one with the same number. Source: proc(5).
#pragma once

#include <string>

namespace caudal {

/// "<pid>:<start time in ticks>:<boot id>" of the calling process.
std::string ThisProcess();
/// True while that process lives. A process of another boot is gone.
bool ProcessLives(const std::string& process);
/// The number in front.
std::string PidOf(const std::string& process);

}  // namespace caudal
