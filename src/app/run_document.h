// A run's tasks, verdicts and report as JSON. Schema: docs/cli.md. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "app/progress.h"
#include "base/json_fwd.h"

namespace caudal {

/// `outcome`: null for a task that this command did not run.
Json TaskDocument(const TaskRecord& task, const TaskOutcome* outcome);
Json CheckDocument(const CheckResult& check);
Json RunDocument(const RunRecord& run);

/// The last line of `caudal run --output json`. `resume`: "" where nothing is left to do.
Json ReportDocument(const RunReport& report, const RunWatcher& watcher, const std::string& resume);

}  // namespace caudal
