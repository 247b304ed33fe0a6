// What a run would do, and why: the same decisions as a run takes, without their effects.
#pragma once

#include <string>
#include <vector>

#include "flow/runner.h"

namespace caudal {

struct PlanItem {
  std::string table;
  std::string action;  // "load", "skip", "rebuild", "append new rows", "merge new rows", "recompute partitions", "snapshot", "view"
  std::string reason;
  std::vector<std::string> partitions;  // "order_date=2010-12-13"
  /// Of a load: what the last one found different at the source, and what the project changes about its columns.
  std::vector<std::string> drift;
  /// A table above is loaded first: what it brings decides then.
  bool depends_on_load = false;
};

Result<std::vector<PlanItem>> MakePlan(const Workspace& workspace, const RunRequest& request);

}  // namespace caudal
