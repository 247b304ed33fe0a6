#include "project/pipeline_file.h"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "data/name.h"

namespace caudal {
namespace {

struct CronField {
  const char* name;
  int least, most;
  std::vector<std::string> words;  // names of least, least + 1, ...
};

const std::vector<CronField>& CronFields() {
  static const std::vector<CronField> kFields = {
      {"minute", 0, 59, {}},
      {"hour", 0, 23, {}},
      {"day of the month", 1, 31, {}},
      {"month", 1, 12, {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
      {"day of the week", 0, 7, {"sun", "mon", "tue", "wed", "thu", "fri", "sat"}}};
  return kFields;
}

std::vector<std::string_view> SplitAt(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::optional<int> CronNumber(std::string_view text, const CronField& field) {
  for (std::size_t i = 0; i < field.words.size(); ++i) {
    if (SameName(text, field.words[i])) return field.least + static_cast<int>(i);
  }
  int n = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc() || end != text.data() + text.size() || n < field.least || n > field.most) return std::nullopt;
  return n;
}

bool IsCronPart(std::string_view part, const CronField& field) {
  std::size_t slash = part.find('/');
  if (slash != std::string_view::npos) {
    int step = 0;
    std::string_view text = part.substr(slash + 1);
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), step);
    if (error != std::errc() || end != text.data() + text.size() || step < 1 || step > field.most) return false;
    part = part.substr(0, slash);
    if (part != "*" && part.find('-') == std::string_view::npos) return false;
  }
  if (part == "*") return true;
  std::size_t dash = part.find('-');
  std::optional<int> first = CronNumber(part.substr(0, dash), field);
  if (dash == std::string_view::npos) return first.has_value();
  std::optional<int> last = CronNumber(part.substr(dash + 1), field);
  return first && last && *first <= *last;
}

bool IsTimeOfDay(const std::string& text) {
  if (text.size() != 5 || text[2] != ':' || !IsInteger(text.substr(0, 2)) || !IsInteger(text.substr(3))) return false;
  return text.substr(0, 2) < "24" && text.substr(3) < "60" && text[0] >= '0' && text[3] >= '0';
}

std::string WhyNoTimeZone(const std::string& zone) {
  auto is_part = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '/' ||
           c == '+' || c == '-';
  };
  std::string why = "'time_zone' is no name of the time zone database: '" + zone + "'";
  if (zone.empty() || zone[0] == '/' || !std::all_of(zone.begin(), zone.end(), is_part)) return why;
  // A machine may lack the database: then any well-formed name passes here, and the scheduler complains.
  struct stat info {};
  const std::string folder = "/usr/share/zoneinfo/";
  if (zone == "UTC" || stat((folder + "UTC").c_str(), &info) != 0) return "";
  bool is_file = stat((folder + zone).c_str(), &info) == 0 && S_ISREG(info.st_mode);
  return is_file ? "" : why;
}

}  // namespace

std::string WhyNoSchedule(std::string_view text) {
  constexpr std::string_view kShort[] = {"@hourly", "@daily", "@weekly", "@monthly", "@yearly"};
  if (std::find(std::begin(kShort), std::end(kShort), text) != std::end(kShort)) return "";
  std::vector<std::string_view> fields;
  for (std::string_view part : SplitAt(text, ' ')) {
    if (!part.empty()) fields.push_back(part);
  }
  if (fields.size() != 5) return "has " + std::to_string(fields.size()) + (fields.size() == 1 ? " field" : " fields") + ", not 5";
  for (std::size_t i = 0; i < 5; ++i) {
    const CronField& field = CronFields()[i];
    for (std::string_view part : SplitAt(fields[i], ',')) {
      if (IsCronPart(part, field)) continue;
      return "has '" + std::string(fields[i]) + "' as its " + field.name + " (" + std::to_string(field.least) + " to " +
             std::to_string(field.most) + ")";
    }
  }
  return "";
}

PipelineFile ParsePipelineFile(const YamlNode& root, const std::string& name, const FileContext& file,
                               const Project& project) {
  PipelineFile pipeline;
  PipelineConfig& config = pipeline.config;
  config.name = name;
  config.place = file.At(root);
  MapReader reader(root, "a pipeline", file);
  if (const YamlNode* node = reader.Take("schedule")) {
    config.schedule = TextOf(*node, "schedule", file).value_or("");
    std::string why = config.schedule.empty() ? "" : WhyNoSchedule(config.schedule);
    if (!why.empty()) file.Add(*node, "'schedule' " + why, "write minute hour day month weekday, such as \"0 5 * * *\"");
  }
  if (const YamlNode* node = reader.Take("time_zone")) {
    config.time_zone = TextOf(*node, "time_zone", file).value_or("UTC");
    std::string why = WhyNoTimeZone(config.time_zone);
    if (!why.empty()) file.Add(*node, why, "write one such as Europe/Madrid or UTC");
  }
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
  reader.Later({"notifications", "notify", "alerts", "sla"}, "take it out");
  reader.Finish();
  return pipeline;
}

}  // namespace caudal
