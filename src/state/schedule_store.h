// What the scheduler must not forget: which scheduled times are done with, what is paused. Thread-safe; several processes
// may hold it. Part of a StateStore.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "state/state_store.h"

namespace caudal {

struct ScheduleRecord {
  std::string pipeline;
  std::optional<Timestamp> handled;   // newest scheduled time that a run was begun for, or that was given up
  std::optional<Timestamp> deadline;  // newest deadline that was looked at
  std::int64_t succeeded = 0;         // sequence of its newest run.succeeded
  std::int64_t followed = 0;          // of those that it runs after: the newest that a run of it was begun for
  std::optional<Timestamp> paused;    // since
  std::string spec;                   // the schedule by which `handled` came to be
};

class ScheduleStore {
 public:
  virtual ~ScheduleStore() = default;
  /// Ordered by pipeline; pipelines that nothing was ever noted of are not there.
  virtual Result<std::vector<ScheduleRecord>> Schedules() const = 0;
  /// A pipeline that is new, or has another schedule than before: times before `now` do not count for it.
  virtual Status Meet(const std::string& pipeline, const std::string& spec, Timestamp now) = 0;
  /// Scheduled times up to `through` are done with; `told` goes out with it.
  virtual Status Handle(const std::string& pipeline, Timestamp through, const std::vector<EventRecord>& told) = 0;
  virtual Status HandleDeadline(const std::string& pipeline, Timestamp deadline, const std::vector<EventRecord>& told) = 0;
  /// `since` absent: resumed, and the times that passed meanwhile are given up.
  virtual Status SetPaused(const std::string& pipeline, std::optional<Timestamp> since, const EventRecord& told) = 0;
  /// An event that changes nothing.
  virtual Status Tell(const EventRecord& event) = 0;

  /// The newest run that was begun, or nothing.
  virtual Result<std::optional<RunRecord>> LastRun(const std::string& pipeline) const = 0;
  /// A run that was meant for `since` or later, or began then, has succeeded.
  virtual Result<bool> SucceededSince(const std::string& pipeline, Timestamp since) const = 0;
};

}  // namespace caudal
