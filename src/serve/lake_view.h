// What stands in the lake, for those who look at it often: newest versions from their logs, one table at a time, so that the
// daemon's memory holds one big table and no more. Facts of tables are kept, and looked after again. Thread-safe.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "flow/workspace.h"
#include "serve/table_document.h"

namespace caudal {

class LakeView {
 public:
  /// Nothing for a table that is not published. `changed`: when its newest task ended, as far as known: what was kept from
  /// before is not believed. Errors: those of the lake.
  Result<std::optional<TableFacts>> Facts(const Workspace& workspace, const std::string& table, std::optional<Timestamp> changed);

  /// Calls `look` with the newest snapshot, null where there is none, while no other table is looked at.
  Status Look(const Workspace& workspace, const std::string& table, const std::function<Status(const Table&, const Snapshot*)>& look);

 private:
  struct Kept {
    std::optional<TableFacts> facts;
    Timestamp at;
  };
  std::mutex x_reading;
  std::mutex x_mutex;
  std::map<std::string, Kept> x_kept;  // by lake and table
};

}  // namespace caudal
