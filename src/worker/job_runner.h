// Does one job of any kind, inside its worker.
#pragma once

#include <string>

#include "base/result.h"
#include "duckdb/connection.h"
#include "engine/job_json.h"

namespace caudal {

/// `connection` is open and not configured; null for move jobs. Errors: the job's.
Result<JobResult> RunJob(const WorkOrder& order, Connection* connection, const std::string& extensions);

}  // namespace caudal
