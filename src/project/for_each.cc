#include "project/for_each.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "project/list_file.h"
#include "project/source_file.h"

namespace caudal {
namespace {

constexpr std::size_t kMostSources = 1000;
const std::string kPlain = "write $$ for a $ of the text itself";

const YamlMember* MemberOf(const YamlNode& map, std::string_view key) {
  const auto found = std::find_if(map.members.begin(), map.members.end(), [&](const YamlMember& m) { return m.key == key; });
  return found == map.members.end() ? nullptr : &*found;
}

bool IsNamePart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

/// What stands behind a `$`: "$name" or "$(name)".
struct Reference {
  std::string name;
  std::size_t length = 0;  // with the $
};

std::optional<Reference> ReferenceAt(std::string_view text, std::size_t at) {
  const bool bracket = at + 1 < text.size() && text[at + 1] == '(';
  const std::size_t begin = at + (bracket ? 2 : 1);
  std::size_t end = begin;
  while (end < text.size() && IsNamePart(text[end])) ++end;
  const std::string name(text.substr(begin, end - begin));
  if (!IsIdentifier(name) || (bracket && (end >= text.size() || text[end] != ')'))) return std::nullopt;
  return Reference{name, end + (bracket ? 1 : 0) - at};
}

class Expansion {
 public:
  Expansion(const YamlNode& root, const ForEachRequest& request, const FileContext& file) : x_root(root), x_request(request), x_file(file) {}

  std::vector<ExpandedSource> Run(bool& complete) {
    std::vector<ExpandedSource> sources;
    bool good = true;
    const std::vector<ListItem> items = Items(good);
    for (const ListItem& item : items) {
      for (const auto& [name, value] : item.values) x_names.insert(name);
    }
    const YamlNode* name = NameTemplate();
    complete = good && name != nullptr;
    if (name == nullptr) return sources;
    if (items.size() > kMostSources) {
      x_file.Add(*x_root.Find("for_each"), "'for_each' makes " + std::to_string(items.size()) + " sources, more than 1000", "write several files");
      complete = false;
      return sources;
    }
    for (const ListItem& item : items) {
      std::optional<ExpandedSource> source = Source(item, *name, sources);
      if (source) sources.push_back(*std::move(source));
      complete = complete && source;
    }
    return sources;
  }

 private:
  std::vector<ListItem> Items(bool& good) {
    const YamlNode& node = *x_root.Find("for_each");
    if (node.is_null()) {
      x_file.problems->Add(x_file.At(*MemberOf(x_root, "for_each")), "'for_each' lists nothing", "write [north, south], or a file of the folder lists");
      good = false;
      return {};
    }
    if (!node.is_scalar()) return ItemsOfYaml(node, "'for_each'", x_file, good);
    std::vector<std::string> lists;
    for (const ProjectFile& file : *x_request.files) {
      if (file.kind != ProjectFile::Kind::kList) continue;
      lists.push_back(file.path);
      if (file.path == node.text) return ItemsOfFile(file, *x_file.problems, good);
    }
    const std::string next = "write a list, [north, south], or a file of the folder lists, such as lists/branches.csv";
    x_file.Add(node, "'for_each' names no list of this project: '" + node.text + "'", lists.empty() ? next : DidYouMean(node.text, lists));
    good = false;
    return {};
  }

  const YamlNode* NameTemplate() {
    const YamlNode* name = x_root.Find("name");
    const std::string stem = x_file.path.substr(x_file.path.rfind('/') + 1);
    const std::string example = "write name: " + stem.substr(0, stem.rfind('.')) + "_$" + (x_names.empty() ? "each" : *x_names.begin());
    if (name == nullptr || name->is_null()) {
      x_file.Add(x_root, "a source with 'for_each' needs 'name', what each is called", example);
      return nullptr;
    }
    if (!name->is_scalar()) {
      x_file.Add(*name, "'name' should be one value, not " + std::string(name->KindName()), example);
      return nullptr;
    }
    if (name->text.find('$') != std::string::npos) return name;
    x_file.Add(*name, "'name' calls every source '" + name->text + "'", example);
    return nullptr;
  }

  std::optional<ExpandedSource> Source(const ListItem& item, const YamlNode& name, const std::vector<ExpandedSource>& before) {
    x_good = true;
    ExpandedSource source;
    source.place = item.place;
    source.name = Text(name, item);
    YamlNode root = x_root;
    std::erase_if(root.members, [](const YamlMember& m) { return m.key == "for_each" || m.key == "name"; });
    source.root = Filled(root, item);
    if (!x_good) return std::nullopt;
    if (const std::string why = WhyNoSchemaName(source.name); !why.empty()) {
      x_file.problems->Add(item.place, "the source's name '" + source.name + "' " + why, "change the value, or 'name' in " + x_file.At(name).ToString());
      return std::nullopt;
    }
    for (const ExpandedSource& other : before) {
      if (other.name != source.name) continue;
      x_file.problems->Add(item.place, "two sources are named '" + source.name + "' (also by " + other.place.ToString() + ")",
                           "change the value, or 'name' in " + x_file.At(name).ToString());
      return std::nullopt;
    }
    for (const auto& [word, value] : item.values) source.values.emplace_back(word, value.is_scalar() ? value.text : "(" + std::string(value.KindName()) + ")");
    return source;
  }

  // Keys stay as they are: an API's own parameters may begin with $.
  YamlNode Filled(const YamlNode& node, const ListItem& item) {
    YamlNode filled = node;
    for (YamlNode& child : filled.items) child = Filled(child, item);
    for (YamlMember& member : filled.members) member.value = Filled(member.value, item);
    if (!node.is_scalar() || node.text.find('$') == std::string::npos) return filled;
    const std::optional<Reference> whole = node.text[0] == '$' ? ReferenceAt(node.text, 0) : std::nullopt;
    if (whole && whole->length == node.text.size()) {
      if (const YamlNode* value = Value(*whole, node, item)) return Placed(*value, node);
      return filled;
    }
    filled.text = Text(node, item);
    return filled;
  }

  /// The value as it is, at the place where it is put in.
  static YamlNode Placed(YamlNode value, const YamlNode& at) {
    value.line = at.line;
    value.column = at.column;
    for (YamlNode& child : value.items) child = Placed(std::move(child), at);
    for (YamlMember& member : value.members) {
      member.line = at.line;
      member.column = at.column;
      member.value = Placed(std::move(member.value), at);
    }
    return value;
  }

  std::string Text(const YamlNode& node, const ListItem& item) {
    const std::string& text = node.text;
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
      if (text.compare(at, 2, "$$") == 0) {
        out += '$';
        at += 2;
        continue;
      }
      const std::optional<Reference> reference = text[at] == '$' ? ReferenceAt(text, at) : std::nullopt;
      const YamlNode* value = reference ? Value(*reference, node, item) : nullptr;
      const std::size_t length = reference ? reference->length : 1;
      if (value != nullptr && !value->is_scalar()) {
        x_file.Add(node, "'$" + reference->name + "' is " + std::string(value->KindName()) + ", and stands inside a text", "write it alone: $" + reference->name);
        x_good = false;
      }
      out += value != nullptr ? value->text : text.substr(at, length);
      at += length;
    }
    return out;
  }

  /// Null: it stays as it is written, or was complained about.
  const YamlNode* Value(const Reference& reference, const YamlNode& node, const ListItem& item) {
    if (const YamlNode* value = item.Find(reference.name)) return value;
    if (x_names.contains(reference.name)) {
      x_good = false;
      x_file.problems->Add(item.place, "the item has no '" + reference.name + "', which " + x_file.At(node).ToString() + " takes", "give it one");
    } else if (!x_request.project->parameters.contains(reference.name)) {
      x_good = false;
      const std::string near = DidYouMean(reference.name, std::vector<std::string>(x_names.begin(), x_names.end()));
      x_file.Add(node, "no item of 'for_each' has '" + reference.name + "'", near.empty() ? kPlain : near + " Or " + kPlain);
    }
    return nullptr;
  }

  const YamlNode& x_root;
  const ForEachRequest& x_request;
  const FileContext& x_file;
  std::set<std::string> x_names;  // that any item has
  bool x_good = true;             // of the source at hand
};

}  // namespace

bool HasForEach(const YamlNode& root) { return MemberOf(root, "for_each") != nullptr; }

std::vector<ExpandedSource> ExpandForEach(const YamlNode& root, const ForEachRequest& request, const FileContext& file, bool& complete) {
  return Expansion(root, request, file).Run(complete);
}

void MergeProblems(std::vector<std::pair<std::string, ProblemList>> of_sources, ProblemList& all) {
  const auto identity = [](const Problem& p) { return std::make_tuple(p.place.ToString(), p.message, p.next, p.warning); };
  std::map<decltype(identity(Problem{})), std::size_t> seen;
  std::vector<std::pair<std::string, std::vector<Problem>>> taken;
  for (auto& [name, list] : of_sources) {
    taken.emplace_back(name, list.Take());
    for (const Problem& problem : taken.back().second) ++seen[identity(problem)];
  }
  for (auto& [name, problems] : taken) {
    for (Problem& problem : problems) {
      const bool everywhere = seen[identity(problem)] == taken.size();
      std::string message = everywhere ? problem.message : name + ": " + problem.message;
      if (problem.warning) {
        all.Warn(problem.place, std::move(message), problem.next);
      } else {
        all.Add(problem.place, std::move(message), problem.next);
      }
    }
  }
}

}  // namespace caudal
