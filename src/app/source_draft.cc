#include "app/source_draft.h"

#include <algorithm>
#include <cctype>
#include <sstream>

#include "base/json.h"
#include "project/file_context.h"

namespace caudal {
namespace {

bool IsPlain(const std::string& text) {
  if (text.empty() || text == "null" || text == "~" || text.front() == ' ' || text.back() == ' ' || text.back() == ':') return false;
  if (text.size() > 3 && text.rfind("${", 0) == 0 && text.back() == '}') return true;
  const bool begins = std::isalnum(static_cast<unsigned char>(text[0])) != 0 || text[0] == '_' || text[0] == '/' || text[0] == '.';
  return begins && text.find(": ") == std::string::npos && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || std::string_view("_./:@%+=- ").find(c) != std::string_view::npos;
  });
}

std::string Scalar(const std::string& text) { return IsPlain(text) ? text : DumpJson(Json(text)); }

std::string ListText(const std::string& words) {
  std::string list;
  std::istringstream in(words);
  for (std::string word; std::getline(in, word, ',');) {
    word.erase(0, word.find_first_not_of(' '));
    list += (list.empty() ? "" : ", ") + Scalar(word);
  }
  return "[" + list + "]";
}

bool AnyBelow(const OptionValues& values, const std::string& path) {
  const auto at = values.lower_bound(path + ".");
  return at != values.end() && at->first.compare(0, path.size() + 1, path + ".") == 0;
}

void WriteOptions(const std::vector<OptionSpec>& specs, const OptionValues& values, const std::string& prefix, const std::string& indent,
                  std::string& out) {
  for (const OptionSpec& spec : specs) {
    const std::string path = prefix + spec.name;
    if (const auto value = values.find(path); value != values.end()) {
      const bool list = spec.type == OptionType::kStringList;
      out += indent + spec.name + ": " + (list ? ListText(value->second) : Scalar(value->second)) + "\n";
    } else if (AnyBelow(values, path)) {
      out += indent + spec.name + ":\n";
      WriteOptions(spec.members, values, path + ".", indent + "  ", out);
    }
  }
}

void WriteStream(const StreamDraft& stream, const ConnectorSpec& spec, std::string& out) {
  std::string words;
  WriteOptions(spec.stream_options, stream.options, "", "    ", words);
  const auto line = [&](const char* word, const std::string& text) {
    if (!text.empty()) words += std::string("    ") + word + ": " + text + "\n";
  };
  line("write_disposition", stream.write_disposition);
  std::string key;
  for (const std::string& column : stream.key) key += (key.empty() ? "" : ", ") + Scalar(column);
  line("primary_key", stream.key.size() > 1 ? "[" + key + "]" : key);
  line("incremental", stream.cursor.empty() ? "" : Scalar(stream.cursor));
  out += "  " + stream.name + ":" + (words.empty() ? " {}\n" : "\n" + words);
}

void AddPaths(const std::vector<OptionSpec>& options, const std::string& prefix, std::vector<OptionPath>& paths) {
  for (const OptionSpec& option : options) {
    if (option.type == OptionType::kObject) {
      AddPaths(option.members, prefix + option.name + ".", paths);
    } else if (option.type != OptionType::kStringMap) {
      paths.push_back({prefix + option.name, &option});
    }
  }
}

}  // namespace

std::string YamlOf(const SourceDraft& draft, const ConnectorSpec& spec) {
  std::string out = "# Words: docs/project.md, docs/connectors/" + draft.type + ".md\n";
  const auto line = [&](const char* word, const std::string& text) {
    if (!text.empty()) out += std::string(word) + ": " + Scalar(text) + "\n";
  };
  line("type", draft.type);
  line("description", draft.description);
  line("owner", draft.owner);
  line("freshness", draft.freshness);
  WriteOptions(spec.options, draft.options, "", "", out);
  out += draft.streams.empty() ? "streams: {}\n" : "streams:\n";
  for (const StreamDraft& stream : draft.streams) WriteStream(stream, spec, out);
  return out;
}

std::vector<OptionPath> OptionPathsOf(const std::vector<OptionSpec>& options) {
  std::vector<OptionPath> paths;
  AddPaths(options, "", paths);
  return paths;
}

std::string StreamNameFrom(const std::string& text) {
  std::string stem = text.substr(0, text.find_first_of("*?"));
  const std::size_t slash = stem.rfind('/');
  // "day/*.csv" is called after its folder.
  if (slash != std::string::npos && slash + 1 == stem.size()) stem.pop_back();
  stem = stem.substr(stem.rfind('/') == std::string::npos ? 0 : stem.rfind('/') + 1);
  if (text.find_first_of("*?") == std::string::npos) stem = stem.substr(0, stem.find('.'));
  std::string name;
  for (const char c : stem) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    name += upper ? static_cast<char>(c - 'A' + 'a') : plain ? c : '_';
  }
  while (!name.empty() && name.back() == '_') name.pop_back();
  if (!name.empty() && name[0] >= '0' && name[0] <= '9') name = "_" + name;
  return IsIdentifier(name) ? name : "";
}

}  // namespace caudal
