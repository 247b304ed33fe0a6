// Ctrl-C and SIGTERM as a flag that jobs look at. The second one ends the process at once.
#pragma once

#include <atomic>

#include "engine/engine.h"

namespace caudal {

/// Takes over both signals for the rest of the process; the flag is set by the first. SIGPIPE ends the process quietly, as
/// the shell expects of `caudal sql ... | head`.
const CancelFlag& CatchInterrupts();

/// For a daemon: how often it was told to stop. The third time ends the process at once.
const std::atomic<int>& CatchStops();

}  // namespace caudal
