#include "project/connector_options.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/clock.h"
#include "base/json.h"

namespace caudal {
namespace {

bool IsSecretName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [&](const char& c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || (c >= '0' && c <= '9' && &c != name.data());
  });
}

bool LeavesFolder(std::string_view path) {
  int depth = 0;
  while (!path.empty()) {
    std::size_t slash = path.find('/');
    std::string_view part = path.substr(0, slash);
    if (part == "..") --depth;
    if (!part.empty() && part != "." && part != "..") ++depth;
    if (depth < 0) return true;
    path = slash == std::string_view::npos ? "" : path.substr(slash + 1);
  }
  return false;
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
    const std::string& text = node.text;
    switch (spec.type) {
      case OptionType::kInteger: {
        std::int64_t n = 0;
        auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
        if (error != std::errc() || end != text.data() + text.size()) {
          return Bad(node, spec, "should be a whole number, not '" + text + "'", "");
        }
        target = n;
        return;
      }
      case OptionType::kBoolean: {
        std::optional<bool> value = ParseBoolean(text);
        if (!value) return Bad(node, spec, "should be true or false, not '" + text + "'", "");
        target = *value;
        return;
      }
      case OptionType::kDuration: {
        Result<std::chrono::milliseconds> duration = ParseDuration(text);
        if (!duration) return Bad(node, spec, "is " + duration.error().message, duration.error().next);
        break;
      }
      case OptionType::kSize: {
        std::optional<std::int64_t> size = ParseSize(text);
        if (!size) return Bad(node, spec, "is not a size: '" + text + "'", "write a number and a unit, such as 64MB");
        target = *size;
        return;
      }
      case OptionType::kPath:
        if (text.empty()) return Bad(node, spec, "is empty", spec.description);
        if (text[0] != '/' && LeavesFolder(text)) {
          return Bad(node, spec, "leads out of the project folder: '" + text + "'", "write an absolute path");
        }
        break;
      case OptionType::kUrl:
        if (!Url(node, spec)) return;
        break;
      default: break;
    }
    target = text;
  }

  bool Url(const YamlNode& node, const OptionSpec& spec) {
    std::size_t scheme = node.text.find("://");
    std::string_view rest = std::string_view(node.text).substr(std::min(node.text.size(), scheme + 3));
    std::string_view host = rest.substr(0, rest.find_first_of("/?#"));
    bool blank = node.text.find_first_of(" \t\n") != std::string::npos;
    if (scheme == std::string::npos || scheme == 0 || host.empty() || blank) {
      // A text with '@' may be a password in the wrong place: it is not repeated.
      bool quiet = node.text.find('@') != std::string::npos;
      Bad(node, spec, quiet ? "is no URL" : "is no URL: '" + node.text + "'", "write it as https://host/path");
      return false;
    }
    if (host.find('@') != std::string_view::npos) {
      Bad(node, spec, "holds credentials", "take them out of the URL, and write them as ${NAME} in the options for them");
      return false;
    }
    return true;
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
                                    std::string(member.value.KindName()), "");
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
