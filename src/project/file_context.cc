#include "project/file_context.h"

#include <algorithm>
#include <charconv>
#include <tuple>
#include <utility>

#include "base/clock.h"
#include "data/name.h"

namespace caudal {

void ProblemList::Add(Place place, std::string message, std::string next) {
  x_problems.push_back(Problem{std::move(place), std::move(message), std::move(next), false});
}

void ProblemList::Warn(Place place, std::string message, std::string next) {
  x_problems.push_back(Problem{std::move(place), std::move(message), std::move(next), true});
}

std::vector<Problem> ProblemList::Take() {
  auto order = [](const Problem& p) {
    return std::tie(p.place.file, p.place.line, p.place.column, p.message, p.warning);
  };
  std::stable_sort(x_problems.begin(), x_problems.end(),
                   [&](const Problem& a, const Problem& b) { return order(a) < order(b); });
  auto last = std::unique(x_problems.begin(), x_problems.end(),
                          [&](const Problem& a, const Problem& b) { return order(a) == order(b); });
  x_problems.erase(last, x_problems.end());
  return std::move(x_problems);
}

std::size_t ProblemList::ErrorCount() const {
  return static_cast<std::size_t>(
      std::count_if(x_problems.begin(), x_problems.end(), [](const Problem& p) { return !p.warning; }));
}

bool ProblemList::HasErrors() const { return ErrorCount() > 0; }

std::string Problem::ToString() const {
  return place.ToString() + ": " + message + (next.empty() ? "" : "; " + next);
}

std::string DidYouMean(std::string_view word, const std::vector<std::string>& names) {
  std::string nearest = Nearest(word, names);
  if (!nearest.empty()) return "did you mean '" + nearest + "'?";
  if (names.empty()) return "";
  std::string all;
  std::size_t shown = 0;
  for (const std::string& name : names) {
    if (++shown > 30) return "there are: " + all + ", ...";
    all += (all.empty() ? "" : ", ") + name;
  }
  return "there are: " + all;
}

bool IsIdentifier(std::string_view name) {
  if (name.empty() || name.size() > 100) return false;
  return std::all_of(name.begin(), name.end(), [&](const char& c) {
    return (c >= 'a' && c <= 'z') || c == '_' || (c >= '0' && c <= '9' && &c != name.data());
  });
}

bool IsInteger(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  return !text.empty() && text.size() <= 38 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool IsNumber(std::string_view text) {
  if (!text.empty() && text[0] == '-') text.remove_prefix(1);
  std::size_t point = text.find('.');
  if (point == std::string_view::npos) return !text.empty() && text[0] != '-' && text[0] != '+' && IsInteger(text);
  auto digits = [](std::string_view part) {
    return !part.empty() && std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  return text.size() <= 38 && digits(text.substr(0, point)) && digits(text.substr(point + 1));
}

std::optional<std::int64_t> ParseSize(std::string_view text) {
  std::int64_t n = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc() || n < 0) return std::nullopt;
  std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  while (!unit.empty() && unit[0] == ' ') unit.remove_prefix(1);
  constexpr std::pair<std::string_view, std::int64_t> kUnits[] = {
      {"", 1}, {"b", 1}, {"kb", 1'000}, {"mb", 1'000'000}, {"gb", 1'000'000'000}, {"tb", 1'000'000'000'000},
      {"kib", std::int64_t{1} << 10}, {"mib", std::int64_t{1} << 20}, {"gib", std::int64_t{1} << 30},
      {"tib", std::int64_t{1} << 40}};
  for (const auto& [name, scale] : kUnits) {
    if (!SameName(name, unit)) continue;
    if (n > std::int64_t{1} << 50 || n > (std::int64_t{1} << 60) / scale) return std::nullopt;
    return n * scale;
  }
  return std::nullopt;
}

std::optional<bool> ParseBoolean(std::string_view text) {
  std::string lower = LowerName(text);
  if (lower == "true" || lower == "yes" || lower == "on") return true;
  if (lower == "false" || lower == "no" || lower == "off") return false;
  return std::nullopt;
}

std::optional<std::string> TextOf(const YamlNode& node, std::string_view what, const FileContext& file) {
  if (node.is_scalar()) return node.text;
  file.Add(node, "'" + std::string(what) + "' should be one value, not " + std::string(node.KindName()), "write " + std::string(what) + ": value");
  return std::nullopt;
}

TableFormats FormatsOf(const YamlNode& node, const FileContext& file) {
  TableFormats formats;
  bool delta = false;
  for (const std::string& format : TextsOf(node, "formats", file)) {
    if (format == "delta") {
      delta = true;
    } else if (format == "hudi") {
      formats.hudi = true;
    } else if (format == "iceberg") {
      formats.iceberg = true;
    } else {
      file.Add(node, "unknown format '" + format + "'", DidYouMean(format, {"delta", "hudi", "iceberg"}));
    }
  }
  if (!delta && (formats.hudi || formats.iceberg || (node.is_sequence() && node.items.empty()))) {
    file.Add(node, "'formats' leaves out delta, whose log is the table's truth: the others are made from it", "add delta to the list");
  }
  return formats;
}

std::vector<std::string> TextsOf(const YamlNode& node, std::string_view what, const FileContext& file) {
  std::vector<std::string> texts;
  if (node.is_scalar()) return {node.text};
  if (!node.is_sequence()) {
    file.Add(node, "'" + std::string(what) + "' should be a value or a list of values, not " +
                       std::string(node.KindName()), "write [one, two]");
    return texts;
  }
  for (const YamlNode& item : node.items) {
    if (item.is_scalar()) {
      texts.push_back(item.text);
    } else {
      file.Add(item, "'" + std::string(what) + "' should list values, not " + std::string(item.KindName()), "write [one, two]");
    }
  }
  return texts;
}

std::optional<std::chrono::milliseconds> DurationOf(const YamlNode& node, std::string_view what,
                                                    const FileContext& file) {
  std::optional<std::string> text = TextOf(node, what, file);
  if (!text) return std::nullopt;
  Result<std::chrono::milliseconds> duration = ParseDuration(*text);
  if (duration) return *duration;
  file.Add(node, "'" + std::string(what) + "' is " + duration.error().message, duration.error().next);
  return std::nullopt;
}

MapReader::MapReader(const YamlNode& node, std::string what, const FileContext& file)
    : x_node(node), x_what(std::move(what)), x_file(file) {
  if (!node.is_map() && !node.is_null()) {
    file.Add(node, x_what + " should be a map of words and values, not " + std::string(node.KindName()),
             "write 'word: value', one a line, indented below it");
  }
}

const YamlNode* MapReader::Take(const char* word) {
  x_words.emplace_back(word);
  const YamlNode* value = x_node.Find(word);
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::string MapReader::Text(const char* word, std::string fallback) {
  const YamlNode* value = Take(word);
  if (value == nullptr) return fallback;
  return TextOf(*value, word, x_file).value_or(fallback);
}

std::optional<std::int64_t> MapReader::Integer(const char* word, std::int64_t least, std::int64_t most) {
  const YamlNode* value = Take(word);
  if (value == nullptr) return std::nullopt;
  std::optional<std::string> text = TextOf(*value, word, x_file);
  if (!text) return std::nullopt;
  std::int64_t n = 0;
  auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), n);
  if (error == std::errc() && end == text->data() + text->size() && n >= least && n <= most) return n;
  x_file.Add(*value, std::string("'") + word + "' should be a whole number from " + std::to_string(least) + " to " +
                         std::to_string(most) + ", not '" + *text + "'", "");
  return std::nullopt;
}

std::optional<std::chrono::milliseconds> MapReader::Duration(const char* word) {
  const YamlNode* value = Take(word);
  return value == nullptr ? std::nullopt : DurationOf(*value, word, x_file);
}

std::optional<std::chrono::milliseconds> MapReader::Timeout() {
  const auto timeout = Duration("timeout");
  if (timeout && timeout->count() == 0) x_file.Add(*Take("timeout"), "'timeout' leaves no time", "write timeout: 30m, or take it out");
  return timeout;
}

std::optional<TableFormats> MapReader::Formats() {
  const YamlNode* value = Take("formats");
  return value == nullptr ? std::nullopt : std::optional(FormatsOf(*value, x_file));
}

int MapReader::Priority() { return static_cast<int>(Integer("priority", -100, 100).value_or(0)); }

std::optional<std::vector<std::chrono::milliseconds>> MapReader::Durations(const char* word) {
  const YamlNode* value = Take(word);
  if (value == nullptr) return std::nullopt;
  std::vector<std::chrono::milliseconds> all;
  if (value->is_scalar()) {
    if (auto one = DurationOf(*value, word, x_file)) all.push_back(*one);
    return all;
  }
  if (!value->is_sequence()) {
    x_file.Add(*value, std::string("'") + word + "' should be a list of durations", "write [5m, 15m, 60m]");
    return std::nullopt;
  }
  for (const YamlNode& item : value->items) {
    if (auto one = DurationOf(item, word, x_file)) all.push_back(*one);
  }
  return all;
}

std::optional<std::int64_t> MapReader::Size(const char* word) {
  const YamlNode* value = Take(word);
  if (value == nullptr) return std::nullopt;
  std::optional<std::string> text = TextOf(*value, word, x_file);
  if (!text) return std::nullopt;
  std::optional<std::int64_t> size = ParseSize(*text);
  if (!size) {
    x_file.Add(*value, std::string("'") + word + "' is not a size: '" + *text + "'",
               "write a number and a unit of KB, MB, GB, TB, KiB, MiB, GiB, TiB, such as 1GB");
  }
  return size;
}

std::vector<std::string> MapReader::Texts(const char* word) {
  const YamlNode* value = Take(word);
  return value == nullptr ? std::vector<std::string>{} : TextsOf(*value, word, x_file);
}

void MapReader::Later(std::vector<std::string> words, std::string why) {
  for (const std::string& word : words) {
    x_refused.insert(word);
    for (const YamlMember& member : x_node.members) {
      if (member.key == word) x_file.problems->Add(x_file.At(member), "'" + word + "' is not there yet", why);
    }
  }
}

void MapReader::Finish() {
  for (const YamlMember& member : x_node.members) {
    if (x_refused.count(member.key) != 0) continue;
    if (std::find(x_words.begin(), x_words.end(), member.key) != x_words.end()) continue;
    x_file.problems->Add(x_file.At(member), "unknown word '" + member.key + "' in " + x_what,
                         DidYouMean(member.key, x_words));
  }
}

}  // namespace caudal
