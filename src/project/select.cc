// dbt's selector grammar over the nodes of a project.
#include <algorithm>
#include <charconv>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "data/name.h"
#include "project/file_context.h"
#include "project/glob.h"
#include "project/project.h"

namespace caudal {
namespace {

using Tables = std::set<std::string>;

constexpr int kAllTheWay = std::numeric_limits<int>::max();

// One term: [@ | [n]+] core [+[n]]
struct Term {
  std::string core;
  int up = 0, down = 0;
  bool at = false;
};

std::optional<Term> ParseTerm(std::string_view text) {
  Term term;
  if (!text.empty() && text[0] == '@') {
    term.at = true;
    text.remove_prefix(1);
  }
  std::size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
  if (digits < text.size() && text[digits] == '+') {
    term.up = kAllTheWay;
    if (digits > 0) std::from_chars(text.data(), text.data() + digits, term.up);
    text.remove_prefix(digits + 1);
  }
  std::size_t end = text.size();
  while (end > 0 && text[end - 1] >= '0' && text[end - 1] <= '9') --end;
  if (end > 0 && text[end - 1] == '+') {
    term.down = kAllTheWay;
    if (end < text.size()) std::from_chars(text.data() + end, text.data() + text.size(), term.down);
    text = text.substr(0, end - 1);
  }
  term.core = std::string(text);
  if (term.core.empty() || term.core.find('+') != std::string::npos) return std::nullopt;
  if (term.at && (term.up != 0 || term.down != 0)) return std::nullopt;
  return term;
}

class Selector {
 public:
  explicit Selector(const Project& project) : x_project(project) {
    for (const Node& node : project.nodes) x_nodes[node.table] = &node;
  }

  /// Blanks: any of them.
  Result<Tables> Union(const std::vector<std::string>& arguments) const {
    Tables all;
    for (const std::string& argument : arguments) {
      for (const std::string& part : Split(argument, ' ')) {
        TRY_ASSIGN(Tables some, Intersection(part));
        all.insert(some.begin(), some.end());
      }
    }
    return all;
  }

 private:
  static std::vector<std::string> Split(const std::string& text, char separator) {
    std::vector<std::string> parts;
    std::string part;
    for (char c : text + separator) {
      bool blank = separator == ' ' && (c == '\t' || c == '\n');
      if (c != separator && !blank) {
        part += c;
      } else if (!part.empty() || separator != ' ') {
        parts.push_back(std::move(part));
        part.clear();
      }
    }
    return parts;
  }

  Result<Tables> Intersection(const std::string& text) const {
    std::optional<Tables> all;
    for (const std::string& part : Split(text, ',')) {
      TRY_ASSIGN(Tables some, OfTerm(part, text));
      if (!all) {
        all = std::move(some);
        continue;
      }
      Tables both;
      std::set_intersection(all->begin(), all->end(), some.begin(), some.end(), std::inserter(both, both.end()));
      all = std::move(both);
    }
    return *std::move(all);
  }

  Result<Tables> OfTerm(const std::string& text, const std::string& whole) const {
    std::optional<Term> term = ParseTerm(text);
    if (!term) {
      return Error{ErrorKind::kInvalidArgument, "not a selector: '" + whole + "'",
                   "write a table, tag:x, path:models/gold, source:erp, +up, down+, 2+x+1 or @x", ""};
    }
    TRY_ASSIGN(Tables core, OfCore(term->core));
    Tables all = core;
    Tables below = Walk(core, term->at ? kAllTheWay : term->down, &Node::downstream);
    all.insert(below.begin(), below.end());
    // @x: x, what depends on it, and all that any of those needs.
    Tables above = Walk(term->at ? all : core, term->at ? kAllTheWay : term->up, &Node::upstream);
    all.insert(above.begin(), above.end());
    return all;
  }

  Tables Walk(const Tables& from, int steps, std::vector<std::string> Node::* edges) const {
    Tables seen = from;
    Tables edge = from;
    for (int step = 0; step < steps && !edge.empty(); ++step) {
      Tables next;
      for (const std::string& table : edge) {
        for (const std::string& other : x_nodes.at(table)->*edges) {
          if (seen.insert(other).second) next.insert(other);
        }
      }
      edge = std::move(next);
    }
    return seen;
  }

  Result<Tables> OfCore(const std::string& core) const {
    std::size_t colon = core.find(':');
    std::string method = colon == std::string::npos ? "" : core.substr(0, colon);
    std::string value = colon == std::string::npos ? core : core.substr(colon + 1);
    if (colon == std::string::npos && core.find('/') != std::string::npos) method = "path";
    if (method == "tag") return OfTag(value);
    if (method == "path") return OfPath(value);
    if (method == "source") return OfSource(value);
    if (method.empty() || method == "fqn") return OfName(value);
    return Error{ErrorKind::kInvalidArgument, "unknown selector method '" + method + "'",
                 DidYouMean(method, {"tag", "path", "source", "fqn"}), ""};
  }

  template <typename Test>
  Result<Tables> Matching(const std::string& what, const std::string& value, const std::vector<std::string>& names,
                          Test test) const {
    Tables found;
    for (const auto& [table, node] : x_nodes) {
      if (test(*node)) found.insert(table);
    }
    if (!found.empty()) return found;
    return Error{ErrorKind::kNotFound, "nothing is selected by " + what + " '" + value + "'", DidYouMean(value, names),
                 ""};
  }

  Result<Tables> OfTag(const std::string& value) const {
    std::set<std::string> tags;
    for (const Node& node : x_project.nodes) tags.insert(node.tags.begin(), node.tags.end());
    return Matching("tag", value, {tags.begin(), tags.end()}, [&](const Node& node) {
      return std::any_of(node.tags.begin(), node.tags.end(),
                         [&](const std::string& tag) { return NameMatches(tag, value); });
    });
  }

  Result<Tables> OfPath(std::string value) const {
    std::set<std::string> paths;
    for (const Node& node : x_project.nodes) {
      paths.insert(node.path);
      for (std::size_t slash = node.path.find('/'); slash != std::string::npos; slash = node.path.find('/', slash + 1)) {
        paths.insert(node.path.substr(0, slash));
      }
    }
    if (value.rfind("./", 0) == 0) value.erase(0, 2);
    while (!value.empty() && value.back() == '/') value.pop_back();
    return Matching("path", value, {paths.begin(), paths.end()}, [&](const Node& node) {
      return node.path.rfind(value + "/", 0) == 0 || NameMatches(node.path, value);
    });
  }

  Result<Tables> OfSource(std::string value) const {
    value = LowerName(value);
    std::vector<std::string> names;
    for (const SourceConfig& source : x_project.sources) names.push_back(source.name);
    return Matching("source", value, names, [&](const Node& node) {
      if (node.kind != Node::Kind::kStream) return false;
      return NameMatches(node.table, value) || NameMatches(node.table.substr(0, node.table.find('.')), value);
    });
  }

  Result<Tables> OfName(std::string value) const {
    value = LowerName(value);
    std::vector<std::string> names;
    for (const auto& [table, node] : x_nodes) names.push_back(table);
    return Matching("the name", value, names, [&](const Node& node) {
      return NameMatches(node.table, value) || NameMatches(node.table.substr(node.table.find('.') + 1), value);
    });
  }

  const Project& x_project;
  std::map<std::string, const Node*> x_nodes;
};

}  // namespace

Result<std::set<std::string>> Select(const Project& project, const std::vector<std::string>& select,
                                     const std::vector<std::string>& exclude) {
  for (const auto* words : {&select, &exclude}) {
    if (std::find(words->begin(), words->end(), "") == words->end()) continue;
    return Error{ErrorKind::kInvalidArgument, "a selector is empty", "write a table, tag:x, path:x or source:x, or leave the option out", ""};
  }
  Selector selector(project);
  Tables chosen;
  if (select.empty()) {
    for (const Node& node : project.nodes) chosen.insert(node.table);
  } else {
    TRY_ASSIGN(chosen, selector.Union(select));
  }
  TRY_ASSIGN(Tables out, selector.Union(exclude));
  for (const std::string& table : out) chosen.erase(table);
  return chosen;
}

}  // namespace caudal
