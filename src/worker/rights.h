// What each kind of job may touch: the one place where it stands. Pure.
#pragma once

#include <string>

#include "base/result.h"
#include "engine/job_json.h"
#include "worker/sandbox.h"

namespace caudal {

/// `extensions`: the folder of DuckDB's extensions. Errors: kUnsupported for a store that this build cannot reach.
Result<Rights> RightsOf(const WorkOrder& order, const std::string& extensions);

/// Of the process that runs the job's program, and of that program.
Rights RightsOfProgram(const ExtractJob& job, const WorkOrder& order);

/// "/lake" of "file:///lake". Errors: kUnsupported for another scheme.
Result<std::string> LocalRoot(const std::string& store_url);

}  // namespace caudal
