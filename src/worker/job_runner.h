// Does one job of any kind, inside its worker.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/result.h"
#include "duckdb/connection.h"
#include "engine/job_json.h"

namespace caudal {

/// `connection` is open and not configured; null for move jobs. `rows`: counts those of an extraction;
/// may be null. Errors: the job's.
Result<JobResult> RunJob(const WorkOrder& order, Connection* connection, const std::string& extensions,
                         std::atomic<std::int64_t>* rows = nullptr);

}  // namespace caudal
