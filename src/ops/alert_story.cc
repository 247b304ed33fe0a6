#include "ops/alert_story.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/json.h"

namespace caudal {
namespace {

constexpr std::size_t kMostFacts = 10;

const PipelineConfig* PipelineNamed(const Project& project, const std::string& name) {
  for (const PipelineConfig& pipeline : project.pipelines) {
    if (pipeline.name == name) return &pipeline;
  }
  return nullptr;
}

Json BodyOf(const EventRecord& event) {
  auto body = ParseJson(event.body, "an event");
  return body && body->is_object() ? *std::move(body) : Json::object();
}

std::optional<Timestamp> TimeOf(const Json& json, const char* key) {
  const auto time = ParseTimestamp(JsonString(json, key, ""));
  if (!time) return std::nullopt;
  return *time;
}

bool Contains(const std::vector<std::string>& list, const std::string& word) { return std::find(list.begin(), list.end(), word) != list.end(); }

/// `word` as the shell takes it for one argument.
std::string Quoted(const std::string& word) {
  const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == '/';
  });
  if (plain) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

void AddFact(Alert& alert, std::string fact) {
  if (alert.facts.size() < kMostFacts) alert.facts.push_back(std::move(fact));
  else alert.facts.back() = "and more: caudal history";
}

void TellOfTasks(const Project& project, const Happening& happening, Alert& alert) {
  for (const TaskRecord& task : happening.tasks) {
    if (task.status == TaskStatus::kFailed) {
      AddFact(alert, task.name + ": " + task.error + (task.error_next.empty() ? "" : " (" + task.error_next + ")"));
    } else if (task.status == TaskStatus::kBlocked || task.status == TaskStatus::kCancelled) {
      alert.blocks.push_back(task.name);
    }
  }
  for (const PipelineConfig& pipeline : project.pipelines) {
    if (Contains(pipeline.after, alert.pipeline)) alert.blocks.push_back("pipeline " + pipeline.name);
  }
  if (!alert.run.empty()) alert.type = "caudal retry " + alert.run + " --project " + Quoted(project.folder);
}

void TellOfWarnings(const Happening& happening, Alert& alert) {
  std::set<std::string> seen;
  for (const CheckRecord& check : happening.checks) {
    if (check.verdict != "warn" || !seen.insert(check.table + " " + check.check).second) continue;
    AddFact(alert, check.table + ": " + check.check + " warns" + (check.message.empty() ? "" : ": " + check.message));
  }
  if (!seen.empty()) alert.words.push_back("checks_warned");
}

bool Rejects(const TaskRecord& task) {
  return task.rows_rejected > 0 && (task.status == TaskStatus::kSucceeded || task.status == TaskStatus::kUnchanged);
}

/// Whether one load rejected more rows than the rule allows.
bool AboveLimit(const AlertRule& rule, const Happening& happening) {
  return std::any_of(happening.tasks.begin(), happening.tasks.end(), [&](const TaskRecord& task) {
    const double most = rule.rejects_percent ? rule.rejects_above / 100.0 * static_cast<double>(task.rows_read) : rule.rejects_above;
    return Rejects(task) && static_cast<double>(task.rows_rejected) > most;
  });
}

void TellOfRejects(const Project& project, const Happening& happening, Alert& alert) {
  for (const TaskRecord& task : happening.tasks) {
    if (!Rejects(task)) continue;
    if (!Contains(alert.words, "rejects")) alert.words.push_back("rejects");
    AddFact(alert, fmt::format("{}: {} of {} rows rejected", task.name, task.rows_rejected, task.rows_read));
    if (alert.type.empty()) alert.type = "caudal show " + task.name + " --rejects --project " + Quoted(project.folder);
  }
}

void SchemaDrifted(const Project& project, const Json& body, Alert& alert) {
  const std::string table = JsonString(body, "table", "");
  alert.words.push_back("schema_drift");
  alert.title = fmt::format("{}: the source of {} changed", project.name, table);
  for (const Json& one : body.value("drift", Json::array())) AddFact(alert, JsonString(one, "words", ""));
  alert.type = "caudal show " + table + " --project " + Quoted(project.folder);
}

void RunFailed(const Project& project, const Happening& happening, Subject& subject, Alert& alert) {
  if (!subject.failing_since) subject.failing_since = happening.event.at;
  ++subject.failures;
  alert.since = subject.failing_since;
  const bool checks = std::any_of(happening.tasks.begin(), happening.tasks.end(),
                                  [](const TaskRecord& t) { return t.status == TaskStatus::kFailed && t.error_kind == "check_failed"; });
  alert.words.push_back("failed");
  if (checks) alert.words.push_back("checks_failed");
  alert.title = fmt::format("{}: pipeline {} failed{}", project.name, alert.pipeline,
                            subject.failures > 1 ? fmt::format(", {} times in a row", subject.failures) : "");
  if (happening.event.kind == "run.abandoned") AddFact(alert, "the daemon died with this run several times, and does not take it again");
  TellOfTasks(project, happening, alert);
  TellOfRejects(project, happening, alert);
}

void RunSucceeded(const Project& project, const Happening& happening, Subject& subject, Alert& alert) {
  if (subject.failing_since || subject.late_since) {
    alert.words.push_back("recovered");
    alert.since = subject.failing_since ? subject.failing_since : subject.late_since;
    alert.title = fmt::format("{}: pipeline {} is well again", project.name, alert.pipeline);
    if (subject.failing_since) AddFact(alert, fmt::format("it had failed {}", subject.failures == 1 ? "once" : fmt::format("{} times", subject.failures)));
    if (subject.late_since) {
      const auto late = std::chrono::duration_cast<std::chrono::minutes>(happening.event.at - *subject.late_since);
      AddFact(alert, fmt::format("it was ready {} after its deadline", FormatDuration(std::max(late, std::chrono::minutes(0)))));
    }
  }
  TellOfWarnings(happening, alert);
  TellOfRejects(project, happening, alert);
  if (alert.title.empty() && alert.words == std::vector<std::string>{"rejects"}) alert.title = fmt::format("{}: pipeline {} rejected rows", project.name, alert.pipeline);
  if (alert.title.empty() && !alert.words.empty()) alert.title = fmt::format("{}: checks of pipeline {} warn", project.name, alert.pipeline);
  subject.failing_since.reset();
  subject.late_since.reset();
  subject.failures = 0;
}

void ProjectChanged(const Project& project, const Happening& happening, const Json& body, Subject& subject, Alert& alert) {
  if (happening.event.kind == "project.broken") {
    if (!subject.failing_since) subject.failing_since = happening.event.at;
    alert.words.push_back("project");
    alert.title = project.name + ": the project has mistakes, the last good one goes on";
    const std::string where = JsonString(body, "where", "");
    AddFact(alert, (where.empty() ? "" : where + ": ") + JsonString(body, "error", ""));
    alert.type = "caudal validate --project " + Quoted(project.folder);
  } else if (subject.failing_since) {
    alert.words.push_back("project");
    alert.since = subject.failing_since;
    subject.failing_since.reset();
    alert.title = project.name + ": the project is without mistakes again";
  }
}

bool Concerns(const AlertRule& rule, const PipelineConfig* pipeline) {
  if (rule.pipelines.empty() && rule.owners.empty() && rule.tags.empty()) return true;
  if (pipeline == nullptr) return false;
  return Contains(rule.pipelines, pipeline->name) || Contains(rule.owners, pipeline->owner) ||
         std::any_of(pipeline->tags.begin(), pipeline->tags.end(), [&](const std::string& tag) { return Contains(rule.tags, tag); });
}

/// Words of a state that goes on are told again no sooner than the rule says.
bool GoesOn(const std::string& word) { return word == "failed" || word == "checks_failed" || word == "checks_warned" || word == "missed" || word == "rejects"; }

std::vector<std::string> ChannelsFor(const Project& project, const PipelineConfig* pipeline, const Happening& happening, const Alert& alert,
                                     Subject& subject) {
  std::set<std::string> channels;
  const bool first = subject.failures == 1;
  for (const AlertRule& rule : project.alerts.rules) {
    if (!Concerns(rule, pipeline)) continue;
    for (const std::string& word : alert.words) {
      if (!rule.on.empty() && !Contains(rule.on, word)) continue;
      if (word == "rejects" && !AboveLimit(rule, happening)) continue;
      for (const std::string& channel : rule.to) {
        const std::string key = word + "/" + channel;
        const auto last = subject.told.find(key);
        const bool again = last != subject.told.end() && alert.at >= last->second && alert.at - last->second < rule.repeat;
        const bool anew = first && (word == "failed" || word == "checks_failed");
        if (GoesOn(word) && again && !anew) continue;
        subject.told[key] = alert.at;
        channels.insert(channel);
      }
    }
  }
  return {channels.begin(), channels.end()};
}

}  // namespace

std::string SubjectToJson(const Subject& subject) {
  Json json{{"failures", subject.failures}, {"told", Json::object()}};
  if (subject.failing_since) json["failing_since"] = FormatTimestampMs(*subject.failing_since);
  if (subject.late_since) json["late_since"] = FormatTimestampMs(*subject.late_since);
  for (const auto& [key, at] : subject.told) json["told"][key] = FormatTimestampMs(at);
  return DumpJson(json);
}

Subject SubjectFromJson(const std::string& text) {
  Subject subject;
  const auto json = ParseJson(text, "what is remembered of a pipeline");
  if (!json || !json->is_object()) return subject;
  subject.failures = JsonInt(*json, "failures", 0);
  subject.failing_since = TimeOf(*json, "failing_since");
  subject.late_since = TimeOf(*json, "late_since");
  if (!json->contains("told") || !(*json)["told"].is_object()) return subject;
  for (const auto& [key, at] : (*json)["told"].items()) {
    if (const auto time = at.is_string() ? ParseTimestamp(at.get<std::string>()) : Result<Timestamp>(Timestamp())) subject.told[key] = *time;
  }
  return subject;
}

std::optional<std::string> SubjectOf(const Project& project, const EventRecord& event) {
  if (event.kind == "project.broken" || event.kind == "project.loaded") return "";
  static const std::set<std::string> kKinds = {"run.failed", "run.succeeded", "run.abandoned", "deadline.missed", "schedule.missed", "schema.drifted"};
  if (!kKinds.contains(event.kind)) return std::nullopt;
  const std::string name = JsonString(BodyOf(event), "pipeline", "");
  if (PipelineNamed(project, name) == nullptr) return std::nullopt;
  return name;
}

std::optional<Telling> Tell(const Project& project, const Happening& happening, Subject& subject) {
  const EventRecord& event = happening.event;
  const Json body = BodyOf(event);
  Telling telling;
  Alert& alert = telling.alert;
  alert.id = fmt::format("{}-{}", project.name, event.sequence);
  alert.project = project.name;
  alert.pipeline = JsonString(body, "pipeline", "");
  alert.run = event.run;
  alert.at = event.at;
  const PipelineConfig* pipeline = PipelineNamed(project, alert.pipeline);
  if (event.kind == "run.failed" || event.kind == "run.abandoned") {
    RunFailed(project, happening, subject, alert);
  } else if (event.kind == "run.succeeded") {
    RunSucceeded(project, happening, subject, alert);
  } else if (event.kind == "deadline.missed") {
    subject.late_since = TimeOf(body, "deadline").value_or(event.at);
    alert.words.push_back("late");
    alert.title = fmt::format("{}: pipeline {} is late", project.name, alert.pipeline);
    AddFact(alert, fmt::format("no run of it had succeeded by its deadline, {}",
                               pipeline != nullptr ? FormatLocal(*subject.late_since, pipeline->time_zone) : JsonString(body, "deadline", "")));
    if (subject.failing_since) AddFact(alert, "it fails since " + FormatTimestamp(*subject.failing_since).substr(0, 19) + "Z");
    TellOfTasks(project, happening, alert);
    alert.type = "caudal status --project " + Quoted(project.folder);
  } else if (event.kind == "schedule.missed") {
    alert.words.push_back("missed");
    const long long times = JsonInt(body, "times", 0);
    alert.title = fmt::format("{}: pipeline {} missed {}", project.name, alert.pipeline, times == 1 ? "a scheduled time" : fmt::format("{} scheduled times", times));
    alert.since = TimeOf(body, "since");
    AddFact(alert, JsonString(body, "why", ""));
    alert.type = "caudal run " + alert.pipeline + " --project " + Quoted(project.folder);
  } else if (event.kind == "schema.drifted") {
    SchemaDrifted(project, body, alert);
  } else {
    ProjectChanged(project, happening, body, subject, alert);
  }
  if (alert.words.empty()) return std::nullopt;
  telling.channels = ChannelsFor(project, pipeline, happening, alert, subject);
  if (telling.channels.empty()) return std::nullopt;
  return telling;
}

}  // namespace caudal
