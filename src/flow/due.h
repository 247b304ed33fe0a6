// Which scheduled times of a pipeline are to be run now, and which are given up. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "project/project.h"
#include "state/schedule_store.h"

namespace caudal {

struct Due {
  std::optional<Timestamp> begin;     // a run for this time
  std::optional<Timestamp> give_up;   // times up to this one get no run
  std::string why;                    // they do not, in words
  std::size_t passed_over = 0;        // how many get none of their own; kMostCounted = that many or more
  std::optional<Timestamp> first_passed;
};
inline constexpr std::size_t kMostCounted = 1000;

/// `record.handled` must be known. `running`: a run of the pipeline runs now, so none may begin.
Due DueNow(const PipelineConfig& pipeline, const ScheduleRecord& record, Timestamp now, bool running);

/// The newest success among those that it runs after, if each of them has succeeded since it last began; else nothing.
std::optional<std::int64_t> FollowsNow(const PipelineConfig& pipeline, const ScheduleRecord& record,
                                       const std::vector<ScheduleRecord>& all);

/// The machine's clock stood so far ahead when `handled` was written that the schedule has to begin anew.
bool ClockWentBack(Timestamp handled, Timestamp now);

/// A daily deadline: the newest that has passed, and the scheduled time whose run it is about (of a pipeline without a
/// schedule, the begin of the local day). Nothing where no run was due.
struct PassedDeadline {
  Timestamp at;
  Timestamp next;
  std::optional<Timestamp> due_since;
};
std::optional<PassedDeadline> DeadlinePassed(const PipelineConfig& pipeline, Timestamp now);

}  // namespace caudal
