#include "serve/pipeline_document.h"

#include <algorithm>

#include "base/json.h"
#include "serve/run_document.h"

namespace caudal {
namespace {

std::string Listed(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 20;
  std::string list;
  for (std::size_t i = 0; i < names.size() && i < kMost; ++i) list += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > kMost) list += " and " + std::to_string(names.size() - kMost) + " more";
  return list;
}

Json NextOf(const PipelineConfig& pipeline, bool paused, Timestamp now) {
  return TimeOrNull(pipeline.timer && !paused ? pipeline.timer->NextAfter(now) : std::nullopt);
}

}  // namespace

Result<const PipelineConfig*> FindPipeline(const Project& project, const std::string& name) {
  std::vector<std::string> names;
  for (const PipelineConfig& pipeline : project.pipelines) {
    if (pipeline.name == name) return &pipeline;
    names.push_back(pipeline.name);
  }
  const std::string near = Nearest(name, names);
  return Error{ErrorKind::kNotFound, "no pipeline is called '" + name + "'",
               near.empty() ? "there is " + (names.empty() ? std::string("none") : Listed(names)) : "did you mean '" + near + "'?", ""};
}

ScheduleRecord RecordOf(const std::vector<ScheduleRecord>& records, const std::string& pipeline) {
  const auto it = std::lower_bound(records.begin(), records.end(), pipeline, [](const ScheduleRecord& r, const std::string& name) { return r.pipeline < name; });
  if (it != records.end() && it->pipeline == pipeline) return *it;
  return ScheduleRecord{pipeline, {}, {}, 0, 0, {}, ""};
}

std::vector<Timestamp> NextTimes(const PipelineConfig& pipeline, Timestamp after, int count) {
  std::vector<Timestamp> times;
  std::optional<Timestamp> at = after;
  for (int i = 0; pipeline.timer && i < count; ++i) {
    at = pipeline.timer->NextAfter(*at);
    if (!at) break;
    times.push_back(*at);
  }
  return times;
}

Json PipelineStatusDocument(const PipelineConfig& pipeline, const ScheduleRecord& record, const std::optional<RunRecord>& last,
                            std::optional<Timestamp> next) {
  Json document{{"pipeline", pipeline.name},
                {"schedule", pipeline.schedule},
                {"after", pipeline.after},
                {"time_zone", pipeline.time_zone.name()},
                {"deadline", pipeline.deadline},
                {"paused_since", TimeOrNull(record.paused)},
                {"next", TimeOrNull(next)},
                {"last", nullptr}};
  if (last) {
    document["last"] = {{"run", last->id},
                        {"status", RunStatusName(last->status)},
                        {"cause", last->cause},
                        {"started", FormatTimestampMs(last->started)},
                        {"ended", TimeOrNull(last->ended)},
                        {"scheduled", TimeOrNull(last->scheduled)}};
  }
  return document;
}

Json ScheduleDocument(const PipelineConfig& pipeline, Timestamp after, int count) {
  Json document{{"pipeline", pipeline.name}, {"schedule", pipeline.schedule}, {"time_zone", pipeline.time_zone.name()},
                {"after", pipeline.after}, {"next", Json::array()}};
  for (const Timestamp at : NextTimes(pipeline, after, count)) document["next"].push_back(FormatTimestampMs(at));
  return document;
}

Json PauseDocument(const PipelineConfig& pipeline, bool paused, bool changed, Timestamp now) {
  return {{"pipeline", pipeline.name}, {"paused", paused}, {"changed", changed}, {"next", NextOf(pipeline, paused, now)}};
}

Result<bool> SetPaused(ScheduleStore& schedules, const PipelineConfig& pipeline, bool paused, Timestamp now, const std::string& by) {
  TRY_ASSIGN(const auto records, schedules.Schedules());
  if (RecordOf(records, pipeline.name).paused.has_value() == paused) return false;
  Json body{{"pipeline", pipeline.name}};
  if (!by.empty()) body["by"] = by;
  const EventRecord told{0, now, paused ? "pipeline.paused" : "pipeline.resumed", "", "", DumpJson(body)};
  TRY(schedules.SetPaused(pipeline.name, paused ? std::optional(now) : std::nullopt, told));
  return true;
}

}  // namespace caudal
