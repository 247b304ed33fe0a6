#include "flow/due.h"

#include <algorithm>

namespace caudal {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

/// With `catch_up: none` a time is run by who comes this late, not later.
constexpr minutes kOnTime{1};
/// Clocks that are corrected by less leave the schedule alone: a time that was handled does not come again.
constexpr hours kCorrection{1};

void PassOver(const Schedule& timer, Timestamp from, Timestamp to, Due& due) {
  const std::vector<Timestamp> times = timer.Between(from, to, kMostCounted);
  due.passed_over = times.size();
  if (!times.empty()) due.first_passed = times.front();
}

}  // namespace

Due DueNow(const PipelineConfig& pipeline, const ScheduleRecord& record, Timestamp now, bool running) {
  Due due;
  if (!pipeline.timer || record.paused || !record.handled) return due;
  const Schedule& timer = *pipeline.timer;
  const Timestamp handled = *record.handled;
  const auto last = timer.LastBetween(handled, now);
  if (!last) return due;
  switch (pipeline.catch_up) {
    case CatchUp::kAll:
      if (!running) due.begin = timer.NextAfter(handled);
      return due;
    case CatchUp::kLast:
      if (running) return due;
      due.begin = last;
      PassOver(timer, handled, *last - std::chrono::microseconds(1), due);
      due.why = "the run that begins now does their work";
      return due;
    case CatchUp::kNone: break;
  }
  if (!running && now - *last <= kOnTime) {
    due.begin = last;
    PassOver(timer, handled, *last - std::chrono::microseconds(1), due);
  } else {
    due.give_up = last;
    PassOver(timer, handled, *last, due);
  }
  due.why = running ? "the run before was still running" : "nobody was there to run them";
  return due;
}

std::optional<std::int64_t> FollowsNow(const PipelineConfig& pipeline, const ScheduleRecord& record,
                                       const std::vector<ScheduleRecord>& all) {
  if (pipeline.after.empty() || record.paused || !record.handled) return std::nullopt;
  std::int64_t newest = 0;
  for (const std::string& name : pipeline.after) {
    const auto found = std::lower_bound(all.begin(), all.end(), name, [](const ScheduleRecord& r, const std::string& n) { return r.pipeline < n; });
    if (found == all.end() || found->pipeline != name || found->succeeded <= record.followed) return std::nullopt;
    newest = std::max(newest, found->succeeded);
  }
  return newest;
}

bool ClockWentBack(Timestamp handled, Timestamp now) { return handled > now + kCorrection; }

std::optional<PassedDeadline> DeadlinePassed(const PipelineConfig& pipeline, Timestamp now) {
  if (pipeline.deadline.empty()) return std::nullopt;
  const std::string fields = pipeline.deadline.substr(3) + " " + pipeline.deadline.substr(0, 2) + " * * *";
  const auto daily = Schedule::Parse(fields, pipeline.name, pipeline.time_zone, OnDst::kFirst);
  const auto midnight = Schedule::Parse("@daily", pipeline.name, pipeline.time_zone, OnDst::kFirst);
  if (!daily || !midnight) return std::nullopt;
  const auto at = daily->LastBetween(now - hours(50), now);
  if (!at) return std::nullopt;
  PassedDeadline passed{*at, daily->NextAfter(*at).value_or(now + hours(24)), std::nullopt};
  if (!pipeline.timer) {
    passed.due_since = midnight->LastBetween(*at - hours(50), *at);
    return passed;
  }
  const auto before = daily->LastBetween(*at - hours(50), *at - std::chrono::microseconds(1));
  passed.due_since = pipeline.timer->LastBetween(before.value_or(*at - hours(24)), *at);
  return passed;
}

}  // namespace caudal
