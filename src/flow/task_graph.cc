#include "flow/task_graph.h"

#include <algorithm>

#include "base/check.h"

namespace caudal {
namespace {

bool Done(TaskStatus s) { return s == TaskStatus::kSucceeded || s == TaskStatus::kUnchanged; }
bool Failed(TaskStatus s) {
  return s == TaskStatus::kFailed || s == TaskStatus::kBlocked || s == TaskStatus::kCancelled;
}

}  // namespace

TaskGraph::TaskGraph(const Project& project, const std::set<std::string>& tables) : x_project(project) {
  for (const Node& node : project.nodes) {
    if (!tables.contains(node.table)) continue;
    x_order.push_back(node.table);
    x_status[node.table] = TaskStatus::kWaiting;
    for (const std::string& up : node.upstream) {
      if (tables.contains(up)) x_upstream[node.table].push_back(up);
    }
    // A table that a check looks at is built first, unless it is built from this one.
    for (const std::string& other : node.checked_against) {
      if (x_status.contains(other)) x_upstream[node.table].push_back(other);
    }
  }
  SortByUrgency();
}

void TaskGraph::SortByUrgency() {
  struct Urgency {
    int priority = 0, chain = 0;
  };
  std::map<std::string, Urgency> urgency;
  for (const std::string& table : x_order) urgency[table].priority = x_project.Find(table)->priority;
  for (auto table = x_order.rbegin(); table != x_order.rend(); ++table) {
    const Urgency below = urgency.at(*table);
    for (const std::string& up : x_upstream[*table]) {
      Urgency& above = urgency.at(up);
      above = {std::max(above.priority, below.priority), std::max(above.chain, below.chain + 1)};
    }
  }
  x_by_urgency = x_order;
  std::stable_sort(x_by_urgency.begin(), x_by_urgency.end(), [&](const std::string& a, const std::string& b) {
    const Urgency &first = urgency.at(a), &second = urgency.at(b);
    return std::pair(first.priority, first.chain) > std::pair(second.priority, second.chain);
  });
}

void TaskGraph::Mark(const std::string& table, TaskStatus status) {
  CHECK(x_status.contains(table), table);
  x_status[table] = status;
}

std::vector<std::string> TaskGraph::Ready() const {
  std::map<std::size_t, int> running;  // tasks of each source
  for (const auto& [table, status] : x_status) {
    const Node* node = x_project.Find(table);
    if (status == TaskStatus::kRunning && node->kind == Node::Kind::kStream) ++running[node->source];
  }
  std::vector<std::string> ready;
  for (const std::string& table : x_by_urgency) {
    if (x_status.at(table) != TaskStatus::kWaiting) continue;
    auto up = x_upstream.find(table);
    bool open = up == x_upstream.end() ||
                std::all_of(up->second.begin(), up->second.end(), [&](const auto& u) { return Done(x_status.at(u)); });
    if (!open) continue;
    const Node* node = x_project.Find(table);
    if (node->kind == Node::Kind::kStream && running[node->source]++ >= x_project.source(*node).max_parallel) continue;
    ready.push_back(table);
  }
  return ready;
}

std::vector<std::string> TaskGraph::TakeBlocked() {
  std::vector<std::string> blocked;
  for (const std::string& table : x_order) {
    auto up = x_upstream.find(table);
    if (x_status.at(table) != TaskStatus::kWaiting || up == x_upstream.end()) continue;
    bool stuck = std::any_of(up->second.begin(), up->second.end(), [&](const auto& u) { return Failed(x_status.at(u)); });
    if (!stuck) continue;
    x_status[table] = TaskStatus::kBlocked;
    blocked.push_back(table);
  }
  return blocked;
}

std::vector<std::string> TaskGraph::BlockedBy(const std::string& table) const {
  std::set<std::string> causes;
  auto up = x_upstream.find(table);
  if (up == x_upstream.end()) return {};
  for (const std::string& u : up->second) {
    TaskStatus status = x_status.at(u);
    if (status == TaskStatus::kBlocked) {
      for (std::string& cause : BlockedBy(u)) causes.insert(std::move(cause));
    } else if (Failed(status)) {
      causes.insert(u);
    }
  }
  return {causes.begin(), causes.end()};
}

bool TaskGraph::AllEnded() const {
  return std::none_of(x_status.begin(), x_status.end(), [](const auto& entry) {
    return entry.second == TaskStatus::kWaiting || entry.second == TaskStatus::kRunning;
  });
}

}  // namespace caudal
