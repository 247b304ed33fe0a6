// A run, its tasks and their verdicts as JSON. Schema: docs/cli.md. Pure functions.
#pragma once

#include <optional>

#include "base/json_fwd.h"
#include "flow/runner.h"

namespace caudal {

/// `outcome`: null for a task that the caller did not run.
Json TaskDocument(const TaskRecord& task, const TaskOutcome* outcome);
Json CheckDocument(const CheckResult& check);
Json RunDocument(const RunRecord& run);
Json TimeOrNull(const std::optional<Timestamp>& time);

}  // namespace caudal
