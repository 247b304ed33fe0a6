// Jobs, results and errors as JSON, for the socket between a worker and its parent. docs/formats/worker-protocol.md.
// Thread-safe: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/job.h"

namespace caudal {

/// What a worker gets: the job, what it may use, and a folder of its own for spill.
struct WorkOrder {
  Job job;
  JobLimits limits;
  std::string temp_folder;
};

std::string OrderToJson(const WorkOrder& order);
/// Errors: kCorruption for text of any other form.
Result<WorkOrder> OrderFromJson(std::string_view text);

std::string JobResultToJson(const JobResult& result);
/// Errors: kCorruption for text of any other form.
Result<JobResult> JobResultFromJson(std::string_view text);

/// `memory_bytes` does not travel: it is seen from outside.
std::string ProgressToJson(const JobProgress& progress);
Result<JobProgress> ProgressFromJson(std::string_view text);

std::string ErrorToJson(const Error& error);
/// The error that was written; kCorruption where the text is none.
Error ErrorFromJson(std::string_view text);

/// "compute", "analyze", "extract" or "move".
std::string_view KindOf(const Job& job);

}  // namespace caudal
