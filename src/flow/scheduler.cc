#include "flow/scheduler.h"

#include <algorithm>

#include "base/json.h"

namespace caudal {
namespace {

const ScheduleRecord* Find(const std::vector<ScheduleRecord>& records, const std::string& pipeline) {
  const auto found = std::lower_bound(records.begin(), records.end(), pipeline,
                                      [](const ScheduleRecord& r, const std::string& n) { return r.pipeline < n; });
  return found != records.end() && found->pipeline == pipeline ? &*found : nullptr;
}

bool WakesByItself(const PipelineConfig& pipeline) { return pipeline.timer || !pipeline.after.empty(); }

/// Who edits a schedule must not set off a run by it: another text is another schedule.
std::string SpecOf(const PipelineConfig& pipeline) { return pipeline.timer ? pipeline.schedule + " " + pipeline.time_zone.name() : "none"; }

}  // namespace

void Scheduler::Load(std::shared_ptr<const Project> project) {
  const std::lock_guard lock(x_mutex);
  x_project = std::move(project);
  x_next.clear();
}

std::optional<Timestamp> Scheduler::next_wake() const {
  const std::lock_guard lock(x_mutex);
  return x_wake;
}

EventRecord Scheduler::Told(const char* kind, const PipelineConfig& pipeline, const caudal::Due& due) const {
  Json body{{"pipeline", pipeline.name}, {"times", due.passed_over}, {"why", due.why}};
  if (due.first_passed) body["since"] = FormatTimestampMs(*due.first_passed);
  return EventRecord{0, x_clock.Now(), kind, "", "", DumpJson(body)};
}

/// Pipelines that are new, or have a new schedule: what was before they were first seen does not count. So it is where the
/// clock went back far.
Status Scheduler::Meet(std::vector<ScheduleRecord>& records) {
  const Timestamp now = x_clock.Now();
  bool changed = false;
  for (const PipelineConfig& pipeline : x_project->pipelines) {
    const ScheduleRecord* record = Find(records, pipeline.name);
    if (record != nullptr && record->handled && ClockWentBack(*record->handled, now)) {
      const Json body{{"pipeline", pipeline.name}, {"handled", FormatTimestampMs(*record->handled)}};
      TRY(x_state.schedules().Handle(pipeline.name, now, {EventRecord{0, now, "clock.went_back", "", "", DumpJson(body)}}));
      changed = true;
    } else if (WakesByItself(pipeline) && (record == nullptr || !record->handled || record->spec != SpecOf(pipeline))) {
      TRY(x_state.schedules().Meet(pipeline.name, SpecOf(pipeline), now));
      changed = true;
    }
  }
  if (!changed) return {};
  TRY_ASSIGN(records, x_state.schedules().Schedules());
  return {};
}

Status Scheduler::GiveUp(const PipelineConfig& pipeline, const caudal::Due& due) {
  return x_state.schedules().Handle(pipeline.name, *due.give_up, {Told("schedule.missed", pipeline, due)});
}

Status Scheduler::LookAtDeadline(const PipelineConfig& pipeline, const ScheduleRecord& record) {
  const Timestamp now = x_clock.Now();
  Next& next = x_next[pipeline.name];
  if (pipeline.deadline.empty() || (next.deadline && now < *next.deadline)) return {};
  const auto passed = DeadlinePassed(pipeline, now);
  if (passed) next.deadline = passed->next;
  if (!passed || (record.deadline && *record.deadline >= passed->at)) return {};
  std::vector<EventRecord> told;
  if (record.deadline && passed->due_since && !record.paused) {
    TRY_ASSIGN(const bool done, x_state.schedules().SucceededSince(pipeline.name, *passed->due_since));
    const Json body{{"pipeline", pipeline.name}, {"deadline", FormatTimestampMs(passed->at)}, {"due_since", FormatTimestampMs(*passed->due_since)}};
    if (!done) told.push_back(EventRecord{0, now, "deadline.missed", "", "", DumpJson(body)});
  }
  return x_state.schedules().HandleDeadline(pipeline.name, passed->at, told);
}

Result<std::vector<DueRun>> Scheduler::Due(const std::set<std::string>& running) {
  const std::lock_guard lock(x_mutex);
  const Timestamp now = x_clock.Now();
  if (now < x_seen) x_next.clear();
  x_seen = now;
  x_wake.reset();
  std::vector<DueRun> runs;
  if (!x_project) return runs;
  TRY_ASSIGN(std::vector<ScheduleRecord> records, x_state.schedules().Schedules());
  TRY(Meet(records));
  const auto wake = [&](std::optional<Timestamp> at) {
    if (at && *at > now && (!x_wake || *at < *x_wake)) x_wake = at;
  };
  for (const PipelineConfig& pipeline : x_project->pipelines) {
    const ScheduleRecord* found = Find(records, pipeline.name);
    const ScheduleRecord record = found != nullptr ? *found : ScheduleRecord{pipeline.name, {}, {}, 0, 0, {}, ""};
    TRY(LookAtDeadline(pipeline, record));
    wake(x_next[pipeline.name].deadline);
    if (!record.handled) continue;
    Next& next = x_next[pipeline.name];
    if (pipeline.timer && next.handled != record.handled) {
      next.at = pipeline.timer->NextAfter(*record.handled);
      next.handled = record.handled;
    }
    wake(next.at);
    const bool runs_now = running.contains(pipeline.name);
    if (next.at && *next.at <= now) {
      caudal::Due due = DueNow(pipeline, record, now, runs_now);
      if (due.begin) next.on_time = due.begin;
      // Whoever waits for a slot since then is not late by it.
      if (due.give_up && !runs_now && next.on_time && *next.on_time > *record.handled) due = caudal::Due{next.on_time, {}, "", 0, {}};
      if (due.give_up) TRY(GiveUp(pipeline, due));
      if (due.begin) {
        DueRun run{{}, *due.begin, {}};
        run.request.pipeline = pipeline.name;
        run.request.cause = "schedule";
        run.request.scheduled = due.begin;
        const bool folded = pipeline.catch_up == CatchUp::kLast;
        if (due.passed_over > 0) run.told.push_back(Told(folded ? "schedule.folded" : "schedule.missed", pipeline, due));
        runs.push_back(std::move(run));
        continue;
      }
    }
    const auto follows = runs_now ? std::nullopt : FollowsNow(pipeline, record, records);
    if (!follows) continue;
    DueRun run{{}, now, {}};
    run.request.pipeline = pipeline.name;
    run.request.cause = "after";
    run.request.followed = *follows;
    runs.push_back(std::move(run));
  }
  std::stable_sort(runs.begin(), runs.end(), [](const DueRun& a, const DueRun& b) { return a.since < b.since; });
  return runs;
}

}  // namespace caudal
