#include "project/table_pattern.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "data/name.h"
#include "project/glob.h"
#include "project/source_file.h"

namespace caudal {
namespace {

constexpr std::size_t kMostNamed = 6;

Json ObjectIn(const std::string& text) {
  Result<Json> json = ParseJson(text.empty() ? "{}" : text, "options");
  return json && json->is_object() ? *std::move(json) : Json::object();
}

std::string LabelOf(const OfferedTable& table) { return table.schema.empty() ? table.table : table.schema + "." + table.table; }

/// Small letters, digits and _; a character of several bytes is one _.
std::string LakeWord(std::string_view text) {
  std::string word;
  for (const char c : LowerName(text)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    if (plain) word += c;
    if (!plain && (static_cast<unsigned char>(c) & 0xC0) != 0x80) word += '_';
  }
  if (word.empty() || (word[0] >= '0' && word[0] <= '9')) word = "_" + word;
  return word;
}

std::string Listed(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < kMostNamed; ++i) text += (i == 0 ? "" : ", ") + names[i];
  return names.size() <= kMostNamed ? text : text + " and " + std::to_string(names.size() - kMostNamed) + " more";
}

/// How the names of a source are told apart.
struct Naming {
  bool schemas = false;
  std::string home;
};

/// Without a dot a pattern is about the home schema, and what is left out, about any.
bool Names(const std::string& glob, const OfferedTable& table, const Naming& naming, bool leaves_out) {
  if (!naming.schemas) return NameMatches(table.table, glob);
  const std::size_t dot = glob.find('.');
  if (dot == std::string::npos) return (leaves_out || table.schema == naming.home) && NameMatches(table.table, glob);
  return NameMatches(table.schema, glob.substr(0, dot)) && NameMatches(table.table, glob.substr(dot + 1));
}

bool Matches(const TablePattern& pattern, const OfferedTable& table, const Naming& naming) {
  return Names(pattern.match, table, naming, false) &&
         std::none_of(pattern.exclude.begin(), pattern.exclude.end(), [&](const std::string& glob) { return Names(glob, table, naming, true); });
}

bool NeedsKey(const StreamConfig& stream, const ConnectorSpec& spec) {
  return stream.write_disposition == WriteDisposition::kMerge || (stream.write_disposition == WriteDisposition::kAppend && spec.may_repeat);
}

/// Why the table is not what the pattern takes it for; "" = it is. "is ..." stands before it.
std::string WhyUnfit(const StreamConfig& stream, const OfferedTable& table, const Json& options, const ConnectorSpec& spec) {
  const auto has = [&](const std::string& name) {
    return table.columns.empty() || std::any_of(table.columns.begin(), table.columns.end(), [&](const std::string& column) { return SameName(column, name); });
  };
  const auto without = [](const std::string& column, const char* word) { return "without the column '" + column + "', which `" + word + "` names"; };
  if (options.contains("incremental")) {
    const std::string cursor = JsonString(options["incremental"], "cursor", "");
    if (!has(cursor)) return without(cursor, "incremental");
  }
  for (const std::string& column : stream.primary_key) {
    if (!has(column)) return without(column, "primary_key");
  }
  for (const std::string& column : stream.partition_by) {
    if (!has(column)) return without(column, "partition_by");
  }
  if (!stream.primary_key.empty() || !NeedsKey(stream, spec)) return "";
  return stream.write_disposition == WriteDisposition::kMerge ? "without a primary key, which `merge` needs"
                                                              : "without a primary key, which `append` from " + spec.name + " needs: rows may come twice";
}

/// The stream of a pattern for one table, where that has no key of its own.
StreamConfig StreamOf(const TablePattern& pattern, const std::string& name, const OfferedTable& table, const ConnectorSpec& spec) {
  StreamConfig stream = pattern.stream;
  stream.name = name;
  stream.at_source = LabelOf(table);
  if (stream.primary_key.empty() && NeedsKey(stream, spec)) stream.primary_key = table.key;
  Json options = ObjectIn(stream.options);
  options[spec.table_option] = table.table;
  if (!spec.schema_option.empty() && !table.schema.empty()) options[spec.schema_option] = table.schema;
  if (!stream.primary_key.empty()) options["primary_key"] = stream.primary_key;
  stream.options = DumpJson(options);
  return stream;
}

class PatternExpansion {
 public:
  PatternExpansion(SourceConfig& source, const PatternRequest& request, ProblemList& problems, std::map<std::string, Expectation>& expectations)
      : x_source(source),
        x_spec(*request.spec),
        x_catalog(request.catalog),
        x_naming{!request.spec->schema_option.empty(), HomeSchemaOf(source, *request.spec)},
        x_matched(source.patterns.size(), 0),
        x_problems(problems),
        x_expectations(expectations) {}

  void Run(const std::map<std::string, Schema>* published) {
    if (x_catalog == nullptr) {
      x_problems.Warn(x_source.patterns.front().place, "the tables of " + x_source.name + " are not known yet: it was never asked",
                      "`caudal run` asks it; `caudal sources " + x_source.name + " --check` asks it without loading anything");
      if (published != nullptr) FromLake(*published);
      return;
    }
    x_source.asked = x_catalog->asked;
    for (const StreamConfig& stream : x_source.streams) {
      if (auto table = TableOfStream(x_source, stream, x_spec)) x_written.push_back(*std::move(table));
    }
    for (const bool gone : {false, true}) {
      for (const OfferedTable& table : x_catalog->tables) {
        if (table.gone.empty() != gone) Take(table);
      }
    }
    for (std::size_t i = 0; i < x_matched.size(); ++i) {
      if (x_matched[i] == 0) MatchesNothing(x_source.patterns[i]);
    }
    TellUnfit();
  }

 private:
  /// Tables that were loaded once, of a catalog that is lost.
  void FromLake(const std::map<std::string, Schema>& published) {
    const std::string prefix = x_source.name + ".";
    for (auto it = published.lower_bound(prefix); it != published.end() && it->first.starts_with(prefix); ++it) {
      const std::string name = it->first.substr(prefix.size());
      if (!WhyNoTableName(name).empty() || StreamNamed(name) != nullptr) continue;
      if (auto found = StreamByReference(x_source, x_spec, name)) Add(std::move(found->stream), *found->pattern);
    }
  }

  StreamConfig* StreamNamed(const std::string& name) {
    const auto found = std::find_if(x_source.streams.begin(), x_source.streams.end(), [&](const StreamConfig& s) { return s.name == name; });
    return found == x_source.streams.end() ? nullptr : &*found;
  }

  void Add(StreamConfig stream, const TablePattern& pattern) {
    if (pattern.expected.freshness || pattern.expected.volume) x_expectations[x_source.name + "." + stream.name] = pattern.expected;
    x_source.streams.push_back(std::move(stream));
  }

  void Take(const OfferedTable& table) {
    const TablePattern* first = nullptr;
    for (std::size_t i = 0; i < x_source.patterns.size(); ++i) {
      if (!Matches(x_source.patterns[i], table, x_naming)) continue;
      if (table.gone.empty()) ++x_matched[i];
      if (first == nullptr) first = &x_source.patterns[i];
    }
    if (first == nullptr || IsWritten(table)) return;
    const std::string name = LakeNameOf(table, x_naming.home);
    if (const std::string why = WhyNoTableName(name); !why.empty()) {
      return RefuseSource(first->place, "the table " + LabelOf(table) + " would be " + x_source.name + "." + name + ", which " + why,
                          "leave it out by `exclude: " + LabelOf(table) + "`, or write it under `streams:` with `" + x_spec.table_option + ":`");
    }
    if (StreamConfig* other = StreamNamed(name)) {
      if (table.gone.empty()) Collide(*other, table, *first);
      return;
    }
    StreamConfig stream = StreamOf(*first, name, table, x_spec);
    stream.appeared = table.since != x_catalog->first_asked;
    stream.gone = table.gone;
    stream.gone_now = !table.gone.empty() && table.gone == x_catalog->asked;
    if (const std::string why = WhyUnfit(stream, table, ObjectIn(stream.options), x_spec); !why.empty() && stream.gone.empty()) {
      stream.refused = Error{ErrorKind::kInvalidArgument, stream.at_source + " is " + why + " (pattern '" + first->match + "')",
                             "leave it out by `exclude: " + stream.at_source + "`, or write it under `streams:`", first->place.ToString()};
      x_unfit[{first, why}].push_back(stream.at_source);
    }
    Add(std::move(stream), *first);
  }

  /// What stands under `streams:` by its table, or by its name where that means this table.
  bool IsWritten(const OfferedTable& table) {
    const auto reads = [](const OfferedTable& a, const OfferedTable& b) { return a.schema == b.schema && a.table == b.table; };
    if (std::any_of(x_written.begin(), x_written.end(), [&](const OfferedTable& written) { return reads(written, table); })) return true;
    const StreamConfig* named = StreamNamed(LakeNameOf(table, x_naming.home));
    if (named == nullptr || !named->pattern.empty()) return false;
    const auto own = TableOfStream(x_source, *named, x_spec);
    if (!own) return true;  // a query in its stead
    const bool there = std::any_of(x_catalog->tables.begin(), x_catalog->tables.end(), [&](const OfferedTable& t) { return t.gone.empty() && reads(t, *own); });
    return !there && own->schema == table.schema && SameName(own->table, table.table);
  }

  void Collide(StreamConfig& other, const OfferedTable& table, const TablePattern& pattern) {
    const std::string first = other.at_source.empty() ? "the stream '" + other.name + "' (" + other.place.ToString() + ")" : other.at_source;
    const std::string what = first + " and " + LabelOf(table) + " would both be the table " + x_source.name + "." + other.name;
    const std::string next = "leave one of them out by `exclude:`, or write it under `streams:` with a name of its own and `" + x_spec.table_option + ":`";
    other.refused = Error{ErrorKind::kInvalidArgument, what, next, pattern.place.ToString()};
    x_problems.Warn(pattern.place, what, next);
  }

  void RefuseSource(const Place& place, const std::string& what, const std::string& next) {
    x_problems.Warn(place, what, next);
    if (!x_source.refused) x_source.refused = Error{ErrorKind::kInvalidArgument, what, next, place.ToString()};
  }

  void MatchesNothing(const TablePattern& pattern) {
    std::vector<std::string> names;
    for (const OfferedTable& table : x_catalog->tables) {
      if (table.gone.empty()) names.push_back(LabelOf(table));
    }
    RefuseSource(pattern.place, "the pattern '" + pattern.match + "' matches no table of " + x_source.name,
                 names.empty() ? "the user can read no table there: give it the right, or correct the source"
                               : "correct `match:`, or take the pattern out; there are: " + Listed(names));
  }

  void TellUnfit() {
    for (const auto& [what, tables] : x_unfit) {
      const TablePattern& pattern = *what.first;
      const std::string who = tables.size() == 1 ? tables[0] + " is " : std::to_string(tables.size()) + " tables of the pattern '" + pattern.match + "' are ";
      x_problems.Warn(pattern.place, who + what.second + (tables.size() == 1 ? "" : ": " + Listed(tables)) + "; a run cannot load " + (tables.size() == 1 ? "it" : "them"),
                      "leave out by `exclude:` what is not meant, or write it under `streams:`");
    }
  }

  SourceConfig& x_source;
  const ConnectorSpec& x_spec;
  const SourceCatalog* x_catalog;
  const Naming x_naming;
  std::vector<int> x_matched;           // tables that each pattern matches
  std::vector<OfferedTable> x_written;  // that streams read
  std::map<std::pair<const TablePattern*, std::string>, std::vector<std::string>> x_unfit;
  ProblemList& x_problems;
  std::map<std::string, Expectation>& x_expectations;
};

/// Tables that could be called so in the lake: of the home schema, and of those that patterns name without a star.
std::vector<OfferedTable> Candidates(const SourceConfig& source, const Naming& naming, const std::string& name) {
  std::vector<OfferedTable> tables{{naming.home, name, {}, {}, "", ""}};
  for (const TablePattern& pattern : source.patterns) {
    const std::string schema = pattern.match.substr(0, pattern.match.find('.'));
    const std::string prefix = LakeWord(schema) + "_";
    const bool plain = naming.schemas && schema != pattern.match && schema.find_first_of("*?") == std::string::npos;
    if (plain && name.starts_with(prefix) && name.size() > prefix.size()) tables.push_back({schema, name.substr(prefix.size()), {}, {}, "", ""});
  }
  return tables;
}

}  // namespace

std::vector<const YamlNode*> PatternItems(const YamlNode& tables) {
  std::vector<const YamlNode*> items;
  if (!tables.is_sequence()) return {&tables};
  for (const YamlNode& item : tables.items) items.push_back(&item);
  return items;
}

bool IsMeant(const SourceConfig& source, const ConnectorSpec& spec, const OfferedTable& table) {
  const Naming naming{!spec.schema_option.empty(), HomeSchemaOf(source, spec)};
  return std::any_of(source.patterns.begin(), source.patterns.end(), [&](const TablePattern& pattern) { return Matches(pattern, table, naming); });
}

std::string HomeSchemaOf(const SourceConfig& source, const ConnectorSpec& spec) {
  return spec.schema_option.empty() ? "" : JsonString(ObjectIn(source.options), spec.schema_option, "");
}

std::string LakeNameOf(const OfferedTable& table, const std::string& home) {
  return LakeWord(table.schema.empty() || table.schema == home ? table.table : table.schema + "_" + table.table);
}

std::optional<OfferedTable> TableOfStream(const SourceConfig& source, const StreamConfig& stream, const ConnectorSpec& spec) {
  const Json options = ObjectIn(stream.options);
  for (const OptionSpec& option : spec.stream_options) {
    const bool instead = std::find(option.excludes.begin(), option.excludes.end(), spec.table_option) != option.excludes.end();
    if (instead && options.contains(option.name)) return std::nullopt;
  }
  OfferedTable table;
  if (!spec.schema_option.empty()) table.schema = JsonString(options, spec.schema_option, HomeSchemaOf(source, spec));
  table.table = JsonString(options, spec.table_option, stream.name);
  return table;
}

void ExpandPatterns(SourceConfig& source, const PatternRequest& request, ProblemList& problems, std::map<std::string, Expectation>& expectations) {
  PatternExpansion(source, request, problems, expectations).Run(request.published);
}

std::optional<PatternStream> StreamByReference(const SourceConfig& source, const ConnectorSpec& spec, const std::string& name) {
  const Naming naming{!spec.schema_option.empty(), HomeSchemaOf(source, spec)};
  for (const OfferedTable& table : Candidates(source, naming, name)) {
    for (const TablePattern& pattern : source.patterns) {
      // What the source calls ORDERS is called so in no model.
      TablePattern lower = pattern;
      lower.match = LowerName(lower.match);
      for (std::string& glob : lower.exclude) glob = LowerName(glob);
      const Naming in_lower{naming.schemas, LowerName(naming.home)};
      if (!Matches(lower, OfferedTable{LowerName(table.schema), table.table, {}, {}, "", ""}, in_lower)) continue;
      PatternStream found{StreamOf(pattern, name, table, spec), &pattern};
      const std::string where = pattern.place.ToString();
      if (!source.asked.empty()) {
        found.stream.refused = Error{ErrorKind::kNotFound, "source " + source.name + " has no table for " + source.name + "." + name + ", which the project reads",
                                     "correct the name where it is read, or make the table at the source", where};
      } else if (found.stream.primary_key.empty() && NeedsKey(found.stream, spec)) {
        found.stream.refused = Error{ErrorKind::kNotFound, "the key of " + source.name + "." + name + " is not known: the source's catalog was never asked",
                                     "`caudal sources " + source.name + " --check` asks it, or tells why it cannot", where};
      }
      return found;
    }
  }
  return std::nullopt;
}

}  // namespace caudal
