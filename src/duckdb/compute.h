// Does a compute job: steps of SQL over named sets of files. Not thread-safe; one job a connection.
#pragma once

#include <string>

#include "base/result.h"
#include "duckdb/connection.h"
#include "engine/job.h"

namespace caudal {

/// What DuckDB may count of a process's ceiling: seven tenths of what the process itself leaves; the rest is for what
/// DuckDB does not count.
ConnectionSettings SettingsOf(const JobLimits& limits, const std::string& temp_folder, bool keep_order);

/// Attaches, fences, makes the inputs' views, runs the steps. `connection` is configured and good for this job alone.
/// Errors: of the step's SQL, with the step's name in `where` where it is the user's.
Result<ComputeResult> RunComputeJob(Connection& connection, const ComputeJob& job, const std::string& extensions);

/// True where no step writes: then rows keep their order, which people expect of a LIMIT.
bool KeepsOrder(const ComputeJob& job);

}  // namespace caudal
