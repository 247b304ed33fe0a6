// The project folder of a session as the daemon looks at it.
#pragma once

#include <memory>

#include "app/session.h"
#include "flow/daemon.h"

namespace caudal {

/// `session` outlives it and every workspace of it.
std::unique_ptr<ReleaseSource> MakeReleaseFolder(Session& session);

}  // namespace caudal
