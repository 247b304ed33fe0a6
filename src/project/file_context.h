// A project file while it is read: where mistakes are noted, and the typed reading of a YAML map, word by word.
// Not thread-safe; lives for one load.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/yaml.h"
#include "data/table_formats.h"
#include "project/project.h"

namespace caudal {

class ProblemList {
 public:
  void Add(Place place, std::string message, std::string next);
  void Warn(Place place, std::string message, std::string next);
  /// Ordered by file and place, each once.
  std::vector<Problem> Take();
  bool HasErrors() const;
  std::size_t ErrorCount() const;

 private:
  std::vector<Problem> x_problems;
};

struct FileContext {
  std::string path;  // below the project folder
  ProblemList* problems = nullptr;

  Place At(const YamlNode& node) const { return Place{path, node.line, node.column}; }
  Place At(const YamlMember& member) const { return Place{path, member.line, member.column}; }
  void Add(const YamlNode& node, std::string message, std::string next) const {
    problems->Add(At(node), std::move(message), std::move(next));
  }
};

/// "did you mean 'x'?", or the list of `names` where none is near.
std::string DidYouMean(std::string_view word, const std::vector<std::string>& names);
/// [a-z_][a-z0-9_]*
bool IsIdentifier(std::string_view name);
bool IsInteger(std::string_view text);
/// A decimal number, no exponent: what SQL takes as a literal.
bool IsNumber(std::string_view text);
/// "64MB", "1GiB", "500": bytes. KB, MB, GB, TB are powers of 1000; KiB, MiB, GiB, TiB of 1024.
std::optional<std::int64_t> ParseSize(std::string_view text);
std::optional<bool> ParseBoolean(std::string_view text);

/// Reads the members of a map. What a word should be and is not becomes a problem; Finish names the words nobody took.
class MapReader {
 public:
  /// `what`: "the header of a model". A null node is an empty map.
  MapReader(const YamlNode& node, std::string what, const FileContext& file);

  /// The value of a word, or nullptr where it is absent or null.
  const YamlNode* Take(const char* word);
  std::string Text(const char* word, std::string fallback);
  std::optional<std::int64_t> Integer(const char* word, std::int64_t least, std::int64_t most);
  std::optional<std::chrono::milliseconds> Duration(const char* word);
  std::optional<std::vector<std::chrono::milliseconds>> Durations(const char* word);
  /// The word `timeout`: a duration above zero.
  std::optional<std::chrono::milliseconds> Timeout();
  /// The word `priority`: -100 to 100, 0 where it is absent.
  int Priority();
  std::optional<std::int64_t> Size(const char* word);
  /// The word `formats`: a list of delta, hudi, iceberg.
  std::optional<TableFormats> Formats();
  /// A value, or a list of values.
  std::vector<std::string> Texts(const char* word);
  /// Words of later versions, refused with `why`.
  void Later(std::vector<std::string> words, std::string why);
  void Finish();

  const YamlNode& node() const { return x_node; }

 private:
  const YamlNode& x_node;
  std::string x_what;
  const FileContext& x_file;
  std::vector<std::string> x_words;
  std::set<std::string> x_refused;
};

/// The text of a scalar; a problem and absent where it is none.
std::optional<std::string> TextOf(const YamlNode& node, std::string_view what, const FileContext& file);
/// A list of delta, hudi, iceberg.
TableFormats FormatsOf(const YamlNode& node, const FileContext& file);
/// Texts of a scalar or of a list of scalars.
std::vector<std::string> TextsOf(const YamlNode& node, std::string_view what, const FileContext& file);
std::optional<std::chrono::milliseconds> DurationOf(const YamlNode& node, std::string_view what,
                                                    const FileContext& file);

}  // namespace caudal
