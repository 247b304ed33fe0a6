// How many tables each pipeline builds, worked out once a release. Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "flow/workspace.h"

namespace caudal {

class TableCounts {
 public:
  std::size_t Of(const std::shared_ptr<const Workspace>& workspace, const std::string& pipeline);

 private:
  std::mutex x_mutex;
  std::shared_ptr<const Workspace> x_workspace;  // shared with the daemon and its runs
  std::map<std::string, std::size_t> x_counts;
};

}  // namespace caudal
