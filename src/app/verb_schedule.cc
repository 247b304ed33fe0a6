// `schedule`, `status`, `pause`, `resume`, `alerts test`.
#include <fmt/format.h>

#include <algorithm>

#include "app/exit_code.h"
#include "app/table_print.h"
#include "app/verbs.h"
#include "base/json.h"
#include "ops/alerter.h"
#include "serve/pipeline_document.h"
#include "serve/run_document.h"
#include "state/history_store.h"
#include "state/process_lock.h"
#include "state/schedule_store.h"

namespace caudal {
namespace {

std::string WhenWords(const PipelineConfig& pipeline) {
  std::vector<std::string> words;
  if (!pipeline.schedule.empty()) {
    words.push_back(pipeline.schedule + (pipeline.time_zone.name() == "UTC" ? "" : " " + pipeline.time_zone.name()));
  }
  if (!pipeline.after.empty()) words.push_back("after " + Joined(pipeline.after, 20));
  return words.empty() ? "by hand" : Joined(words, words.size());
}

}  // namespace

Result<int> ScheduleVerb(const Command& command, const ScheduleOptions& options) {
  TRY_ASSIGN(auto session, Session::Open(command.global));
  TRY_ASSIGN(const Project* project, session->LoadedProject());
  if (!options.pipeline.empty()) TRY(FindPipeline(*project, options.pipeline));
  Timestamp after = SystemClock().Now();
  if (!options.after.empty()) {
    TRY_ASSIGN(after, ParseTimestamp(options.after));
  }
  Json document{{"pipelines", Json::array()}};
  TextTable table;
  table.columns = {{"pipeline", false}, {"local time", false}, {"time zone", false}, {"UTC", false}};
  for (const PipelineConfig& pipeline : project->pipelines) {
    if (!options.pipeline.empty() && pipeline.name != options.pipeline) continue;
    document["pipelines"].push_back(ScheduleDocument(pipeline, after, options.next));
    for (const Timestamp at : NextTimes(pipeline, after, options.next)) {
      table.rows.push_back({pipeline.name, FormatLocal(at, pipeline.time_zone), pipeline.time_zone.name(), FormatTimestamp(at).substr(0, 19) + "Z"});
    }
    if (!pipeline.timer) table.rows.push_back({pipeline.name, WhenWords(pipeline), std::nullopt, std::nullopt});
  }
  if (command.console.json()) {
    command.console.Document(document);
  } else if (table.rows.empty()) {
    command.console.Line("the project has no pipeline");
  } else {
    command.console.Write(FormatTable(table, TextLayout{"", 60, static_cast<std::size_t>(command.console.width())}));
  }
  return kExitOk;
}

Result<int> StatusVerb(const Command& command) {
  TRY_ASSIGN(auto session, Session::Open(command.global));
  TRY_ASSIGN(const Project* project, session->LoadedProject());
  TRY_ASSIGN(StateStore * state, session->State());
  TRY_ASSIGN(const auto records, state->schedules().Schedules());
  const auto holder = ProcessLock::Holder(session->folder() + "/.caudal/daemon.lock");
  const Timestamp now = SystemClock().Now();
  Json document{{"served_by", holder ? Json(*holder) : Json(nullptr)}, {"pipelines", Json::array()}};
  TextTable table;
  table.columns = {{"pipeline", false}, {"runs", false}, {"next", false}, {"last run", false}, {"began", false}, {"ended", false}};
  for (const PipelineConfig& pipeline : project->pipelines) {
    const ScheduleRecord record = RecordOf(records, pipeline.name);
    TRY_ASSIGN(const auto last, state->schedules().LastRun(pipeline.name));
    const auto next = pipeline.timer && !record.paused ? pipeline.timer->NextAfter(now) : std::nullopt;
    document["pipelines"].push_back(PipelineStatusDocument(pipeline, record, last, next));
    std::vector<Cell> row{pipeline.name, WhenWords(pipeline),
                          record.paused ? "paused" : next ? FormatLocal(*next, pipeline.time_zone) : std::string(), "", "", ""};
    if (last) {
      const std::string status(RunStatusName(last->status));
      row[3] = status + " " + last->id;
      row[4] = LocalTime(last->started);
      row[5] = last->ended ? LocalTime(*last->ended) : std::string();
    }
    table.rows.push_back(std::move(row));
  }
  if (command.console.json()) {
    command.console.Document(document);
    return kExitOk;
  }
  command.console.Line(holder ? "served by process " + *holder : "nobody serves the project: `caudal serve` does, and nothing wakes until then");
  if (!table.rows.empty()) command.console.Write(FormatTable(table, TextLayout{"", 60, static_cast<std::size_t>(command.console.width())}));
  return kExitOk;
}

Result<int> AlertTestVerb(const Command& command, const std::string& channel) {
  TRY_ASSIGN(auto session, Session::Open(command.global));
  TRY_ASSIGN(const Project* project, session->LoadedProject());
  TRY(SendTestAlert(*project, channel, SystemClock().Now()));
  if (command.console.json()) {
    command.console.Document(Json{{"channel", channel}, {"sent", true}});
  } else {
    command.console.Line("sent to " + channel + ": look whether it came");
  }
  return kExitOk;
}

Result<int> PauseVerb(const Command& command, const std::string& pipeline, bool pause) {
  TRY_ASSIGN(auto session, Session::Open(command.global));
  TRY_ASSIGN(const Project* project, session->LoadedProject());
  TRY_ASSIGN(const PipelineConfig* config, FindPipeline(*project, pipeline));
  TRY_ASSIGN(StateStore * state, session->State());
  const Timestamp now = SystemClock().Now();
  TRY_ASSIGN(const bool changed, SetPaused(state->schedules(), *config, pause, now, ""));
  const bool was = changed != pause;
  const auto next = config->timer ? config->timer->NextAfter(now) : std::nullopt;
  if (command.console.json()) {
    command.console.Document(PauseDocument(*config, pause, changed, now));
  } else if (pause) {
    command.console.Line(fmt::format("{} {}: the daemon begins no run of it; one that runs goes on, and `caudal run {}` still works", pipeline,
                                     was ? "was paused already" : "is paused", pipeline));
  } else {
    command.console.Line(fmt::format("{} {}{}", pipeline, was ? "is no longer paused" : "was not paused",
                                     next ? "; it runs next at " + FormatLocal(*next, config->time_zone) : ""));
  }
  return kExitOk;
}

}  // namespace caudal
