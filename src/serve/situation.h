// How the pipelines of the project stand, read at one moment: for every route that tells of them. A value.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/json_fwd.h"
#include "ops/alert_story.h"
#include "serve/route.h"
#include "state/schedule_store.h"

namespace caudal {

struct Situation {
  std::shared_ptr<const Workspace> workspace;
  Timestamp now;
  std::vector<ScheduleRecord> schedules;
  std::map<std::string, RunRecord> last;  // by pipeline
  std::map<std::string, Subject> subjects;

  ReleaseFacts* facts = nullptr;  // of Served

  const Project& project() const { return workspace->project; }
  /// When the schedule says; nothing while it is paused.
  std::optional<Timestamp> NextOf(const PipelineConfig& pipeline) const;
  const RunRecord* LastOf(const std::string& pipeline) const;
  Subject SubjectOf(const std::string& pipeline) const;
};
Result<Situation> SituationNow(const Served& served);

/// Members that Pipeline and PipelineDetail have in common.
Json PipelineEntry(const Situation& situation, const PipelineConfig& pipeline);

/// Runs with the counts of their tasks.
Result<Json> RunEntries(const Served& served, const std::vector<RunRecord>& runs);

/// The tables that a pipeline builds, in the order of the DAG.
std::vector<std::string> TablesInOrder(const Project& project, const std::string& pipeline);

/// The newest task of the table that has begun, or nothing.
Result<std::optional<TaskRecord>> LastTaskOf(const Served& served, const std::string& table);
/// NodeTask, or null.
Json NodeTaskDocument(const std::optional<TaskRecord>& task);

/// Graph of these tables, null = all.
Result<Json> GraphDocument(const Served& served, const Project& project, const std::set<std::string>* tables);

}  // namespace caudal
