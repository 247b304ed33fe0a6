// Does an analyze job: SELECTs bound against empty tables, never run. Not thread-safe; one job a connection.
#pragma once

#include "base/result.h"
#include "data/analysis.h"
#include "duckdb/connection.h"
#include "engine/job.h"

namespace caudal {

/// One Analysis a query, in the job's order; a query that does not bind has a problem and no columns. Queries may name
/// one another in any order; a cycle is a problem of each query in it. Errors: only ours, never the query's.
Result<AnalyzeResult> RunAnalyzeJob(Connection& connection, const AnalyzeJob& job);

}  // namespace caudal
