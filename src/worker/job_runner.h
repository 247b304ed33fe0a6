// Does one job of any kind, inside its worker.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/result.h"
#include "connect/program.h"
#include "duckdb/connection.h"
#include "engine/job_json.h"

namespace caudal {

/// What an extraction has beside its job; each may be null.
struct ExtractionParts {
  std::atomic<std::int64_t>* rows = nullptr;  // counts them
  Program* program = nullptr;                 // the job's, running
};

/// `connection` is open and not configured; null for move jobs. Errors: the job's.
Result<JobResult> RunJob(const WorkOrder& order, Connection* connection, const std::string& extensions,
                         const ExtractionParts& parts = {});

}  // namespace caudal
