#include "project/pipeline_file.h"

#include <algorithm>
#include <utility>


namespace caudal {
namespace {

bool IsTimeOfDay(const std::string& text) {
  if (text.size() != 5 || text[2] != ':' || !IsInteger(text.substr(0, 2)) || !IsInteger(text.substr(3))) return false;
  return text.substr(0, 2) < "24" && text.substr(3) < "60" && text[0] >= '0' && text[3] >= '0';
}

constexpr std::pair<std::string_view, OnDst> kOnDst[] = {{"skip", OnDst::kSkip}, {"first", OnDst::kFirst}, {"both", OnDst::kBoth}};
constexpr std::pair<std::string_view, CatchUp> kCatchUp[] = {{"none", CatchUp::kNone}, {"last", CatchUp::kLast}, {"all", CatchUp::kAll}};

/// The value of one of a few words.
template <typename T, std::size_t N>
T OneOf(const YamlNode* node, const char* word, const std::pair<std::string_view, T> (&values)[N], T fallback, const FileContext& file) {
  if (node == nullptr) return fallback;
  const std::string text = TextOf(*node, word, file).value_or("");
  std::vector<std::string> names;
  for (const auto& [name, value] : values) {
    if (name == text) return value;
    names.emplace_back(name);
  }
  file.Add(*node, "'" + std::string(word) + "' cannot be '" + text + "'", DidYouMean(text, names));
  return fallback;
}

/// Everything that says when it runs.
void ReadTimes(MapReader& reader, const FileContext& file, PipelineConfig& config) {
  if (const YamlNode* node = reader.Take("time_zone")) {
    const std::string name = TextOf(*node, "time_zone", file).value_or("UTC");
    auto zone = TimeZone::Find(name);
    if (zone) config.time_zone = *std::move(zone);
    if (!zone && zone.error().kind == ErrorKind::kInvalidArgument) {
      file.Add(*node, "'time_zone' is no name of the time zone database: '" + name + "'", zone.error().next);
    } else if (!zone) {
      file.Add(*node, zone.error().message, zone.error().next);
    }
  }
  const YamlNode* on_dst = reader.Take("on_dst");
  const OnDst rule = OneOf(on_dst, "on_dst", kOnDst, OnDst::kByHours, file);
  if (const YamlNode* node = reader.Take("schedule")) {
    config.schedule = TextOf(*node, "schedule", file).value_or("");
    if (!config.schedule.empty()) {
      auto timer = Schedule::Parse(config.schedule, config.name, config.time_zone, rule);
      if (!timer) file.Add(*node, "'schedule' " + timer.error().message, timer.error().next);
      if (timer) config.timer = *std::move(timer);
    }
  }
  if (on_dst != nullptr && config.schedule.empty()) file.Add(*on_dst, "'on_dst' without a schedule", "write a schedule, or take it out");
  config.catch_up = OneOf(reader.Take("catch_up"), "catch_up", kCatchUp, CatchUp::kLast, file);
  if (const auto most = reader.Integer("max_active", 1, 256); most && *most > 1) {
    file.Add(*reader.node().Find("max_active"), "'max_active' above 1 is not there yet", "write 1: a pipeline's runs come one after the other");
  }
  if (const YamlNode* node = reader.Take("after")) {
    config.after = TextsOf(*node, "after", file);
    for (std::size_t i = 0; i < config.after.size(); ++i) {
      config.after_places.push_back(file.At(node->is_sequence() && i < node->items.size() ? node->items[i] : *node));
    }
  }
}

}  // namespace

PipelineFile ParsePipelineFile(const YamlNode& root, const std::string& name, const FileContext& file,
                               const Project& project) {
  PipelineFile pipeline;
  PipelineConfig& config = pipeline.config;
  config.name = name;
  config.place = file.At(root);
  MapReader reader(root, "a pipeline", file);
  ReadTimes(reader, file, config);
  if (const YamlNode* node = reader.Take("run")) {
    config.run = TextsOf(*node, "run", file);
    for (std::size_t i = 0; i < config.run.size(); ++i) {
      pipeline.run_places.push_back(node->is_sequence() && i < node->items.size() ? file.At(node->items[i])
                                                                                 : file.At(*node));
    }
  }
  config.retries = reader.Durations("retries").value_or(project.retries);
  config.timeout = reader.Timeout();
  if (const YamlNode* node = reader.Take("deadline")) {
    config.deadline = TextOf(*node, "deadline", file).value_or("");
    if (!IsTimeOfDay(config.deadline)) {
      file.Add(*node, "'deadline' is no time of day: '" + config.deadline + "'", "write \"09:00\"");
    }
  }
  if (auto slots = reader.Integer("slots", 1, 256)) config.slots = static_cast<int>(*slots);
  config.owner = reader.Text("owner", project.owner);
  config.description = reader.Text("description", "");
  config.tags = reader.Texts("tags");
  reader.Later({"notifications", "notify", "alerts", "sla"}, "write rules below `alerts:` in caudal.yaml");
  reader.Finish();
  return pipeline;
}

}  // namespace caudal
