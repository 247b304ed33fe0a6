// Pipelines, when they run and what became of it, as JSON. Schema: docs/cli.md. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json_fwd.h"
#include "project/project.h"
#include "state/schedule_store.h"

namespace caudal {

/// Errors: kNotFound with the nearest name.
Result<const PipelineConfig*> FindPipeline(const Project& project, const std::string& name);
/// An empty one where nothing was ever noted.
ScheduleRecord RecordOf(const std::vector<ScheduleRecord>& records, const std::string& pipeline);
/// The `count` scheduled times after `after`; fewer where there are no more.
std::vector<Timestamp> NextTimes(const PipelineConfig& pipeline, Timestamp after, int count);

/// A pipeline of `status`. `next`: its next scheduled time, if it is not paused.
Json PipelineStatusDocument(const PipelineConfig& pipeline, const ScheduleRecord& record, const std::optional<RunRecord>& last,
                            std::optional<Timestamp> next);
/// A pipeline of `schedule`.
Json ScheduleDocument(const PipelineConfig& pipeline, Timestamp after, int count);
/// What `pause` and `resume` say.
Json PauseDocument(const PipelineConfig& pipeline, bool paused, bool changed, Timestamp now);
/// Changes it, and tells whether it was otherwise before.
Result<bool> SetPaused(ScheduleStore& schedules, const PipelineConfig& pipeline, bool paused, Timestamp now, const std::string& by);

}  // namespace caudal
