// The system calls that a worker may not make. Part of the sandbox.
#pragma once

#include "base/result.h"

namespace caudal {

/// Installs the filter for this thread and all that it starts. What is denied answers EPERM (clone3: ENOSYS, so that
/// the C library falls back to clone). Requires: no_new_privs. Errors: kInternal.
Status FilterSystemCalls(bool network);
/// The same for a process that may start programs and use the network.
Status FilterSystemCallsOfPrograms();

}  // namespace caudal
