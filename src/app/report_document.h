// What `caudal run` has done, as JSON. Schema: docs/cli.md. A pure function.
#pragma once

#include <string>

#include "app/progress.h"
#include "base/json_fwd.h"

namespace caudal {

/// The last line of `caudal run --output json`. `resume`: "" where nothing is left to do.
Json ReportDocument(const RunReport& report, const RunWatcher& watcher, const std::string& resume);

}  // namespace caudal
