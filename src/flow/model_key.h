// The key of a merge or a history: its rows must say which one each is.
#pragma once

#include <string>
#include <vector>

#include "engine/job.h"

namespace caudal {

/// Adds the step that looks for keys that stand in more than one row of `view`, or are NULL.
void AddKeyProof(ComputeJob& job, const std::vector<std::string>& key, const std::string& view);

/// Errors: kCheckFailed with some of those keys. A job without the step has nothing to say.
Status KeyVerdict(const std::string& table, const ComputeResult& result);

}  // namespace caudal
