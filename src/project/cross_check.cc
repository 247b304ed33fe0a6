#include "project/cross_check.h"

#include <algorithm>
#include <set>
#include <utility>

#include "data/name.h"
#include "project/alert_words.h"
#include "project/check_words.h"
#include "project/sql_text.h"

namespace caudal {
namespace {

// The checks of one table against its columns, where they are known, and against the tables they name.
class TableChecks {
 public:
  TableChecks(std::string table, const std::optional<Schema>& columns, const TableIndex& index, ProblemList& problems)
      : x_table(std::move(table)), x_columns(columns), x_index(index), x_problems(problems) {}

  void Check(const CheckSpec& check) {
    if (check.name == "relationships") Partner(check);
    if (!x_columns) return;
    std::vector<std::string> names = check.values;
    if (check.name != "unique") names.clear();
    if (!check.column.empty()) names.push_back(check.column);
    for (const std::string& name : names) {
      const Field* field = x_columns->Find(name);
      if (field == nullptr) {
        x_problems.Add(check.place, x_table + " has no column '" + name + "'",
                       DidYouMean(name, ColumnNames(*x_columns)));
        continue;
      }
      std::string why = WhyUnfit(check, field->type);
      if (!why.empty()) x_problems.Add(check.place, check.name + ": " + why, "change the check, or the column's type");
    }
  }

 private:
  void Partner(const CheckSpec& check) {
    const std::string& to = check.args.at("to");
    const TableIndex::Entry* entry = x_index.Find(to);
    if (entry == nullptr) {
      if (!x_index.MayExist(to)) {
        x_problems.Add(check.place, "relationships: nothing makes the table " + to, DidYouMean(to, x_index.Names()));
      }
    } else if (entry->columns && entry->columns->Find(check.args.at("field")) == nullptr) {
      x_problems.Add(check.place, "relationships: " + to + " has no column '" + check.args.at("field") + "'",
                     DidYouMean(check.args.at("field"), ColumnNames(*entry->columns)));
    }
  }

  std::string x_table;
  const std::optional<Schema>& x_columns;
  const TableIndex& x_index;
  ProblemList& x_problems;
};

void CheckOutput(const ModelConfig& model, const Schema& columns, ProblemList& problems) {
  std::vector<std::string> seen;
  for (const Field& field : columns.fields) {
    std::string lower = LowerName(field.name);
    if (std::find(seen.begin(), seen.end(), lower) != seen.end()) {
      problems.Add(model.place, "the SELECT gives two columns named '" + field.name + "'", "name one of them with AS");
    } else if (lower.rfind("_hoodie_", 0) == 0 || lower.rfind("_caudal_", 0) == 0) {
      problems.Add(model.place, "the SELECT gives a column '" + field.name + "', which is reserved", "name it with AS");
    } else if (lower.find('(') != std::string::npos) {
      problems.Add(model.place, "the SELECT gives a column without a name: " + field.name, "name it with AS");
    }
    seen.push_back(std::move(lower));
  }
}

void CheckNamedColumns(const ModelConfig& model, const ModelFile& file, const Schema& columns,
                       ProblemList& problems) {
  auto check = [&](const std::string& name, const char* word) {
    if (columns.Find(name) != nullptr) return;
    auto place = file.places.find(word);
    problems.Add(place == file.places.end() ? model.place : place->second,
                 std::string("'") + word + "' names '" + name + "', which the SELECT does not give",
                 DidYouMean(name, ColumnNames(columns)));
  };
  for (const std::string& name : model.key) check(name, "key");
  for (const std::string& name : model.partition_by) check(name, "partition_by");
  if (!model.time_column.empty()) check(model.time_column, "time");
  for (const ColumnConfig& column : model.columns) {
    if (columns.Find(column.name) != nullptr) continue;
    problems.Add(column.place, "the SELECT gives no column '" + column.name + "'",
                 DidYouMean(column.name, ColumnNames(columns)));
  }
}

/// A model whose SQL names $start or $end: it can only be built piece by piece, and knows which piece a row belongs to.
void CheckInterval(const ModelConfig& model, const ModelFile& file, const Schema& columns, ProblemList& problems) {
  auto time = file.places.find("time");
  const Field* field = columns.Find(model.time_column);
  if (time == file.places.end() || field == nullptr) return;  // each was noted by its place
  const std::vector<SqlToken> tokens = SqlTokens(model.sql);
  const bool runs = std::any_of(tokens.begin(), tokens.end(), [](const SqlToken& token) {
    return token.kind == SqlToken::Kind::kParameter && (SameName(token.text, "start") || SameName(token.text, "end"));
  });
  if (!runs) {
    problems.Warn(time->second, "'time' says nothing here: the SQL names neither $start nor $end",
                  "take it out, or write WHERE " + field->name + " >= $start AND " + field->name + " < $end");
    return;
  }
  if (field->type.kind != TypeKind::kDate && field->type.kind != TypeKind::kTimestamptz) {
    problems.Add(time->second, "'time' names '" + model.time_column + "', which is " + field->type.ToSql() + ", not DATE or TIMESTAMPTZ",
                 "name a column that is one of them, or cast it");
    return;
  }
  switch (model.materialize) {
    case Materialize::kAppend:
    case Materialize::kMerge:
      return;
    case Materialize::kPartitions: {
      const bool same = model.partition_by.size() == 1 && SameName(model.partition_by[0], model.time_column);
      if (same && field->type.kind == TypeKind::kDate) return;
      problems.Add(time->second, "by interval, 'incremental: partitions' replaces days: 'partition_by' and 'time' are one DATE column",
                   "write partition_by: <day> and time: <day>, or use {incremental: merge, key: ...}");
      return;
    }
    case Materialize::kTable:
    case Materialize::kView:
    case Materialize::kSnapshot:
      problems.Add(time->second, "$start and $end are for incremental models: this one is built as a whole",
                   "write materialize: {incremental: partitions, partition_by: " + model.time_column + "}");
  }
}

}  // namespace

void CheckModels(const Project& project, const std::vector<ModelFile>& files, const TableIndex& index,
                 ProblemList& problems) {
  for (std::size_t m = 0; m < project.models.size(); ++m) {
    const ModelConfig& model = project.models[m];
    const TableIndex::Entry* entry = index.Find(model.table());
    // A table that is made twice: the other one has the entry.
    bool own = entry != nullptr && entry->kind == Node::Kind::kModel && entry->model == m;
    std::optional<Schema> columns = own ? entry->columns : std::nullopt;
    if (columns) {
      CheckOutput(model, *columns, problems);
      CheckNamedColumns(model, files[m], *columns, problems);
      CheckInterval(model, files[m], *columns, problems);
    }
    TableChecks checks(model.table(), columns, index, problems);
    for (const ColumnConfig& column : model.columns) {
      // A column that is not there was noted above, once.
      if (columns && columns->Find(column.name) == nullptr) continue;
      for (const CheckSpec& check : column.checks) checks.Check(check);
    }
    for (const CheckSpec& check : model.checks) checks.Check(check);
    if (model.analysis.tables.empty() && (files[m].skip_sql || model.analysis.problem)) continue;
    if (model.analysis.name.empty()) continue;
    for (const auto& [table, on_change] : model.inputs) {
      const std::vector<std::string>& reads = model.analysis.tables;
      const TableIndex::Entry* input = index.Find(table);
      const bool view = input != nullptr && input->kind == Node::Kind::kModel &&
                        project.models[input->model].materialize == Materialize::kView;
      if (view) {
        problems.Add(files[m].places.at("input:" + table), table + " is a view: it is read through, and what it reads changes",
                     "store it (materialize: table), or take this out");
      }
      if (std::find(reads.begin(), reads.end(), table) != reads.end()) continue;
      problems.Add(files[m].places.at("input:" + table), "the model does not read '" + table + "'",
                   DidYouMean(table, reads));
    }
  }
}

void CheckStreams(const Project& project, const TableIndex& index, ProblemList& problems) {
  for (const SourceConfig& source : project.sources) {
    for (const StreamConfig& stream : source.streams) {
      std::string table = source.name + "." + stream.name;
      const TableIndex::Entry* entry = index.Find(table);
      std::optional<Schema> columns = entry != nullptr ? entry->columns : std::nullopt;
      TableChecks checks(table, columns, index, problems);
      for (const ColumnConfig& column : stream.columns) {
        if (columns && columns->Find(column.name) == nullptr) {
          // The source may bring it tomorrow, hence no error.
          problems.Warn(column.place, table + " has no column '" + column.name + "' yet",
                        DidYouMean(column.name, ColumnNames(*columns)));
          continue;
        }
        for (const CheckSpec& check : column.checks) checks.Check(check);
      }
      for (const CheckSpec& check : stream.checks) checks.Check(check);
    }
  }
}

namespace {

void CheckTest(const Project& project, const TestFile& file, const TableIndex& index, ProblemList& problems) {
  const UnitTest& test = file.test;
  const TableIndex::Entry* model = index.Find(test.model);
  if (test.model.empty()) return;
  if (model == nullptr || model->kind != Node::Kind::kModel) {
    if (model == nullptr && index.MayExist(test.model)) return;
    std::vector<std::string> names;
    for (const ModelConfig& config : project.models) names.push_back(config.table());
    problems.Add(file.model_place, "there is no model '" + test.model + "'", DidYouMean(test.model, names));
    return;
  }
  const ModelConfig& config = project.models[model->model];
  const std::vector<std::string>& reads = config.analysis.tables;
  for (const auto& [table, place] : file.given_places) {
    if (config.analysis.name.empty() || (reads.empty() && config.analysis.problem)) break;
    if (std::find(reads.begin(), reads.end(), table) == reads.end()) {
      problems.Add(place, "the model " + test.model + " does not read '" + table + "'", DidYouMean(table, reads));
    }
  }
  for (const auto& [where, place] : file.column_places) {
    const TableIndex::Entry* entry = where.first.empty() ? model : index.Find(where.first);
    if (entry == nullptr || !entry->columns || entry->columns->Find(where.second) != nullptr) continue;
    problems.Add(place, (where.first.empty() ? test.model : where.first) + " has no column '" + where.second + "'",
                 DidYouMean(where.second, ColumnNames(*entry->columns)));
  }
  for (const auto& [name, value] : test.parameters) {
    if (name == "start" || name == "end" || project.parameters.count(name) != 0) continue;
    std::vector<std::string> names;
    for (const auto& [known, parameter] : project.parameters) names.push_back(known);
    problems.Add(test.place, "unknown parameter '" + name + "'", DidYouMean(name, names));
  }
}

}  // namespace

void CheckTests(const Project& project, const std::vector<TestFile>& tests, const TableIndex& index,
                ProblemList& problems) {
  for (const TestFile& file : tests) CheckTest(project, file, index, problems);
  for (std::size_t i = 0; i < tests.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (tests[i].test.name != tests[j].test.name) continue;
      problems.Add(tests[i].test.place, "two tests are named '" + tests[i].test.name + "' (also " +
                                            tests[j].test.place.ToString() + ")", "rename one of them");
      break;
    }
  }
}

void CheckPipelines(const Project& project, const std::vector<PipelineFile>& pipelines, ProblemList& problems) {
  // What would be found in a source that was never asked, nobody knows.
  const bool known = std::none_of(project.sources.begin(), project.sources.end(), [](const SourceConfig& s) { return !s.patterns.empty() && s.asked.empty(); });
  for (const PipelineFile& pipeline : pipelines) {
    for (std::size_t i = 0; i < pipeline.config.run.size(); ++i) {
      Result<std::set<std::string>> selected = Select(project, {pipeline.config.run[i]}, {});
      if (!selected && known) problems.Add(pipeline.run_places[i], selected.error().message, selected.error().next);
    }
  }
  CheckPipelineOrder(pipelines, problems);
  CheckAlerts(project, pipelines, problems);
}

void CheckSchemaFormats(const Project& project, const TableIndex& index, ProblemList& problems) {
  std::set<std::string> schemas;
  for (const auto& [table, entry] : index.tables) schemas.insert(table.substr(0, table.find('.')));
  for (const SourceConfig& source : project.sources) {
    if (!source.patterns.empty()) schemas.insert(source.name);
  }
  for (const auto& [schema, formats] : project.schema_formats) {
    if (schemas.contains(schema)) continue;
    problems.Add(formats.place, "no table is in '" + schema + "'",
                 DidYouMean(schema, std::vector<std::string>(schemas.begin(), schemas.end())));
  }
}

}  // namespace caudal
