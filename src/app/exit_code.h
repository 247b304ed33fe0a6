// What the process ends with, by the kind of what went wrong. The numbers are a promise: docs/cli.md.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "state/state_store.h"

namespace caudal {

constexpr int kExitOk = 0;
constexpr int kExitData = 1;         // a task, a check or a test failed
constexpr int kExitUsage = 2;        // an argument or a project file is wrong
constexpr int kExitNotFound = 3;
constexpr int kExitPermission = 4;
constexpr int kExitUnavailable = 5;  // the same may succeed later
constexpr int kExitConflict = 6;     // somebody else holds it
constexpr int kExitCorruption = 7;
constexpr int kExitInternal = 8;
constexpr int kExitCancelled = 130;

int ExitCodeOf(ErrorKind kind);

/// Of a run: what its failed tasks have in common (all unavailable: try again later), or kExitData where they differ or
/// met wrong or broken input.
int ExitCodeOf(RunStatus status, const std::vector<TaskRecord>& tasks);

}  // namespace caudal
