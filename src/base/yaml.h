// A YAML document as a tree of ours, with the place of every part. Only yaml.cc knows the library behind it.
// Values; no thread affinity. What we read of YAML: docs/project.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace caudal {

struct YamlMember;

struct YamlNode {
  enum class Kind { kNull, kScalar, kSequence, kMap };
  Kind kind = Kind::kNull;
  std::string text;     // kScalar, without quotes
  bool quoted = false;  // kScalar: in quotes, or a block
  int line = 1;         // from 1
  int column = 1;       // from 1, in characters
  std::vector<YamlNode> items;      // kSequence
  std::vector<YamlMember> members;  // kMap, in the order of the file; keys are unique

  bool is_null() const { return kind == Kind::kNull; }
  bool is_scalar() const { return kind == Kind::kScalar; }
  bool is_sequence() const { return kind == Kind::kSequence; }
  bool is_map() const { return kind == Kind::kMap; }
  /// The value of that member, or nullptr.
  const YamlNode* Find(std::string_view key) const;
  /// "a map", "a list", "a value", "nothing": for messages.
  std::string_view KindName() const;
};

struct YamlMember {
  std::string key;
  int line = 1;
  int column = 1;
  YamlNode value;
};

struct YamlProblem {
  int line = 1;
  int column = 1;
  std::string message;
  std::string next;
};

struct YamlOutcome {
  YamlNode root;                      // kNull for an empty document; whatever could be read where there are problems
  std::vector<YamlProblem> problems;  // empty = a good document
};

/// Reads one document. Refused: tabs in the indentation, duplicate and non-scalar keys, merge keys, an alias inside its own
/// anchor, a second document, more than 64 levels, more than 200,000 nodes once aliases are followed, bytes that are no
/// UTF-8. `${NAME}` is text wherever it stands, also unquoted inside {..}. Never throws.
YamlOutcome ReadYaml(std::string_view text);

/// The same, where one error is enough: kInvalidArgument with where = "<what>:<line>:<column>".
Result<YamlNode> ParseYaml(std::string_view text, std::string_view what);

}  // namespace caudal
