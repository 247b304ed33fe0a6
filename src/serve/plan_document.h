// What a run would do, as JSON. Schema: docs/cli.md. A pure function.
#pragma once

#include <vector>

#include "base/json_fwd.h"
#include "flow/plan.h"

namespace caudal {

Json PlanDocument(const Project& project, const RunRequest& request, const std::vector<PlanItem>& plan);

}  // namespace caudal
