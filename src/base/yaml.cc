#include "base/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "base/utf8.h"

namespace caudal {
namespace {

constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kMaxNodes = 200'000;
constexpr std::size_t kMaxBytes = std::size_t{16} << 20;

// Leaves the library's parser early; caught in ReadYaml.
struct Stop {
  YamlProblem problem;
};

std::vector<std::string_view> LinesOf(std::string_view text) {
  std::vector<std::string_view> lines;
  for (std::size_t begin = 0; begin <= text.size();) {
    std::size_t end = text.find('\n', begin);
    if (end == std::string_view::npos) end = text.size();
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

int CharactersIn(std::string_view bytes) {
  int count = 0;
  for (char c : bytes) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
  return count;
}

// The library ends a document silently at byte 4 and garbles what is no UTF-8, so both are found before it looks.
std::optional<YamlProblem> FindBadBytes(const std::vector<std::string_view>& lines) {
  for (std::size_t l = 0; l < lines.size(); ++l) {
    std::string_view line = lines[l];
    bool indenting = true;
    std::size_t opened = 0;
    for (std::size_t at = 0; at < line.size();) {
      int number = static_cast<int>(l + 1);
      int column = CharactersIn(line.substr(0, at)) + 1;
      unsigned char c = static_cast<unsigned char>(line[at]);
      std::size_t length = Utf8SequenceLength(line, at);
      if (length == 0) return YamlProblem{number, column, "the file is not UTF-8", "save it as UTF-8"};
      if (c == '\t' && indenting && line.find_first_not_of(" \t\r") != std::string_view::npos) {
        return YamlProblem{number, column, "a tab in the indentation", "indent with blanks"};
      }
      if (c < 0x20 && c != '\t' && !(c == '\r' && at + 1 == line.size())) {
        return YamlProblem{number, column, "a control character (byte " + std::to_string(c) + ")", "take it out"};
      }
      // The library's scanner is quadratic in a run of these.
      if (c != ' ') opened = c == '[' || c == '{' ? opened + 1 : 0;
      if (opened > kMaxDepth) return YamlProblem{number, column, "more than 64 levels", "flatten the file"};
      if (c != ' ') indenting = false;
      at += length;
    }
  }
  return std::nullopt;
}

// ${NAME} is text wherever it stands; to YAML its brace would open a map inside [..] and {..}. The braces travel as
// two bytes that no document may hold, so that places stay as they are.
constexpr char kOpenBrace = '\x1E', kCloseBrace = '\x1F';

std::string HideNames(std::string text) {
  for (std::size_t at = text.find("${"); at != std::string::npos; at = text.find("${", at + 1)) {
    std::size_t end = at + 2;
    auto is_part = [](char c) {
      // $ and brackets: a value of for_each may stand inside, ${DB_$(region)}.
      return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '$' || c == '(' || c == ')';
    };
    while (end < text.size() && is_part(text[end])) ++end;
    if (end == at + 2 || end >= text.size() || text[end] != '}') continue;
    text[at + 1] = kOpenBrace;
    text[end] = kCloseBrace;
  }
  return text;
}

std::string ShowNames(std::string text) {
  std::replace(text.begin(), text.end(), kOpenBrace, '{');
  std::replace(text.begin(), text.end(), kCloseBrace, '}');
  return text;
}

class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(const std::vector<std::string_view>& lines) : x_lines(lines) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    // A second "document" starts where text follows "...", or at "---".
    if (x_documents++ > 0) Refuse(mark, "a second document", "keep one document in a file: take out '---'");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { Value(At(mark, YamlNode::Kind::kNull), anchor, mark); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode node = At(mark, YamlNode::Kind::kScalar);
    node.text = ShowNames(value);
    node.quoted = tag == "!";
    if (node.quoted && !QuoteIsClosed(mark)) Refuse(mark, "a quote that is not closed", "close it");
    Value(std::move(node), anchor, mark);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    auto it = x_anchors.find(anchor);
    if (it == x_anchors.end()) Refuse(mark, "an alias inside its own anchor", "write the value out");
    YamlNode copy = it->second;
    x_nodes += CountNodes(copy);
    // Places stay those of the anchor: that is where the value stands.
    Value(std::move(copy), 0, mark);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(mark, YamlNode::Kind::kSequence, anchor);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(mark, YamlNode::Kind::kMap, anchor);
  }
  void OnMapEnd() override { Close(); }

  YamlNode TakeRoot() {
    // After an early stop the containers are still open: keep what they hold.
    while (!x_open.empty()) Close();
    return std::move(x_root);
  }
  std::vector<YamlProblem>& problems() { return x_problems; }

 private:
  struct Container {
    YamlNode node;
    YAML::anchor_t anchor = 0;
    std::optional<YamlMember> key;  // of a map, once its key was read
    bool skip = false;              // the key was bad: its value is read and dropped
  };

  YamlProblem ProblemAt(const YAML::Mark& mark, std::string message, std::string next) const {
    int line = mark.line < 0 ? 1 : mark.line + 1;
    int column = 1;
    if (mark.column > 0) {
      auto l = static_cast<std::size_t>(line - 1);
      auto bytes = static_cast<std::size_t>(mark.column);
      column = l < x_lines.size() ? CharactersIn(x_lines[l].substr(0, bytes)) + 1 : mark.column + 1;
    }
    return YamlProblem{line, column, std::move(message), std::move(next)};
  }
  [[noreturn]] void Refuse(const YAML::Mark& mark, std::string message, std::string next) const {
    throw Stop{ProblemAt(mark, std::move(message), std::move(next))};
  }
  YamlNode At(const YAML::Mark& mark, YamlNode::Kind kind) const {
    YamlProblem place = ProblemAt(mark, "", "");
    YamlNode node;
    node.kind = kind;
    node.line = place.line;
    node.column = place.column;
    return node;
  }
  // The library takes the end of the file for a closing quote.
  bool QuoteIsClosed(const YAML::Mark& mark) const {
    auto l = static_cast<std::size_t>(mark.line);
    auto at = static_cast<std::size_t>(mark.column);
    if (l >= x_lines.size()) return true;
    std::string_view line = x_lines[l];
    // Anchor and tag stand in front.
    while (at < line.size() && (line[at] == '&' || line[at] == '!')) {
      at = line.find(' ', at);
      at = at == std::string_view::npos ? line.size() : line.find_first_not_of(' ', at);
    }
    if (at >= line.size() || (line[at] != '\'' && line[at] != '"')) return true;
    char quote = line[at++];
    for (;; ++l, at = 0) {
      if (l >= x_lines.size()) return false;
      for (line = x_lines[l]; at < line.size(); ++at) {
        if (quote == '"' && line[at] == '\\') {
          ++at;
        } else if (line[at] == quote) {
          if (quote == '"' || at + 1 >= line.size() || line[at + 1] != quote) return true;
          ++at;
        }
      }
    }
  }
  static std::size_t CountNodes(const YamlNode& node) {
    std::size_t count = 1;
    for (const YamlNode& item : node.items) count += CountNodes(item);
    for (const YamlMember& member : node.members) count += CountNodes(member.value);
    return count;
  }
  static std::size_t DepthOf(const YamlNode& node) {
    std::size_t depth = 0;
    for (const YamlNode& item : node.items) depth = std::max(depth, DepthOf(item));
    for (const YamlMember& member : node.members) depth = std::max(depth, DepthOf(member.value));
    return depth + 1;
  }

  void Open(const YAML::Mark& mark, YamlNode::Kind kind, YAML::anchor_t anchor) {
    if (x_open.size() >= kMaxDepth) Refuse(mark, "more than 64 levels", "flatten the file");
    if (!x_open.empty() && x_open.back().node.is_map() && !x_open.back().key) {
      Refuse(mark, "a key that is a list or a map", "keys are plain words; write a value such as ${NAME} in quotes");
    }
    x_open.push_back(Container{At(mark, kind), anchor, std::nullopt, false});
  }
  void Close() {
    Container done = std::move(x_open.back());
    x_open.pop_back();
    YAML::Mark nowhere;
    Value(std::move(done.node), done.anchor, nowhere);
  }

  void Value(YamlNode node, YAML::anchor_t anchor, const YAML::Mark& mark) {
    if (++x_nodes > kMaxNodes) Refuse(mark, "more than 200,000 values once its aliases are followed", "write less");
    if (anchor != 0) x_anchors[anchor] = node;
    if (x_open.empty()) {
      x_root = std::move(node);
      return;
    }
    Container& parent = x_open.back();
    if (parent.node.is_sequence()) {
      CheckDepth(node, mark);
      parent.node.items.push_back(std::move(node));
    } else if (!parent.key) {
      Key(parent, node);
    } else {
      CheckDepth(node, mark);
      parent.key->value = std::move(node);
      if (!parent.skip) parent.node.members.push_back(*std::move(parent.key));
      parent.key.reset();
      parent.skip = false;
    }
  }
  void CheckDepth(const YamlNode& node, const YAML::Mark& mark) const {
    if (x_open.size() + DepthOf(node) > kMaxDepth + 1) Refuse(mark, "more than 64 levels", "flatten the file");
  }
  void Key(Container& parent, const YamlNode& node) {
    std::string word = node.is_null() ? "null" : node.text;
    parent.key = YamlMember{word, node.line, node.column, YamlNode{}};
    const YamlMember* before = nullptr;
    for (const YamlMember& member : parent.node.members) {
      if (member.key == word) before = &member;
    }
    if (before != nullptr) {
      x_problems.push_back({node.line, node.column, "'" + word + "' is written twice (first in line " +
                                                        std::to_string(before->line) + ")", "keep one of them"});
      parent.skip = true;
    } else if (word == "<<" && !node.quoted) {
      x_problems.push_back({node.line, node.column, "merge keys (<<) are not read", "write the members out"});
      parent.skip = true;
    }
  }

  const std::vector<std::string_view>& x_lines;
  YamlNode x_root;
  std::vector<Container> x_open;
  std::map<YAML::anchor_t, YamlNode> x_anchors;
  std::vector<YamlProblem> x_problems;
  std::size_t x_nodes = 0;
  int x_documents = 0;
};

// The library's words, where ours say more.
std::pair<std::string, std::string> InWords(const std::string& message) {
  auto has = [&](const char* part) { return message.find(part) != std::string::npos; };
  if (has("illegal map value")) return {"a ':' where no key can stand", "put a value that holds ': ' in quotes"};
  if (has("end of map not found")) return {"the indentation does not fit the lines above", "align the keys of one map"};
  if (has("end of sequence not found")) return {"the indentation does not fit the lines above", "align the '-' of one list"};
  if (has("end of map flow")) return {"a '{' without its '}'", "close it, or put a comma between the members"};
  if (has("end of sequence flow")) return {"a '[' without its ']'", "close it, or put a comma between the items"};
  if (has("unknown token")) return {"a character that no value may begin with", "put the value in quotes"};
  if (has("end of scalar") || has("illegal EOF")) return {"a quote that is not closed", "close it"};
  if (has("anchor")) return {"an alias whose anchor is not above it", "write the value out, or name an anchor that stands above"};
  if (has("bad file") || has("invalid")) return {message, ""};
  return {message, ""};
}

}  // namespace

const YamlNode* YamlNode::Find(std::string_view key) const {
  for (const YamlMember& member : members) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

std::string_view YamlNode::KindName() const {
  switch (kind) {
    case Kind::kNull: return "nothing";
    case Kind::kScalar: return "a value";
    case Kind::kSequence: return "a list";
    case Kind::kMap: return "a map";
  }
  return "nothing";
}

YamlOutcome ReadYaml(std::string_view text) {
  YamlOutcome outcome;
  if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
  if (text.size() > kMaxBytes) {
    outcome.problems.push_back({1, 1, "the file is larger than 16 MiB", "split it"});
    return outcome;
  }
  std::vector<std::string_view> lines = LinesOf(text);
  if (std::optional<YamlProblem> bad = FindBadBytes(lines)) {
    outcome.problems.push_back(*std::move(bad));
    return outcome;
  }
  TreeBuilder builder(lines);
  std::optional<YamlProblem> stopped;
  try {
    std::istringstream stream{HideNames(std::string(text))};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Stop& stop) {
    stopped = stop.problem;
  } catch (const YAML::Exception& e) {
    auto [message, next] = InWords(e.msg);
    int line = e.mark.line < 0 ? 1 : e.mark.line + 1;
    int column = e.mark.column < 0 ? 1 : e.mark.column + 1;
    auto l = static_cast<std::size_t>(line - 1);
    if (l < lines.size()) column = CharactersIn(lines[l].substr(0, static_cast<std::size_t>(column - 1))) + 1;
    stopped = YamlProblem{line, column, message, next};
  } catch (const std::exception& e) {
    stopped = YamlProblem{1, 1, std::string("not YAML: ") + e.what(), ""};
  }
  if (!stopped) outcome.root = builder.TakeRoot();
  outcome.problems = std::move(builder.problems());
  if (stopped) outcome.problems.push_back(*std::move(stopped));
  return outcome;
}

Result<YamlNode> ParseYaml(std::string_view text, std::string_view what) {
  YamlOutcome outcome = ReadYaml(text);
  if (outcome.problems.empty()) return std::move(outcome.root);
  const YamlProblem& first = outcome.problems.front();
  return Error{ErrorKind::kInvalidArgument, first.message, first.next,
               std::string(what) + ":" + std::to_string(first.line) + ":" + std::to_string(first.column)};
}

}  // namespace caudal
