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
  /// Waiting tasks whose upstream tasks are all done; a source that has as many running tasks as it allows offers none.
  /// First those of the highest priority (a table's counts for all that it waits for), then those with the longest chain
  /// of tasks below, then in the order of the DAG.
  std::vector<std::string> Ready() const;
  /// Waiting tasks that can never start, since something upstream failed. Marks them kBlocked.
  std::vector<std::string> TakeBlocked();
  /// The nearest failed tasks above a blocked one.
  std::vector<std::string> BlockedBy(const std::string& table) const;
  bool AllEnded() const;
  const std::vector<std::string>& order() const { return x_order; }
  TaskStatus status(const std::string& table) const { return x_status.at(table); }

 private:
  void SortByUrgency();

  const Project& x_project;
  std::vector<std::string> x_order;
  std::map<std::string, TaskStatus> x_status;
  std::map<std::string, std::vector<std::string>> x_upstream;
  std::vector<std::string> x_by_urgency;
};

}  // namespace caudal
