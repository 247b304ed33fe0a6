#include "serve/body_reader.h"

#include <algorithm>

#include "base/json.h"

namespace caudal {
namespace {

constexpr std::size_t kMostTexts = 1000;

Error Bad(const std::string& name, const std::string& what) { return Error{ErrorKind::kInvalidArgument, "'" + name + "' " + what, "", name}; }

}  // namespace

Result<BodyReader> BodyReader::Read(const std::string& body, std::initializer_list<std::string_view> names) {
  auto json = ParseJson(body.empty() ? "{}" : std::string_view(body), "the request's body");
  if (!json) return Error{ErrorKind::kInvalidArgument, json.error().message, "send one JSON object", "body"};
  if (!json->is_object()) return Error{ErrorKind::kInvalidArgument, "the request's body is no JSON object", "send one JSON object", "body"};
  for (const auto& [name, value] : json->items()) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    std::string known;
    for (const std::string_view word : names) known += (known.empty() ? "" : ", ") + std::string(word);
    const std::string shown = name.substr(0, 60);
    return Error{ErrorKind::kInvalidArgument, "'" + shown + "' is no member of this body", known.empty() ? "it has none" : "there is " + known, shown};
  }
  BodyReader reader;
  reader.x_object = std::make_shared<const Json>(*std::move(json));
  return reader;
}

Result<std::optional<std::string>> BodyReader::Text(const std::string& name) const {
  const auto it = x_object->find(name);
  if (it == x_object->end()) return std::optional<std::string>();
  if (!it->is_string()) return Bad(name, "is no text");
  return std::optional(it->get<std::string>());
}

Result<std::string> BodyReader::NeedText(const std::string& name) const {
  TRY_ASSIGN(auto text, Text(name));
  if (!text) return Bad(name, "is missing");
  return *std::move(text);
}

Result<std::vector<std::string>> BodyReader::Texts(const std::string& name) const {
  const auto it = x_object->find(name);
  std::vector<std::string> texts;
  if (it == x_object->end()) return texts;
  if (!it->is_array() || it->size() > kMostTexts) return Bad(name, "is no list of texts");
  for (const Json& item : *it) {
    if (!item.is_string()) return Bad(name, "is no list of texts");
    texts.push_back(item.get<std::string>());
  }
  return texts;
}

Result<bool> BodyReader::Flag(const std::string& name) const {
  const auto it = x_object->find(name);
  if (it == x_object->end()) return false;
  if (!it->is_boolean()) return Bad(name, "is neither true nor false");
  return it->get<bool>();
}

Result<std::optional<int>> BodyReader::Number(const std::string& name, int least, int most) const {
  const auto it = x_object->find(name);
  if (it == x_object->end()) return std::optional<int>();
  const std::string range = "is no whole number from " + std::to_string(least) + " to " + std::to_string(most);
  if (!it->is_number_integer() || (it->is_number_unsigned() && it->get<std::uint64_t>() > static_cast<std::uint64_t>(most))) return Bad(name, range);
  const auto number = it->get<std::int64_t>();
  if (number < least || number > most) return Bad(name, range);
  return std::optional(static_cast<int>(number));
}

}  // namespace caudal
