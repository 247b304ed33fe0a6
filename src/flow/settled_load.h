// Loads of streams that patterns stand for, as far as they are settled before the source is asked for rows: what is refused, and
// what is gone. docs/project.md.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "flow/runner.h"

namespace caudal {

/// Of `tables`: those that are not loaded, and what becomes of their tasks.
std::map<std::string, TaskOutcome> SettledLoads(const Workspace& workspace, const std::vector<std::string>& tables);

/// Errors: the request names a source of whose tables none is known.
Status RefuseUnknownTables(const Project& project, const RunRequest& request);

}  // namespace caudal
