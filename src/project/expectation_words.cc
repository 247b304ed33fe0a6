#include "project/expectation_words.h"

#include <cstdlib>
#include <limits>
#include <utility>

#include "project/table_pattern.h"

namespace caudal {
namespace {

constexpr const char* kExample = "write {min: 900, max: 1100}, {change: {warn: 30%, fail: 60%}}, or both";

std::optional<double> PercentOf(MapReader& words, const char* word, const FileContext& file) {
  const YamlNode* node = words.Take(word);
  if (node == nullptr) return std::nullopt;
  const std::optional<std::string> text = TextOf(*node, word, file);
  if (!text) return std::nullopt;
  const std::string number = text->ends_with('%') ? text->substr(0, text->size() - 1) : *text;
  if (IsNumber(number) && number[0] != '-') return std::strtod(number.c_str(), nullptr);
  file.Add(*node, std::string("'") + word + "' should be a percentage, not '" + *text + "'", "write 30%");
  return std::nullopt;
}

void ChangeOf(const YamlNode& node, const FileContext& file, Volume& volume) {
  MapReader words(node, "'change'", file);
  volume.warn = PercentOf(words, "warn", file);
  volume.fail = PercentOf(words, "fail", file);
  words.Finish();
  if (node.is_map() && node.Find("warn") == nullptr && node.Find("fail") == nullptr) {
    file.Add(node, "'change' needs warn, fail or both", "write {warn: 30%, fail: 60%}");
  } else if (volume.warn && volume.fail && *volume.warn > *volume.fail) {
    file.Add(node, "'change' fails before it warns", "let fail be the larger of the two");
  }
}

std::optional<Volume> VolumeOf(const YamlNode& node, const FileContext& file) {
  Volume volume;
  volume.place = file.At(node);
  MapReader words(node, "'volume'", file);
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  volume.least = words.Integer("min", 0, kMost);
  volume.most = words.Integer("max", 0, kMost);
  if (const YamlNode* change = words.Take("change")) ChangeOf(*change, file, volume);
  const std::string per = words.Text("per", "load");
  volume.per_file = per == "file";
  if (per != "file" && per != "load") file.Add(*node.Find("per"), "'per' cannot be '" + per + "'", DidYouMean(per, {"load", "file"}));
  const std::string severity = words.Text("severity", "fail");
  if (severity == "warn") volume.severity = Severity::kWarn;
  if (severity != "warn" && severity != "fail") {
    file.Add(*node.Find("severity"), "'severity' of a volume cannot be '" + severity + "'", DidYouMean(severity, {"fail", "warn"}));
  }
  words.Finish();
  if (!node.is_map()) return std::nullopt;
  if (node.Find("min") == nullptr && node.Find("max") == nullptr && node.Find("change") == nullptr) {
    file.Add(node, "'volume' does not say how many rows are right", kExample);
  } else if (volume.least && volume.most && *volume.least > *volume.most) {
    file.Add(node, "'volume' has a min above its max: no load is right", "let max be the larger of the two");
  }
  return volume;
}

Expectation ExpectationOf(const YamlNode& node, const std::string& what, const FileContext& file) {
  Expectation expected;
  if (!node.is_map()) return expected;  // was noted by who reads the rest
  MapReader reader(node, what, file);
  expected.freshness = reader.Duration("freshness");
  if (expected.freshness && expected.freshness->count() == 0) {
    file.Add(*node.Find("freshness"), "'freshness' leaves no time", "write freshness: 26h, or take it out");
  }
  if (const YamlNode* volume = reader.Take("volume")) expected.volume = VolumeOf(*volume, file);
  return expected;
}

Expectation Under(Expectation over, const Expectation& under) {
  if (!over.freshness) over.freshness = under.freshness;
  if (!over.volume) over.volume = under.volume;
  return over;
}

}  // namespace

void ReadExpectations(const YamlNode& root, SourceConfig& source, const ConnectorSpec* spec, const FileContext& file,
                      std::map<std::string, Expectation>& by_table) {
  Expectation of_source = ExpectationOf(root, "a source", file);
  if (const YamlNode* defaults = root.Find("resource_defaults")) {
    of_source = Under(ExpectationOf(*defaults, "'resource_defaults'", file), of_source);
  }
  const auto read = [&](const YamlNode& node, const std::string& what) {
    Expectation expected = Under(ExpectationOf(node, what, file), of_source);
    if (expected.volume && expected.volume->per_file && spec != nullptr && spec->shape == SourceShape::kRelation) {
      file.problems->Add(expected.volume->place, "'volume' counts by file, and " + spec->name + " reads no files", "write per: load");
    }
    return expected;
  };
  if (const YamlNode* tables = root.Find("tables"); tables != nullptr && !source.patterns.empty()) {
    const std::vector<const YamlNode*> items = PatternItems(*tables);
    for (std::size_t i = 0; i < items.size() && i < source.patterns.size(); ++i) {
      source.patterns[i].expected = read(*items[i], "the pattern '" + source.patterns[i].match + "'");
    }
  }
  const YamlNode* streams = root.Find("streams");
  if (streams == nullptr) return;
  for (const YamlMember& member : streams->members) {
    Expectation expected = read(member.value, "the stream '" + member.key + "'");
    if (expected.freshness || expected.volume) by_table[source.name + "." + member.key] = std::move(expected);
  }
}

const Expectation& Project::ExpectedOf(const std::string& table) const {
  static const Expectation nothing;
  const auto found = expectations.find(table);
  return found == expectations.end() ? nothing : found->second;
}

}  // namespace caudal
