// What is asked again and again of a release and costs something to work out: how many tables each pipeline builds, and when it
// runs next. Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "flow/workspace.h"

namespace caudal {

class ReleaseFacts {
 public:
  std::size_t TablesOf(const std::shared_ptr<const Workspace>& workspace, const std::string& pipeline);
  /// The first scheduled time after `now`.
  std::optional<Timestamp> NextOf(const std::shared_ptr<const Workspace>& workspace, const PipelineConfig& pipeline, Timestamp now);

 private:
  struct Next {
    Timestamp from;
    std::optional<Timestamp> at;  // the first after `from`
  };
  void Meet(const std::shared_ptr<const Workspace>& workspace);

  std::mutex x_mutex;
  std::shared_ptr<const Workspace> x_workspace;  // shared with the daemon and its runs
  std::map<std::string, std::size_t> x_tables;
  std::map<std::string, Next> x_next;
};

}  // namespace caudal
