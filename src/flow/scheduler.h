// Which runs should begin now: schedules, `after`, pauses, missed times, deadlines. Decides by the clock, the project and the
// state store, and keeps what it decided there; starts nothing itself. Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "flow/due.h"
#include "flow/runner.h"

namespace caudal {

struct DueRun {
  RunRequest request;
  Timestamp since;  // when it came due: the oldest goes first
  std::vector<EventRecord> told;  // once it has begun: times that it does the work of
};

class Scheduler {
 public:
  /// Both outlive it.
  Scheduler(StateStore& state, const Clock& clock) : x_state(state), x_clock(clock) {}

  /// From now on this project's pipelines.
  void Load(std::shared_ptr<const Project> project);

  /// Runs that should begin, the longest due first; none of a pipeline in `running`. A run that is not begun is due again
  /// at the next call. Errors: of the state store; nothing may be begun then.
  Result<std::vector<DueRun>> Due(const std::set<std::string>& running);

  /// When the next scheduled time or deadline comes, as far as the last Due could see.
  std::optional<Timestamp> next_wake() const;

 private:
  Status Meet(std::vector<ScheduleRecord>& records);
  Status GiveUp(const PipelineConfig& pipeline, const caudal::Due& due);
  Status LookAtDeadline(const PipelineConfig& pipeline, const ScheduleRecord& record);
  EventRecord Told(const char* kind, const PipelineConfig& pipeline, const caudal::Due& due) const;

  struct Next {
    std::optional<Timestamp> handled, at;  // the next scheduled time, given that one was handled
    std::optional<Timestamp> deadline;     // not before this
    std::optional<Timestamp> on_time;      // came due on time, and waits for a slot
  };

  StateStore& x_state;
  const Clock& x_clock;
  mutable std::mutex x_mutex;
  // Shared with the runs that were begun with it.
  std::shared_ptr<const Project> x_project;
  std::map<std::string, Next> x_next;
  std::optional<Timestamp> x_wake;
  Timestamp x_seen;  // the newest time that was looked at: a clock that goes back makes x_next worthless
};

}  // namespace caudal
