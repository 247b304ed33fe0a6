#include "connect/options.h"

#include <charconv>

#include "base/clock.h"
#include "base/json.h"

namespace caudal {
namespace {
const Json kNothing;
}  // namespace

Options::Options(Json json) : x_json(std::make_unique<Json>(std::move(json))) {}
Options::~Options() = default;
Options::Options(Options&& other) noexcept = default;

Result<Options> Options::Parse(const std::string& text) {
  if (text.empty()) return Options(Json::object());
  Result<Json> json = ParseJson(text, "the options of a source");
  if (json && json->is_object()) return Options(*std::move(json));
  return Error{ErrorKind::kInvalidArgument, "the options of a source are no JSON object", "", ""};
}

const Json& Options::At(std::string_view path) const {
  const Json* at = x_json.get();
  while (!path.empty()) {
    const std::size_t dot = path.find('.');
    const auto member = at->is_object() ? at->find(path.substr(0, dot)) : at->end();
    if (!at->is_object() || member == at->end()) return kNothing;
    at = &*member;
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  }
  return *at;
}

bool Options::Has(std::string_view path) const { return !At(path).is_null(); }

std::string Options::Text(std::string_view path, std::string_view fallback) const {
  const Json& json = At(path);
  if (json.is_string()) return json.get<std::string>();
  return json.is_primitive() && !json.is_null() ? json.dump() : std::string(fallback);
}

std::int64_t Options::Integer(std::string_view path, std::int64_t fallback) const {
  const Json& json = At(path);
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (!json.is_string()) return fallback;
  const auto& text = json.get_ref<const std::string&>();
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : fallback;
}

bool Options::Boolean(std::string_view path, bool fallback) const {
  const Json& json = At(path);
  if (json.is_boolean()) return json.get<bool>();
  return json.is_string() ? json == "true" : fallback;
}

std::chrono::milliseconds Options::Duration(std::string_view path, std::chrono::milliseconds fallback) const {
  const Json& json = At(path);
  if (!json.is_string()) return fallback;
  const Result<std::chrono::milliseconds> parsed = ParseDuration(json.get<std::string>());
  return parsed ? *parsed : fallback;
}

std::vector<std::string> Options::Texts(std::string_view path) const {
  const Json& json = At(path);
  std::vector<std::string> texts;
  if (json.is_string()) texts.push_back(json.get<std::string>());
  if (!json.is_array()) return texts;
  for (const Json& item : json) texts.push_back(item.is_string() ? item.get<std::string>() : item.dump());
  return texts;
}

std::map<std::string, std::string> Options::Map(std::string_view path) const {
  const Json& json = At(path);
  std::map<std::string, std::string> map;
  if (!json.is_object()) return map;
  for (const auto& [name, value] : json.items()) {
    if (value.is_string()) {
      map[name] = value.get<std::string>();
    } else if (value.is_primitive() && !value.is_null()) {
      map[name] = value.dump();
    }
  }
  return map;
}

OptionSpec MakeOption(const char* name, OptionType type, const char* fallback, const char* description) {
  OptionSpec option;
  option.name = name;
  option.type = type;
  option.default_value = fallback;
  option.description = description;
  return option;
}

std::string PathIn(const std::string& folder, const std::string& path) {
  if (!path.empty() && path[0] == '/') return path;
  return folder + "/" + path;
}

std::vector<std::string> DottedPath(std::string_view path) {
  std::vector<std::string> steps;
  if (path.starts_with("$")) path.remove_prefix(1);
  while (!path.empty()) {
    const std::size_t dot = path.find('.');
    if (dot != 0) steps.emplace_back(path.substr(0, dot));
    if (dot == std::string_view::npos) break;
    path.remove_prefix(dot + 1);
  }
  return steps;
}

}  // namespace caudal
