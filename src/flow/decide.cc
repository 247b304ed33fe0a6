#include "flow/decide.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/clock.h"
#include "base/ids.h"
#include "base/json.h"

namespace caudal {
namespace {

Decision Full(std::string reason) {
  Decision d;
  d.action = Decision::Action::kFull;
  d.reason = std::move(reason);
  return d;
}

Decision Skip(std::string reason) {
  Decision d;
  d.reason = std::move(reason);
  return d;
}

OnChange OnChangeOf(const ModelConfig& model, const std::string& table) {
  auto it = model.inputs.find(table);
  return it == model.inputs.end() ? OnChange::kDefault : it->second;
}

bool ChangesRows(const InputState& input) {
  return std::any_of(input.commits.begin(), input.commits.end(),
                     [](const CommitRecord& c) { return c.change != ChangeKind::kNone; });
}

bool OnlyAppends(const InputState& input) {
  return std::all_of(input.commits.begin(), input.commits.end(), [](const CommitRecord& c) {
    return c.change == ChangeKind::kNone || c.change == ChangeKind::kAppend;
  });
}

bool OnlyAppendsAndUpserts(const InputState& input) {
  return std::all_of(input.commits.begin(), input.commits.end(), [](const CommitRecord& c) {
    return c.change == ChangeKind::kNone || c.change == ChangeKind::kAppend || c.change == ChangeKind::kUpsert;
  });
}

/// Files that the commits added and that no later one of them removed is the caller's business: it intersects with the
/// snapshot.
std::vector<std::string> AddedFiles(const InputState& input) {
  std::vector<std::string> paths;
  for (const CommitRecord& c : input.commits) {
    if (c.change == ChangeKind::kNone) continue;
    paths.insert(paths.end(), c.added_paths.begin(), c.added_paths.end());
  }
  return paths;
}

/// True where files were joined whose rows are new: what is new can no longer be told from the files that are left.
bool NewFilesWereJoined(const InputState& input, const std::vector<std::string>& added) {
  const std::set<std::string_view> paths(added.begin(), added.end());
  return std::any_of(input.commits.begin(), input.commits.end(), [&](const CommitRecord& c) {
    return c.change == ChangeKind::kNone && std::any_of(c.removed_paths.begin(), c.removed_paths.end(),
                                                        [&](const std::string& path) { return paths.contains(path); });
  });
}

bool KeyIsStraight(const ModelConfig& model, const std::string& table) {
  for (const std::string& key : model.key) {
    auto column = std::find_if(model.analysis.columns.begin(), model.analysis.columns.end(),
                               [&](const OutputColumn& c) { return c.field.name == key; });
    if (column == model.analysis.columns.end() || !column->straight || column->straight->table != table) return false;
  }
  return !model.key.empty();
}

/// The raw objects of the commits, where a load merged them: its rewritten files hold old rows too, and each row's
/// `_source_file` tells. Empty where every row of the added files is new, or where rows do not tell.
std::vector<std::string> RawKeysOfMerges(const InputState& input) {
  std::vector<std::string> keys;
  bool merged = false;
  for (const CommitRecord& c : input.commits) {
    if (c.change == ChangeKind::kNone) continue;
    if (c.raw.empty()) return {};
    merged = merged || c.change == ChangeKind::kUpsert;
    for (const RawObject& object : c.raw) keys.push_back(object.key);
  }
  if (!merged) keys.clear();
  return keys;
}

Decision NewRows(const ModelConfig& model, const std::vector<const InputState*>& changed) {
  const InputState& input = *changed.front();
  if (changed.size() > 1) return Full("more than one input changed: " + input.table + " and " + changed[1]->table);
  if (!model.analysis.row_wise) return Full("the query is not row by row, so new rows alone do not tell the result");
  bool fits = OnlyAppends(input) || (model.materialize == Materialize::kMerge && OnlyAppendsAndUpserts(input) &&
                                     model.analysis.keeps_every_row && KeyIsStraight(model, input.table));
  if (!fits) return Full("rows of " + input.table + " changed or vanished");
  Decision d;
  d.action = Decision::Action::kNewRows;
  d.input = input.table;
  d.new_files = AddedFiles(input);
  if (NewFilesWereJoined(input, d.new_files)) return Full("new files of " + input.table + " were joined with others before they were read");
  d.raw_keys = RawKeysOfMerges(input);
  d.reason = "new rows in " + input.table;
  return d;
}

/// NULL first, then by text.
bool Before(const Cell& a, const Cell& b) {
  if (!a || !b) return !a && b;
  return *a < *b;
}

std::string OldestOpen(const ModelConfig& model, const std::vector<InputState>& inputs) {
  if (!model.late) return "";
  std::string newest;
  for (const InputState& input : inputs) {
    auto column = model.analysis.partition_inputs.find(input.table);
    if (column == model.analysis.partition_inputs.end()) continue;
    auto value = input.newest_partition.find(column->second);
    if (value != input.newest_partition.end()) newest = std::max(newest, value->second);
  }
  auto time = ParseTimestamp(newest);
  return time ? FormatTimestamp(*time - *model.late).substr(0, newest.size()) : "";
}

Decision Partitions(const ModelConfig& model, const std::vector<InputState>& inputs,
                    const std::vector<const InputState*>& changed) {
  if (!model.analysis.partition_wise) return Full(model.analysis.partition_reason);
  auto less = [](const Cell& a, const Cell& b) { return Before(a, b); };
  std::set<Cell, decltype(less)> touched(less);
  std::string names;
  for (const InputState* input : changed) {
    auto column = model.analysis.partition_inputs.find(input->table);
    if (column == model.analysis.partition_inputs.end()) {
      return Full(input->table + " changed and has no partitions of its own in this query; say `inputs: {" +
                  input->table + ": {on_change: ignore}}` where that does not matter");
    }
    const auto& columns = input->partition_columns;
    if (std::find(columns.begin(), columns.end(), column->second) == columns.end()) {
      return Full(input->table + " is not partitioned by " + column->second);
    }
    for (const CommitRecord& c : input->commits) {
      if (c.change == ChangeKind::kNone) continue;
      for (const auto& partition : c.partitions) {
        auto value = partition.find(column->second);
        if (value == partition.end()) return Full(input->table + " was not partitioned by " + column->second + " before");
        touched.insert(value->second);
      }
    }
    names += (names.empty() ? "" : ", ") + input->table;
  }
  Decision d;
  std::string oldest = OldestOpen(model, inputs);
  for (const Cell& value : touched) {
    bool closed = !oldest.empty() && value && *value < oldest;
    (closed ? d.closed_partitions : d.partitions).push_back(value);
  }
  d.action = d.partitions.empty() ? Decision::Action::kSkip : Decision::Action::kPartitions;
  d.reason = d.partitions.empty() ? "only closed partitions of " + names + " changed" : names + " changed";
  return d;
}

/// What runs, without its interval.
Decision DecideChange(const ModelConfig& model, const std::string& definition, const std::optional<BuildRecord>& built,
                      const std::vector<InputState>& inputs, bool full_refresh) {
  if (!built) return Full("first build");
  if (full_refresh) return Full("asked for by --full-refresh");
  if (built->definition != definition) return Full("its definition changed");

  std::vector<const InputState*> changed;
  for (const InputState& input : inputs) {
    auto before = built->inputs.find(input.table);
    if (before == built->inputs.end()) return Full(input.table + " is a new input");
    if (before->second.table_id != input.table_id) return Full(input.table + " was created anew");
    OnChange on_change = OnChangeOf(model, input.table);
    if (!ChangesRows(input) || on_change == OnChange::kIgnore) continue;
    if (on_change == OnChange::kFull) return Full(input.table + " changed (on_change: full)");
    changed.push_back(&input);
  }
  if (changed.empty()) return Skip("no input changed");
  if (RunsByInterval(model)) {
    Decision d;
    d.action = Decision::Action::kInterval;
    d.reason = changed.front()->table + " changed";
    return d;
  }
  switch (model.materialize) {
    case Materialize::kAppend:
    case Materialize::kMerge:
      return NewRows(model, changed);
    case Materialize::kPartitions:
      return Partitions(model, inputs, changed);
    case Materialize::kTable:
    case Materialize::kView:
    case Materialize::kSnapshot:
      break;
  }
  return Full(changed.front()->table + " changed");
}

}  // namespace

std::string BuildRecordToJson(const BuildRecord& record) {
  Json inputs = Json::object();
  for (const auto& [table, input] : record.inputs) inputs[table] = {{"id", input.table_id}, {"version", input.version}};
  Json json{{"definition", record.definition}, {"checks", record.checks}, {"inputs", inputs}};
  if (!record.cursor.empty()) json["cursor"] = record.cursor;
  return DumpJson(json);
}

Result<BuildRecord> BuildRecordFromJson(const std::string& text) {
  TRY_ASSIGN(Json json, ParseJson(text, "the build record of a model"));
  BuildRecord record;
  record.definition = JsonString(json, "definition", "");
  record.checks = JsonString(json, "checks", "");
  record.cursor = JsonString(json, "cursor", "");
  if (auto inputs = json.find("inputs"); inputs != json.end()) {
    for (const auto& [table, input] : inputs->items()) {
      record.inputs[table] = {JsonString(input, "id", ""), JsonInt(input, "version", -1)};
    }
  }
  return record;
}

Decision Decide(const ModelConfig& model, const std::string& definition, const std::optional<BuildRecord>& built,
                const std::vector<InputState>& inputs, const DecideOptions& options) {
  Decision d = DecideChange(model, definition, built, inputs, options.full_refresh);
  if (!RunsByInterval(model) || d.action == Decision::Action::kSkip) return d;
  const bool next = d.action == Decision::Action::kInterval;
  d.interval = NextInterval(model, next ? built->cursor : "", options.time, options.now);
  if (d.interval) {
    d.reason += fmt::format(", from {} to {}", d.interval->from, d.interval->to);
  } else if (next) {
    return Skip(d.reason + ", but nothing since " + built->cursor + " is over yet");
  } else {
    d.interval = Interval{"1970-01-01", "1970-01-01", ""};  // a table without a row, so that others can read it
  }
  return d;
}

std::string DefinitionOf(const ModelConfig& model, const std::vector<const ModelConfig*>& views,
                         const std::map<std::string, Parameter>& parameters) {
  Json json{{"sql", model.sql},
            {"materialize", static_cast<int>(model.materialize)},
            {"key", model.key},
            {"partition_by", model.partition_by}};
  for (const auto& [name, type] : model.analysis.parameters) {
    auto it = parameters.find(name);
    if (it == parameters.end()) continue;
    json["parameters"][name] = it->second.value ? Json(*it->second.value) : Json();
  }
  for (const ModelConfig* view : views) json["views"][view->table()] = view->sql;
  return Sha256Hex(DumpJson(json));
}

std::string HashOfChecks(const std::vector<CheckSpec>& checks) {
  Json json = Json::array();
  for (const CheckSpec& check : checks) {
    json.push_back({check.name, check.column, static_cast<int>(check.severity), check.args, check.values});
  }
  return Sha256Hex(DumpJson(json));
}

std::vector<CheckSpec> AllChecks(const std::vector<ColumnConfig>& columns, const std::vector<CheckSpec>& table) {
  std::vector<CheckSpec> all;
  for (const ColumnConfig& column : columns) all.insert(all.end(), column.checks.begin(), column.checks.end());
  all.insert(all.end(), table.begin(), table.end());
  return all;
}

}  // namespace caudal
