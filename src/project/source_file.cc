#include "project/source_file.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/json.h"
#include "project/check_parse.h"
#include "project/columns.h"
#include "project/connector_options.h"
#include "project/contract_words.h"
#include "project/parent_streams.h"
#include "project/retention_words.h"
#include "project/table_pattern.h"

namespace caudal {
namespace {

const std::vector<std::string>& StreamWords() {
  static const std::vector<std::string> kWords = {"write_disposition", "primary_key", "partition_by", "incremental",
                                                  "columns", "checks", "description", "priority", "formats", "retention", "freshness", "volume",
                                                  "schema_contract"};
  return kWords;
}

const std::vector<std::string>& SourceWords() {
  static const std::vector<std::string> kWords = {"type", "owner", "description", "tags", "max_parallel",
                                                  "retries", "timeout", "resource_defaults", "streams", "tables", "freshness", "volume", "for_each", "name",
                                                  "schema_contract"};
  return kWords;
}

class SourceReader {
 public:
  SourceReader(const YamlNode& root, const SourceFileRequest& request, const FileContext& file)
      : x_root(root), x_request(request), x_file(file) {}

  SourceConfig Read(bool& streams_known) {
    x_source.name = x_request.name;
    x_source.place = x_file.At(x_root);
    streams_known = false;
    if (!x_root.is_map()) {
      x_file.Add(x_root, "a source should be a map of words and values, not " + std::string(x_root.KindName()),
                 "write type: files, and streams: {...}");
      return std::move(x_source);
    }
    FindConnector();
    CommonWords();
    streams_known = Streams();
    return std::move(x_source);
  }

 private:
  void FindConnector() {
    std::vector<std::string> names;
    for (const ConnectorSpec& spec : *x_request.connectors) names.push_back(spec.name);
    const YamlNode* type = x_root.Find("type");
    if (type == nullptr || !type->is_scalar()) {
      x_file.Add(type != nullptr ? *type : x_root, "a source needs 'type', its connector", DidYouMean("", names));
      return;
    }
    x_source.type = type->text;
    for (const ConnectorSpec& spec : *x_request.connectors) {
      if (spec.name == type->text) x_spec = &spec;
    }
    if (x_spec == nullptr) x_file.Add(*type, "unknown connector '" + type->text + "'", DidYouMean(type->text, names));
  }

  void CommonWords() {
    // The connector's words are looked at by its spec, hence no Finish here.
    MapReader reader(x_root, "a source", x_file);
    x_source.owner = reader.Text("owner", x_request.project->owner);
    x_source.description = reader.Text("description", "");
    x_source.tags = reader.Texts("tags");
    if (auto most = reader.Integer("max_parallel", 1, 64)) x_source.max_parallel = static_cast<int>(*most);
    x_source.retries = reader.Durations("retries");
    x_source.timeout = reader.Timeout();
    if (const YamlNode* name = reader.Take("name")) {
      x_file.Add(*name, "a source is called as its file is: '" + x_source.name + "'", "rename the file, or write for_each: beside 'name'");
    }
    x_contract = ContractOf(reader, x_request.project->contract, x_file);
    if (x_spec == nullptr) return;
    OptionsRequest options{&x_spec->options, SourceWords(), "a source of type " + x_spec->name, "",
                           x_request.project->folder};
    x_source.options = ParseConnectorOptions(x_root, options, x_file, x_source.secrets);
  }

  bool Streams() {
    const YamlNode* streams = x_root.Find("streams");
    const YamlNode* tables = x_root.Find("tables");
    if (tables != nullptr && tables->is_null()) tables = nullptr;
    const std::string next = "write streams: {<name>: {...}}";
    const bool none = streams == nullptr || streams->is_null();
    if (none && tables == nullptr) {
      const bool patterns = x_spec != nullptr && !x_spec->table_option.empty();
      x_file.Add(streams != nullptr ? *streams : x_root, "a source needs 'streams'", patterns ? next + ", or tables: \"*\" for all of its tables" : next);
      return false;
    }
    if (!none && !streams->is_map()) {
      x_file.Add(*streams, "'streams' should be a map, not " + std::string(streams->KindName()), next);
      return false;
    }
    YamlNode defaults;
    if (const YamlNode* node = x_root.Find("resource_defaults"); node != nullptr && !node->is_null()) {
      if (node->is_map()) {
        defaults = *node;
      } else {
        x_file.Add(*node, "'resource_defaults' should be a map, not " + std::string(node->KindName()),
                   "write {write_disposition: merge, primary_key: id}");
      }
    }
    if (!none) {
      for (const YamlMember& member : streams->members) Stream(member, defaults);
    }
    if (tables != nullptr) Patterns(*tables, defaults);
    if (KnowsParents()) LinkParents(x_source, x_file);
    return true;
  }

  bool KnowsParents() const {
    return x_spec != nullptr && std::any_of(x_spec->stream_options.begin(), x_spec->stream_options.end(),
                                            [](const OptionSpec& option) { return option.name == "include_from_parent"; });
  }

  void Stream(const YamlMember& member, const YamlNode& defaults) {
    StreamConfig stream;
    stream.name = member.key;
    stream.place = x_file.At(member);
    std::string why = WhyNoTableName(member.key);
    if (!why.empty()) {
      x_file.problems->Add(stream.place, "the stream '" + member.key + "' " + why, "rename it");
    }
    if (!member.value.is_map() && !member.value.is_null()) {
      x_file.Add(member.value, "the stream '" + member.key + "' should be a map, not " +
                                   std::string(member.value.KindName()), "write {} where it needs nothing");
      x_source.streams.push_back(std::move(stream));
      return;
    }
    YamlNode node = MergeYaml(defaults, member.value);
    if (member.value.is_null()) {
      node.kind = YamlNode::Kind::kMap;
      node.line = member.line;
      node.column = member.column;
    }
    Words(node, stream, x_source.secrets);
    x_source.streams.push_back(std::move(stream));
  }

  void Words(const YamlNode& node, StreamConfig& stream, std::map<std::string, std::string>& secrets) {
    Json incremental = CommonStreamWords(node, stream);
    Rules(node, stream, !incremental.is_null());
    if (x_spec == nullptr) return;
    OptionsRequest options{&x_spec->stream_options, StreamWords(), Called(stream), "streams." + stream.name + ".", x_request.project->folder};
    Result<Json> json = ParseJson(ParseConnectorOptions(node, options, x_file, secrets), "options");
    Json all = json ? *json : Json::object();
    if (!incremental.is_null()) all["incremental"] = incremental;
    if (!stream.primary_key.empty()) all["primary_key"] = stream.primary_key;
    stream.options = DumpJson(all);
  }

  static std::string Called(const StreamConfig& stream) {
    return stream.pattern.empty() ? "the stream '" + stream.name + "'" : "the pattern '" + stream.pattern + "'";
  }

  void Patterns(const YamlNode& tables, const YamlNode& defaults) {
    if (x_spec == nullptr) return;
    if (x_spec->table_option.empty()) {
      x_file.Add(tables, "the connector " + x_spec->name + " does not take 'tables'", "write streams: {<name>: {...}}");
      return;
    }
    for (const YamlNode* item : PatternItems(tables)) Pattern(*item, defaults);
  }

  /// Every item is kept, so that what is expected of each is found by its number.
  void Pattern(const YamlNode& item, const YamlNode& defaults) {
    constexpr const char* kExample = "write {match: \"sales.*\", exclude: \"*_old\"}, and the words of a stream";
    TablePattern& pattern = x_source.patterns.emplace_back();
    pattern.place = pattern.stream.place = x_file.At(item);
    YamlNode words = item;
    if (item.is_scalar()) {
      words = YamlNode{};
      words.kind = YamlNode::Kind::kMap;
      words.line = item.line;
      words.column = item.column;
      pattern.match = item.text;
    } else if (item.is_map()) {
      MapReader reader(item, "a pattern", x_file);
      pattern.match = reader.Text("match", "");
      pattern.exclude = reader.Texts("exclude");
      std::erase_if(words.members, [](const YamlMember& member) { return member.key == "match" || member.key == "exclude"; });
    }
    if (pattern.match.empty()) {
      x_file.Add(item, "an entry of 'tables' needs 'match', the names of tables", kExample);
      return;
    }
    pattern.stream.pattern = pattern.match;
    for (const OptionSpec& option : x_spec->stream_options) {
      const bool names_table = option.name == x_spec->table_option || option.name == x_spec->schema_option ||
                               std::find(option.excludes.begin(), option.excludes.end(), x_spec->table_option) != option.excludes.end();
      const YamlNode* value = names_table ? words.Find(option.name) : nullptr;
      if (value != nullptr) x_file.Add(*value, "a pattern cannot say '" + option.name + "': its tables come from 'match'", kExample);
    }
    std::map<std::string, std::string> secrets;
    Words(MergeYaml(defaults, words), pattern.stream, secrets);
    if (!secrets.empty()) x_file.Add(item, "a pattern cannot take ${" + secrets.begin()->second + "}", "write it at the source, or write the stream under 'streams'");
  }

  Json CommonStreamWords(const YamlNode& node, StreamConfig& stream) {
    MapReader reader(node, Called(stream), x_file);
    std::string disposition = reader.Text("write_disposition", "append");
    if (disposition == "replace") {
      stream.write_disposition = WriteDisposition::kReplace;
    } else if (disposition == "merge") {
      stream.write_disposition = WriteDisposition::kMerge;
    } else if (disposition != "append") {
      x_file.Add(*node.Find("write_disposition"), "'write_disposition' cannot be '" + disposition + "'",
                 DidYouMean(disposition, {"append", "replace", "merge"}));
    }
    stream.primary_key = reader.Texts("primary_key");
    stream.partition_by = reader.Texts("partition_by");
    stream.description = reader.Text("description", "");
    stream.priority = reader.Priority();
    stream.formats = reader.Formats();
    stream.retention = RetentionOf(reader, x_file);
    stream.contract = ContractOf(reader, x_contract, x_file);
    stream.columns = ParseColumns(reader.Take("columns"), ColumnTypes::kStated, x_file);
    if (const YamlNode* checks = reader.Take("checks")) ParseChecks(*checks, "", x_file, stream.checks);
    const YamlNode* incremental = reader.Take("incremental");
    return incremental == nullptr ? Json() : Incremental(*incremental);
  }

  Json Incremental(const YamlNode& node) {
    Json json = Json::object();
    if (node.is_scalar()) {
      json["cursor"] = node.text;
      return json;
    }
    MapReader reader(node, "'incremental'", x_file);
    std::string cursor = reader.Text("cursor", "");
    if (cursor.empty() && node.is_map()) {
      x_file.Add(node, "'incremental' needs 'cursor', the column that grows", "write {cursor: updated_at}");
    }
    json["cursor"] = cursor;
    if (const YamlNode* initial = reader.Take("initial_value")) {
      if (auto text = TextOf(*initial, "initial_value", x_file)) json["initial_value"] = *text;
    }
    if (const YamlNode* lag = reader.Take("lag")) {
      // A numeric cursor steps back by a number.
      if (lag->is_scalar() && (IsInteger(lag->text) || DurationOf(*lag, "lag", x_file))) json["lag"] = lag->text;
      if (!lag->is_scalar()) x_file.Add(*lag, "'lag' should be a duration", "write lag: 10m");
    }
    if (const YamlNode* every = reader.Take("compare_keys")) {
      if (DurationOf(*every, "compare_keys", x_file)) json["compare_keys"] = every->text;
    }
    reader.Finish();
    return json;
  }

  void CompareKeysRules(const YamlNode& incremental, const StreamConfig& stream) {
    const YamlNode* every = incremental.is_map() ? incremental.Find("compare_keys") : nullptr;
    if (every == nullptr) return;
    if (x_spec->shape != SourceShape::kRelation) {
      x_file.Add(*every, "the connector " + x_spec->name + " cannot give all keys of a stream", "take 'compare_keys' out");
    } else if (stream.write_disposition != WriteDisposition::kMerge) {
      x_file.Add(*every, "'compare_keys' deletes rows by their key, so the stream '" + stream.name + "' must merge", "write write_disposition: merge");
    }
  }

  void Rules(const YamlNode& node, const StreamConfig& stream, bool incremental) {
    const YamlNode* said = node.Find("write_disposition");
    const YamlNode& at = said != nullptr && !said->is_null() ? *said : node;
    const bool keyless = stream.primary_key.empty() && stream.pattern.empty();  // a pattern's tables have keys of their own
    if (stream.write_disposition == WriteDisposition::kMerge && keyless) {
      x_file.Add(at, "the stream '" + stream.name + "' merges without a key", "write primary_key: id");
    }
    if (x_spec == nullptr) return;
    if (stream.write_disposition == WriteDisposition::kAppend && x_spec->may_repeat && keyless) {
      x_file.Add(at, "the stream '" + stream.name + "' appends without a key, and " + x_spec->name +
                         " may give rows twice",
                 "write primary_key: id, or write_disposition: replace");
    }
    if (!incremental) return;
    const YamlNode& where = *node.Find("incremental");
    if (!x_spec->incremental) {
      x_file.Add(where, "the connector " + x_spec->name + " does not take 'incremental'", "take it out");
    } else if (stream.write_disposition == WriteDisposition::kReplace) {
      x_file.Add(where, Called(stream) + " is replaced as a whole and cannot be incremental",
                 "write write_disposition: merge or append, or take 'incremental' out");
    }
    CompareKeysRules(where, stream);
  }

  const YamlNode& x_root;
  const SourceFileRequest& x_request;
  const FileContext& x_file;
  const ConnectorSpec* x_spec = nullptr;
  SourceConfig x_source;
  SchemaContract x_contract;
};

}  // namespace

std::string WhyNoTableName(std::string_view name) {
  if (!IsIdentifier(name)) return "is no name: use small letters, digits and _, and begin with a letter";
  constexpr std::string_view kRejects = "__rejects";
  if (name.size() >= kRejects.size() && name.substr(name.size() - kRejects.size()) == kRejects) {
    return "ends in __rejects, which is reserved for rejected rows";
  }
  return "";
}

std::string WhyNoSchemaName(std::string_view name) {
  if (!IsIdentifier(name)) return "is no name: use small letters, digits and _, and begin with a letter";
  constexpr std::string_view kOurs[] = {"caudal", "raw"};
  constexpr std::string_view kEngines[] = {"main", "temp", "system", "memory", "information_schema", "pg_catalog"};
  const bool ours = std::find(std::begin(kOurs), std::end(kOurs), name) != std::end(kOurs) || name.substr(0, 7) == "caudal_";
  if (ours) return "is reserved for Caudal's own data";
  if (std::find(std::begin(kEngines), std::end(kEngines), name) != std::end(kEngines)) return "is reserved by the engine";
  return "";
}

SourceConfig ParseSourceFile(const YamlNode& root, const SourceFileRequest& request, const FileContext& file,
                             bool& streams_known) {
  return SourceReader(root, request, file).Read(streams_known);
}

}  // namespace caudal
