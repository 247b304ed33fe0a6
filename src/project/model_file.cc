#include "project/model_file.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/utf8.h"
#include "data/name.h"
#include "project/check_parse.h"
#include "project/columns.h"
#include "project/retention_words.h"

namespace caudal {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

struct Parts {
  bool has_header = false;
  std::string yaml;  // padded, so that places in it are places in the file
  std::string sql;
  std::int64_t sql_line = 1;
};

std::int64_t LinesIn(std::string_view text) { return std::count(text.begin(), text.end(), '\n'); }

// What stands before `at` as blanks: lines stay lines, and the last one keeps its width.
std::string Padding(std::string_view text, std::size_t at) {
  std::string padding(static_cast<std::size_t>(LinesIn(text.substr(0, at))), '\n');
  std::size_t line = text.rfind('\n', at == 0 ? 0 : at - 1);
  std::size_t begin = line == std::string_view::npos || at == 0 ? 0 : line + 1;
  for (std::size_t i = begin; i < at; ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) padding += ' ';
  }
  return padding;
}

// The end of "/* caudal:" at `at`, or npos.
std::size_t HeaderWord(std::string_view text, std::size_t at) {
  if (text.substr(at, 2) != "/*") return std::string_view::npos;
  at = text.find_first_not_of(kBlanks, at + 2);
  constexpr std::string_view kWord = "caudal";
  if (at == std::string_view::npos || text.substr(at, kWord.size()) != kWord) return std::string_view::npos;
  at = text.find_first_not_of(" \t", at + kWord.size());
  return at != std::string_view::npos && text[at] == ':' ? at + 1 : std::string_view::npos;
}

void TakeSql(std::string_view text, std::size_t begin, Parts& parts) {
  std::size_t first = text.find_first_not_of(kBlanks, begin);
  if (first == std::string_view::npos) return;
  std::size_t line = text.rfind('\n', first);
  line = line == std::string_view::npos ? 0 : line + 1;
  // What stands on the same line before it becomes blanks, so that columns are the file's.
  parts.sql = std::string(first - line, ' ') + std::string(text.substr(first));
  parts.sql_line = LinesIn(text.substr(0, first)) + 1;
  while (!parts.sql.empty() && (kBlanks.find(parts.sql.back()) != std::string_view::npos || parts.sql.back() == ';')) {
    parts.sql.pop_back();
  }
}

Parts Split(std::string_view text, const FileContext& file) {
  Parts parts;
  std::size_t bom = text.substr(0, 3) == "\xEF\xBB\xBF" ? 3 : 0;
  std::size_t at = text.find_first_not_of(kBlanks, bom);
  std::size_t yaml = at == std::string_view::npos ? at : HeaderWord(text, at);
  if (yaml == std::string_view::npos) {
    TakeSql(text, bom, parts);
    for (std::size_t i = text.find("/*"); i != std::string_view::npos; i = text.find("/*", i + 2)) {
      if (HeaderWord(text, i) == std::string_view::npos) continue;
      Place place{file.path, static_cast<int>(LinesIn(text.substr(0, i))) + 1, 1};
      file.problems->Add(place, "the header does not stand first", "move '/* caudal: ... */' to the top of the file");
      break;
    }
    return parts;
  }
  parts.has_header = true;
  std::size_t end = text.find("*/", yaml);
  if (end == std::string_view::npos) {
    file.problems->Add(Place{file.path, static_cast<int>(LinesIn(text.substr(0, at))) + 1, 1},
                       "the header is not closed", "end it with */");
    return parts;
  }
  parts.yaml = Padding(text, yaml) + std::string(text.substr(yaml, end - yaml));
  TakeSql(text, end + 2, parts);
  return parts;
}

class HeaderReader {
 public:
  HeaderReader(const YamlNode& root, const FileContext& file, ModelFile& model)
      : x_root(root), x_file(file), x_model(model), x_config(model.config) {}

  void Read() {
    MapReader reader(x_root, "the header of a model", x_file);
    if (const YamlNode* node = reader.Take("materialize")) MaterializeWord(*node);
    if (const YamlNode* node = reader.Take("inputs")) Inputs(*node);
    x_config.owner = reader.Text("owner", x_config.owner);
    x_config.description = reader.Text("description", "");
    x_config.tags = reader.Texts("tags");
    x_config.priority = reader.Priority();
    x_config.formats = reader.Formats();
    x_config.retention = RetentionOf(reader, x_file);
    x_config.timeout = reader.Timeout();
    if (const YamlNode* node = reader.Take("time")) {
      x_config.time_column = TextOf(*node, "time", x_file).value_or("");
      x_model.places["time"] = x_file.At(*node);
    }
    x_config.columns = ParseColumns(reader.Take("columns"), ColumnTypes::kRefused, x_file);
    if (const YamlNode* node = reader.Take("checks")) ParseChecks(*node, "", x_file, x_config.checks);
    reader.Finish();
  }

 private:
  static const std::vector<std::string>& Kinds() {
    static const std::vector<std::string> kKinds = {"table", "view", "incremental", "snapshot"};
    return kKinds;
  }

  void MaterializeWord(const YamlNode& node) {
    if (node.is_scalar()) {
      if (node.text == "table" || node.text == "view") {
        x_config.materialize = node.text == "view" ? Materialize::kView : Materialize::kTable;
      } else if (node.text == "incremental") {
        x_file.Add(node, "'incremental' does not say how", "write {incremental: append}, merge or partitions");
      } else if (node.text == "snapshot") {
        x_file.Add(node, "'snapshot' does not say by which key", "write {snapshot: customer_id}");
      } else {
        x_file.Add(node, "'materialize' cannot be '" + node.text + "'", DidYouMean(node.text, Kinds()));
      }
      return;
    }
    MapReader reader(node, "'materialize'", x_file);
    if (!node.is_map()) return;
    const YamlNode* incremental = reader.Take("incremental");
    const YamlNode* snapshot = reader.Take("snapshot");
    const YamlNode* table = reader.Take("table");
    const YamlNode* view = reader.Take("view");
    int kinds = 0;
    for (const YamlNode* kind : {incremental, snapshot, table, view}) kinds += kind != nullptr ? 1 : 0;
    if (kinds > 1) x_file.Add(node, "'materialize' names more than one kind", "keep one of table, view, incremental, snapshot");
    if (incremental != nullptr) Incremental(*incremental);
    if (view != nullptr) x_config.materialize = Materialize::kView;
    if (snapshot != nullptr) {
      x_config.materialize = Materialize::kSnapshot;
      x_config.key = TextsOf(*snapshot, "snapshot", x_file);
      x_model.places["key"] = x_file.At(*snapshot);
      if (x_config.key.empty()) x_file.Add(*snapshot, "'snapshot' does not say by which key", "write {snapshot: customer_id}");
    }
    Layout(reader, node, kinds);
    reader.Finish();
  }

  void Incremental(const YamlNode& node) {
    std::string how = TextOf(node, "incremental", x_file).value_or("append");
    if (how == "append") {
      x_config.materialize = Materialize::kAppend;
    } else if (how == "merge") {
      x_config.materialize = Materialize::kMerge;
    } else if (how == "partitions") {
      x_config.materialize = Materialize::kPartitions;
    } else {
      x_file.Add(node, "'incremental' cannot be '" + how + "'", DidYouMean(how, {"append", "merge", "partitions"}));
    }
  }

  void Layout(MapReader& reader, const YamlNode& node, int kinds) {
    Materialize kind = x_config.materialize;
    if (const YamlNode* by = reader.Take("partition_by")) {
      x_config.partition_by = TextsOf(*by, "partition_by", x_file);
      x_model.places["partition_by"] = x_file.At(*by);
      if (kind == Materialize::kView) x_file.Add(*by, "a view has no partitions", "write materialize: {table: true, partition_by: ...}");
      if (kind == Materialize::kPartitions && x_config.partition_by.size() > 1) {
        x_file.Add(*by, "'incremental: partitions' takes one partition column", "keep the one by which rows arrive");
      }
    }
    if (const YamlNode* key = reader.Take("key")) {
      if (kind == Materialize::kMerge) {
        x_config.key = TextsOf(*key, "key", x_file);
        x_model.places["key"] = x_file.At(*key);
      } else if (kinds > 0) {
        x_file.Add(*key, "'key' is for {incremental: merge}", "take it out, or write {snapshot: <key>} for a history");
      }
    }
    if (const YamlNode* late = reader.Take("late")) {
      x_config.late = DurationOf(*late, "late", x_file);
      if (x_config.partition_by.empty()) {
        x_file.Add(*late, "'late' needs 'partition_by'", "name the partition column, or take 'late' out");
      } else if (kind != Materialize::kPartitions) {
        x_file.Add(*late, "'late' is for {incremental: partitions}", "take it out");
      }
    }
    if (kinds == 0) {
      x_file.Add(node, "'materialize' names no kind", DidYouMean("", Kinds()));
    } else if (kind == Materialize::kPartitions && x_config.partition_by.empty()) {
      x_file.Add(node, "'incremental: partitions' needs 'partition_by'", "write partition_by: order_date");
    } else if (kind == Materialize::kMerge && x_config.key.empty()) {
      x_file.Add(node, "'incremental: merge' needs 'key'", "write key: order_id");
    }
  }

  void Inputs(const YamlNode& node) {
    if (!node.is_map()) {
      x_file.Add(node, "'inputs' should be a map of tables, not " + std::string(node.KindName()),
                 "write inputs: {silver.customers: {on_change: ignore}}");
      return;
    }
    for (const YamlMember& member : node.members) {
      MapReader reader(member.value, "the input '" + member.key + "'", x_file);
      std::string table = LowerName(member.key);
      OnChange& on_change = x_config.inputs[table];
      x_model.places["input:" + table] = x_file.At(member);
      std::string word = reader.Text("on_change", "");
      if (word == "full") {
        on_change = OnChange::kFull;
      } else if (word == "ignore") {
        on_change = OnChange::kIgnore;
      } else if (word == "as_of") {
        x_file.Add(*member.value.Find("on_change"), "'on_change: as_of' is not there yet",
                   "make a history of that input ({snapshot: key}), join it by valid_from and valid_to, and write on_change: ignore");
      } else if (!word.empty()) {
        x_file.Add(*member.value.Find("on_change"), "'on_change' cannot be '" + word + "'",
                   DidYouMean(word, {"full", "ignore"}));
      }
      reader.Finish();
    }
  }

  const YamlNode& x_root;
  const FileContext& x_file;
  ModelFile& x_model;
  ModelConfig& x_config;
};

}  // namespace

ModelFile ParseModelFile(std::string_view text, const std::string& schema, const std::string& name,
                         const FileContext& file, const Project& project) {
  ModelFile model;
  model.config.schema = schema;
  model.config.name = name;
  model.config.file = file.path;
  model.config.owner = project.owner;
  if (const std::size_t bad = FindNoUtf8(text); bad != std::string_view::npos) {
    model.skip_sql = true;
    file.problems->Add(Place{file.path, static_cast<int>(LinesIn(text.substr(0, bad))) + 1, 1}, "the file is not UTF-8", "save it as UTF-8");
    return model;
  }
  Parts parts = Split(text, file);
  model.config.sql = std::move(parts.sql);
  model.config.sql_line = parts.sql_line;
  model.config.place = Place{file.path, static_cast<int>(parts.sql_line), 1};
  if (parts.has_header) {
    YamlOutcome yaml = ReadYaml(parts.yaml);
    for (const YamlProblem& p : yaml.problems) {
      file.problems->Add(Place{file.path, p.line, p.column}, "the header: " + p.message, p.next);
    }
    HeaderReader(yaml.root, file, model).Read();
  }
  if (model.config.sql.find_first_not_of(kBlanks) == std::string::npos) {
    model.skip_sql = true;
    file.problems->Add(Place{file.path, 1, 1}, "the model has no SELECT", "write one below the header");
  }
  return model;
}

Place PlaceInSql(const ModelConfig& model, std::size_t offset) {
  std::string_view before = std::string_view(model.sql).substr(0, offset);
  Place place{model.file, static_cast<int>(model.sql_line + LinesIn(before)), 1};
  std::size_t line = before.rfind('\n');
  for (char c : before.substr(line == std::string_view::npos ? 0 : line + 1)) {
    place.column += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
  }
  return place;
}

}  // namespace caudal
