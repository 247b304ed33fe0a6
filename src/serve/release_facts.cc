#include "serve/release_facts.h"

#include "serve/situation.h"

namespace caudal {

/// Of another release all is different.
void ReleaseFacts::Meet(const std::shared_ptr<const Workspace>& workspace) {
  if (x_workspace == workspace) return;
  x_workspace = workspace;
  x_tables.clear();
  x_next.clear();
}

std::size_t ReleaseFacts::TablesOf(const std::shared_ptr<const Workspace>& workspace, const std::string& pipeline) {
  const std::lock_guard lock(x_mutex);
  Meet(workspace);
  const auto it = x_tables.find(pipeline);
  if (it != x_tables.end()) return it->second;
  return x_tables[pipeline] = TablesInOrder(workspace->project, pipeline).size();
}

std::optional<Timestamp> ReleaseFacts::NextOf(const std::shared_ptr<const Workspace>& workspace, const PipelineConfig& pipeline, Timestamp now) {
  if (!pipeline.timer) return std::nullopt;
  const std::lock_guard lock(x_mutex);
  Meet(workspace);
  const auto it = x_next.find(pipeline.name);
  if (it != x_next.end() && it->second.from <= now && it->second.at && now < *it->second.at) return it->second.at;
  const Next next{now, pipeline.timer->NextAfter(now)};
  x_next.insert_or_assign(pipeline.name, next);
  return next.at;
}

}  // namespace caudal
