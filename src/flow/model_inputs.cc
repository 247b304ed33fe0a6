#include "flow/model_inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "data/name.h"
#include "flow/candidate.h"
#include "lake/table_config.h"
#include "lake/upsert.h"

namespace caudal {
namespace {

Status Open(const Workspace& workspace, const std::vector<std::string>& tables, const std::string& reader,
            ModelInputs& inputs, std::set<std::string>& seen) {
  for (const std::string& name : tables) {
    if (!seen.insert(name).second) continue;
    const Node* node = workspace.project.Find(name);
    if (node && node->kind == Node::Kind::kModel &&
        workspace.project.model(*node).materialize == Materialize::kView) {
      const ModelConfig& view = workspace.project.model(*node);
      TRY(Open(workspace, view.analysis.tables, name, inputs, seen));
      inputs.views.push_back(&view);
      continue;
    }
    TRY_ASSIGN(auto snapshot, LatestOrNone(workspace.TableOf(name)));
    if (!snapshot) {
      return Error{ErrorKind::kNotFound, reader + " reads " + name + ", which was never built",
                   "`caudal run -s +" + reader + "` builds it first", ""};
    }
    inputs.tables.push_back({name, std::move(snapshot)});
  }
  return {};
}

std::string NewestValue(const Snapshot& snapshot, const std::string& column) {
  std::string newest;
  for (const LiveFile& file : snapshot.files) {
    auto it = file.partition.find(column);
    if (it != file.partition.end() && it->second) newest = std::max(newest, *it->second);
  }
  return newest;
}

/// Of the one column that the model's time column is made of, by the bounds of its files.
Result<TimeRange> TimeRangeOf(const ModelConfig& model, const ModelInputs& inputs) {
  TimeRange range;
  const ModelInput* input = nullptr;
  std::string name;
  for (const OutputColumn& column : model.analysis.columns) {
    if (!SameName(column.field.name, model.time_column) || column.origins.size() != 1) continue;
    input = inputs.Find(column.origins.front().table);
    name = column.origins.front().column;
  }
  if (input == nullptr) return range;
  for (const LiveFile& file : input->snapshot->files) {
    std::optional<std::string> least, most;
    if (auto value = file.partition.find(name); value != file.partition.end()) {
      least = most = value->second;
    } else {
      TRY_ASSIGN(auto stats, StatsOf(*input->snapshot, file));
      auto bounds = stats.find(name);
      if (bounds == stats.end()) return TimeRange{};
      least = bounds->second.min;
      most = bounds->second.max;
    }
    auto from = ParseTimestamp(least.value_or("")), to = ParseTimestamp(most.value_or(""));
    if (!from || !to) continue;  // NULL alone
    range.oldest = std::min(range.oldest.value_or(*from), *from);
    range.newest = std::max(range.newest.value_or(*to), *to);
  }
  return range;
}

/// The files of `input` that the job has to read.
std::vector<const LiveFile*> FilesFor(const ModelConfig& model, const ModelInput& input, const Decision& decision) {
  std::vector<const LiveFile*> all = KeptFiles(input.snapshot.get(), {});
  if (decision.action == Decision::Action::kNewRows && input.table == decision.input) {
    std::set<std::string_view> wanted(decision.new_files.begin(), decision.new_files.end());
    std::erase_if(all, [&](const LiveFile* file) { return !wanted.contains(file->path); });
  }
  auto column = model.analysis.partition_inputs.find(input.table);
  if (decision.action == Decision::Action::kPartitions && column != model.analysis.partition_inputs.end()) {
    std::erase_if(all, [&](const LiveFile* file) {
      auto value = file->partition.find(column->second);
      return value != file->partition.end() &&
             std::find(decision.partitions.begin(), decision.partitions.end(), value->second) == decision.partitions.end();
    });
  }
  return all;
}

}  // namespace

const ModelInput* ModelInputs::Find(const std::string& table) const {
  auto it = std::find_if(tables.begin(), tables.end(), [&](const ModelInput& i) { return i.table == table; });
  return it == tables.end() ? nullptr : &*it;
}

Result<ModelInputs> OpenInputs(const Workspace& workspace, const ModelConfig& model) {
  ModelInputs inputs;
  std::set<std::string> seen;
  TRY(Open(workspace, model.analysis.tables, model.table(), inputs, seen));
  return inputs;
}

Result<Analysis> AnalyzeModel(const Workspace& workspace, const ModelConfig& model, const ModelInputs& inputs,
                              const CancelFlag* cancel) {
  AnalyzeJob job;
  for (const ModelInput& input : inputs.tables) {
    auto [schema, name] = SplitTable(input.table);
    job.tables.push_back({schema, name, input.snapshot->schema});
  }
  for (const ModelConfig* view : inputs.views) job.queries.push_back({view->table(), view->sql, "", true});
  job.queries.push_back({model.table(), model.sql, model.partition_by.empty() ? "" : model.partition_by.front(), false});
  RunOptions options;
  options.limits = workspace.Limits();
  options.cancel = cancel;
  JobCost cost;
  TRY_ASSIGN(AnalyzeResult result, RunAnalyze(workspace.engine, std::move(job), options, &cost));
  for (Analysis& analysis : result.queries) {
    if (analysis.name != model.table()) continue;
    if (!analysis.problem) return std::move(analysis);
    const SqlProblem& problem = *analysis.problem;
    std::string next = problem.candidates.empty() ? "" : "did you mean " + problem.candidates.front() + "?";
    return Error{ErrorKind::kInvalidArgument, problem.message, next, PlaceInSql(model, problem.position)};
  }
  return Error{ErrorKind::kInternal, "the analysis of " + model.table() + " is missing", "", ""};
}

Result<std::vector<InputState>> StatesOf(const Workspace& workspace, const ModelInputs& inputs,
                                         const std::optional<BuildRecord>& built) {
  std::vector<InputState> states;
  for (const ModelInput& input : inputs.tables) {
    InputState state;
    state.table = input.table;
    state.table_id = input.snapshot->table_id;
    state.version = input.snapshot->version;
    state.partition_columns = input.snapshot->partition_columns;
    for (const std::string& column : state.partition_columns) {
      state.newest_partition[column] = NewestValue(*input.snapshot, column);
    }
    if (built) {
      auto before = built->inputs.find(input.table);
      bool same = before != built->inputs.end() && before->second.table_id == state.table_id;
      if (same && before->second.version < state.version) {
        TRY_ASSIGN(state.commits, workspace.TableOf(input.table).History(before->second.version, state.version));
        for (CommitRecord& commit : state.commits) {
          if (commit.files_added == 0 && commit.files_removed == 0) commit.change = ChangeKind::kNone;
        }
      }
    }
    states.push_back(std::move(state));
  }
  return states;
}

Result<ModelState> LookAtModel(const Workspace& workspace, const ModelConfig& model, const CancelFlag* cancel) {
  ModelState state;
  state.model = model;
  TRY_ASSIGN(state.base, LatestOrNone(workspace.TableOf(model.table())));
  TRY_ASSIGN(state.inputs, OpenInputs(workspace, model));
  TRY_ASSIGN(state.model.analysis, AnalyzeModel(workspace, model, state.inputs, cancel));
  state.definition = DefinitionOf(state.model, state.inputs.views, workspace.project.parameters);
  if (state.base) {
    auto record = state.base->domains.find("model");
    if (record == state.base->domains.end()) {
      return Error{ErrorKind::kAlreadyExists, "the table " + model.table() + " exists in the lake and no model built it",
                   "give the model another name", model.place.ToString()};
    }
    TRY_ASSIGN(state.built, BuildRecordFromJson(record->second));
  }
  TRY_ASSIGN(state.changes, StatesOf(workspace, state.inputs, state.built));
  if (RunsByInterval(state.model)) {
    TRY_ASSIGN(state.time, TimeRangeOf(state.model, state.inputs));
  }
  return state;
}

Decision DecideNext(const Workspace& workspace, const ModelState& state, bool full_refresh) {
  const Timestamp now = workspace.clock.Now();
  Decision d = Decide(state.model, state.definition, state.built, state.changes, {full_refresh, state.time, now});
  if (!state.base || d.action == Decision::Action::kSkip || d.action == Decision::Action::kFull) return d;
  // A SELECT * of an input whose columns changed: files that stay must be readable under the new ones.
  const auto columns = NextColumns(state.base.get(), TableColumns(state.model), false);
  if (columns) return d;
  d = Decide(state.model, state.definition, state.built, state.changes, {true, state.time, now});
  d.reason = columns.error().message;
  return d;
}

void AddModelInputs(ComputeJob& job, const Workspace& workspace, const ModelConfig& model, const ModelInputs& inputs,
                    const Decision& decision) {
  for (const ModelInput& input : inputs.tables) {
    auto [schema, name] = SplitTable(input.table);
    TableInput table = InputOf(*input.snapshot, schema, name, FilesFor(model, input, decision),
                               workspace.RootOf(input.table), false);
    if (input.table == decision.input && !decision.raw_keys.empty()) {
      std::string keys;
      for (const std::string& key : decision.raw_keys) keys += (keys.empty() ? "" : ", ") + QuoteLiteral(key);
      table.only = "_source_file IN (" + keys + ")";
    }
    job.inputs.push_back(std::move(table));
  }
  for (const ModelConfig* view : inputs.views) job.steps.push_back(Step::Run(view->table(), view->sql).OfUser());
}

std::string PartitionsOnly(const ModelConfig& model, const ModelInputs& inputs, const Decision& decision) {
  if (decision.action != Decision::Action::kPartitions) return "";
  bool cut = std::all_of(inputs.tables.begin(), inputs.tables.end(), [&](const ModelInput& input) {
    auto column = model.analysis.partition_inputs.find(input.table);
    const std::vector<std::string>& stored = input.snapshot->partition_columns;
    return column == model.analysis.partition_inputs.end() ||
           std::find(stored.begin(), stored.end(), column->second) != stored.end();
  });
  Schema columns = QueryColumns(model);
  const Field* field = columns.Find(model.partition_by.front());
  if (cut || field == nullptr) return "";
  std::string column = QuoteIdentifier(field->name);
  if (field->type.kind == TypeKind::kVarchar) column = "nullif(" + column + ", '')";  // as it is stored
  std::string values, null;
  for (const Cell& value : decision.partitions) {
    if (!value) null = " OR " + column + " IS NULL";
    if (value) values += fmt::format("{}CAST({} AS {})", values.empty() ? "" : ", ", QuoteLiteral(*value), field->type.ToSql());
  }
  return "(" + (values.empty() ? "false" : column + " IN (" + values + ")") + null + ")";
}

std::map<std::string, Parameter> ParametersOf(const Project& project, const ModelConfig& model,
                                              const std::optional<Interval>& interval) {
  std::map<std::string, Parameter> parameters;
  for (const auto& [name, type] : model.analysis.parameters) {
    if (auto it = project.parameters.find(name); it != project.parameters.end()) parameters.insert(*it);
    if (interval && name == "start") parameters[name] = {TimeTypeOf(model), interval->from};
    if (interval && name == "end") parameters[name] = {TimeTypeOf(model), interval->to};
  }
  return parameters;
}

Schema QueryColumns(const ModelConfig& model) {
  Schema columns;
  for (const OutputColumn& column : model.analysis.columns) columns.fields.push_back(column.field);
  return columns;
}

Schema TableColumns(const ModelConfig& model) {
  Schema columns = QueryColumns(model);
  if (model.materialize == Materialize::kSnapshot) {
    columns.fields.push_back({"valid_from", Type{TypeKind::kTimestamptz, 0, 0, {}}, 0});
    columns.fields.push_back({"valid_to", Type{TypeKind::kTimestamptz, 0, 0, {}}, 0});
    columns.fields.push_back({"is_current", Type{TypeKind::kBoolean, 0, 0, {}}, 0});
  }
  return columns;
}

std::string PlaceInSql(const ModelConfig& model, std::optional<std::int64_t> position) {
  std::int64_t line = model.sql_line;
  std::int64_t column = 1;
  for (std::size_t i = 0; position && i < model.sql.size() && i < static_cast<std::size_t>(*position); ++i) {
    column = model.sql[i] == '\n' ? 1 : column + 1;
    line += model.sql[i] == '\n' ? 1 : 0;
  }
  return fmt::format("{}:{}:{}", model.file, line, column);
}

}  // namespace caudal
