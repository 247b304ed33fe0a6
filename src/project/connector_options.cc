#include "project/connector_options.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/json.h"
#include "project/option_form.h"

namespace caudal {
namespace {

bool IsSecretName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [&](const char& c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || (c >= '0' && c <= '9' && &c != name.data());
  });
}

class OptionsReader {
 public:
  OptionsReader(const OptionsRequest& request, const FileContext& file, std::map<std::string, std::string>& secrets)
      : x_request(request), x_file(file), x_secrets(secrets) {}

  Json Object(const YamlNode& map, const std::vector<OptionSpec>& specs, const std::string& path,
              const std::vector<std::string>& other_words, const std::string& what) {
    Json object = Json::object();
    std::vector<std::string> words = other_words;
    for (const OptionSpec& spec : specs) words.push_back(spec.name);
    for (const YamlMember& member : map.members) {
      if (std::find(words.begin(), words.end(), member.key) == words.end()) {
        x_file.problems->Add(x_file.At(member), "unknown word '" + member.key + "' in " + what,
                             DidYouMean(member.key, words));
      }
    }
    for (const OptionSpec& spec : specs) {
      const YamlNode* value = map.Find(spec.name);
      if (value != nullptr && !value->is_null()) {
        Value(*value, spec, path + spec.name, object);
        Siblings(map, spec, what);
      } else if (spec.required) {
        x_file.Add(map, what + " needs '" + spec.name + "'", spec.description);
      } else if (!spec.default_value.empty()) {
        Default(spec, object);
      }
    }
    return object;
  }

 private:
  void Bad(const YamlNode& node, const OptionSpec& spec, const std::string& message, std::string next) {
    x_file.Add(node, "'" + spec.name + "' " + message, std::move(next));
  }

  // The spec's own text goes the same way as the user's; a broken default is a bug of the connector's.
  void Default(const OptionSpec& spec, Json& object) {
    YamlNode node;
    bool structured = spec.type == OptionType::kStringList || spec.type == OptionType::kStringMap ||
                      spec.type == OptionType::kObject;
    if (structured) {
      Result<YamlNode> parsed = ParseYaml(spec.default_value, spec.name);
      if (!parsed) return;
      node = *std::move(parsed);
    } else {
      node.kind = YamlNode::Kind::kScalar;
      node.text = spec.default_value;
    }
    Value(node, spec, spec.name, object);
  }

  // True where `node` was a ${NAME}, or a mistaken one.
  bool Secret(const YamlNode& node, const OptionSpec& spec, const std::string& path) {
    if (!node.is_scalar()) return false;
    const std::string& text = node.text;
    bool whole = text.size() > 3 && text.rfind("${", 0) == 0 && text.back() == '}' && text.find('}') == text.size() - 1;
    if (whole) {
      std::string name = text.substr(2, text.size() - 3);
      if (IsSecretName(name)) {
        x_secrets[x_request.secret_prefix + path] = name;
      } else {
        Bad(node, spec, "names a secret that is no name: '" + name + "'", "use letters, digits and _");
      }
      return true;
    }
    if (text.find("${") != std::string::npos) {
      Bad(node, spec, "mixes text and a secret", "write the whole value as ${NAME}");
      return true;
    }
    if (spec.secret) {
      Bad(node, spec, "is a secret and must not stand in the project",
          "write ${NAME}, and set NAME in the environment or in the secret file");
      return true;
    }
    return false;
  }

  void Value(const YamlNode& node, const OptionSpec& spec, const std::string& path, Json& object) {
    if (Secret(node, spec, path)) return;
    if (spec.secret && spec.type != OptionType::kObject) {
      return Bad(node, spec, "is a secret and must not stand in the project", "write ${NAME}");
    }
    switch (spec.type) {
      case OptionType::kStringList: return List(node, spec, path, object);
      case OptionType::kStringMap: return Map(node, spec, path, object);
      case OptionType::kObject:
        if (spec.members.empty()) {
          object[spec.name] = Free(node, spec, path);
        } else if (node.is_map()) {
          object[spec.name] = Object(node, spec.members, path + ".", {}, "'" + spec.name + "'");
        } else {
          Bad(node, spec, "should be a map, not " + std::string(node.KindName()), spec.description);
        }
        return;
      default: break;
    }
    if (!node.is_scalar()) {
      return Bad(node, spec, "should be one value, not " + std::string(node.KindName()), spec.description);
    }
    if (!spec.choices.empty() && std::find(spec.choices.begin(), spec.choices.end(), node.text) == spec.choices.end()) {
      return Bad(node, spec, "cannot be '" + node.text + "'", DidYouMean(node.text, spec.choices));
    }
    Scalar(node, spec, object[spec.name]);
  }

  void Scalar(const YamlNode& node, const OptionSpec& spec, Json& target) {
    if (const std::optional<OptionMistake> mistake = MistakeOf(spec, node.text)) {
      return Bad(node, spec, mistake->message, mistake->next);
    }
    const std::string& text = node.text;
    switch (spec.type) {
      case OptionType::kInteger: target = *ParseInteger(text); return;
      case OptionType::kBoolean: target = *ParseBoolean(text); return;
      case OptionType::kSize: target = *ParseSize(text); return;
      default: target = text;
    }
  }

  /// What options say of one another.
  void Siblings(const YamlNode& map, const OptionSpec& spec, const std::string& what) {
    const YamlNode* value = map.Find(spec.name);
    if (value == nullptr || value->is_null()) return;
    const auto given = [&](const std::string& name) {
      const YamlNode* other = map.Find(name);
      return other != nullptr && !other->is_null();
    };
    for (const std::string& other : spec.excludes) {
      if (given(other)) x_file.Add(*value, what + " has '" + spec.name + "' and '" + other + "'", "take one of them out");
    }
    const auto needs = value->is_scalar() ? spec.needs.find(value->text) : spec.needs.end();
    if (needs == spec.needs.end()) return;
    for (const std::string& other : needs->second) {
      if (given(other)) continue;
      x_file.Add(*value, "'" + spec.name + ": " + value->text + "' needs '" + other + "'", "write " + other + ": beside it");
    }
  }

  void List(const YamlNode& node, const OptionSpec& spec, const std::string& path, Json& object) {
    Json list = Json::array();
    for (const std::string& text : TextsOf(node, spec.name, x_file)) {
      if (text.find("${") != std::string::npos) {
        return Bad(node, spec, "holds a secret in a list", "a secret is the whole value of an option");
      }
      if (!spec.choices.empty() && std::find(spec.choices.begin(), spec.choices.end(), text) == spec.choices.end()) {
        return Bad(node, spec, "cannot hold '" + text + "'", DidYouMean(text, spec.choices));
      }
      list.push_back(text);
    }
    (void)path;
    object[spec.name] = std::move(list);
  }

  void Map(const YamlNode& node, const OptionSpec& spec, const std::string& path, Json& object) {
    if (!node.is_map()) {
      return Bad(node, spec, "should be a map, not " + std::string(node.KindName()), spec.description);
    }
    Json map = Json::object();
    for (const YamlMember& member : node.members) {
      if (member.value.is_null() || Secret(member.value, spec, path + "." + member.key)) continue;
      if (!member.value.is_scalar()) {
        Bad(member.value, spec, "should map names to values; '" + member.key + "' is " +
                                    std::string(member.value.KindName()), "write one value: " + member.key + ": text");
        continue;
      }
      if (const std::optional<OptionMistake> mistake = FormMistakeOf(spec, member.value.text)) {
        Bad(member.value, spec, "of '" + member.key + "' " + mistake->message, mistake->next);
        continue;
      }
      map[member.key] = member.value.text;
    }
    object[spec.name] = std::move(map);
  }

  // An object whose members no spec names: plain scalars get the JSON type they look like.
  Json Free(const YamlNode& node, const OptionSpec& spec, const std::string& path) {
    if (node.is_map()) {
      Json object = Json::object();
      for (const YamlMember& member : node.members) {
        std::string below = path + "." + member.key;
        if (!Secret(member.value, spec, below)) object[member.key] = Free(member.value, spec, below);
      }
      return object;
    }
    if (node.is_sequence()) {
      Json list = Json::array();
      for (const YamlNode& item : node.items) {
        if (item.is_scalar() && item.text.find("${") != std::string::npos) {
          Bad(item, spec, "holds a secret in a list", "a secret is the whole value of an option");
        } else {
          list.push_back(Free(item, spec, path));
        }
      }
      return list;
    }
    if (node.is_null()) return nullptr;
    if (!node.quoted && (node.text == "true" || node.text == "false")) return node.text == "true";
    if (!node.quoted && IsInteger(node.text) && node.text.size() <= 18) return std::stoll(node.text);
    return node.text;
  }

  const OptionsRequest& x_request;
  const FileContext& x_file;
  std::map<std::string, std::string>& x_secrets;
};

}  // namespace

std::string ParseConnectorOptions(const YamlNode& map, const OptionsRequest& request, const FileContext& file,
                                  std::map<std::string, std::string>& secrets) {
  OptionsReader reader(request, file, secrets);
  return DumpJson(reader.Object(map, *request.specs, "", request.other_words, request.what));
}

YamlNode MergeYaml(const YamlNode& under, const YamlNode& over) {
  if (over.is_null()) return under;
  if (!under.is_map() || !over.is_map()) return over;
  YamlNode merged = over;
  for (const YamlMember& member : under.members) {
    bool found = false;
    for (YamlMember& mine : merged.members) {
      if (mine.key != member.key) continue;
      mine.value = MergeYaml(member.value, mine.value);
      found = true;
    }
    if (!found) merged.members.push_back(member);
  }
  return merged;
}

}  // namespace caudal
