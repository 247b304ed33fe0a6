// What a run leaves on the screen when it has ended.
#pragma once

#include <string>

#include "app/progress.h"

namespace caudal {

/// Counts and time; for each failure its error, its place, what to do next, its failing checks with example rows; what
/// waits, and for whom; which partitions were computed; last, where something is left to do, exactly `resume`.
void PrintRunSummary(const Console& console, const RunReport& report, const RunWatcher& watcher,
                     const std::string& resume);

/// A verdict with its example rows, below one another.
void PrintCheck(const Console& console, const CheckResult& check, const std::string& indent);

}  // namespace caudal
