// Which task may start: a pure picture of a run's DAG. Not thread-safe.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "project/project.h"
#include "state/state_store.h"

namespace caudal {

class TaskGraph {
 public:
  /// `tables`: the run's tasks; edges to tables outside the run do not count.
  TaskGraph(const Project& project, const std::set<std::string>& tables);

  void Mark(const std::string& table, TaskStatus status);
  /// Waiting tasks whose upstream tasks are all done, in the order of the DAG; a source that has as many running tasks
  /// as it allows offers none.
  std::vector<std::string> Ready() const;
  /// Waiting tasks that can never start, since something upstream failed. Marks them kBlocked.
  std::vector<std::string> TakeBlocked();
  /// The nearest failed tasks above a blocked one.
  std::vector<std::string> BlockedBy(const std::string& table) const;
  bool AllEnded() const;
  const std::vector<std::string>& order() const { return x_order; }
  TaskStatus status(const std::string& table) const { return x_status.at(table); }

 private:
  const Project& x_project;
  std::vector<std::string> x_order;
  std::map<std::string, TaskStatus> x_status;
  std::map<std::string, std::vector<std::string>> x_upstream;
};

}  // namespace caudal
