#include "project/sql_review.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "data/name.h"
#include "project/sql_advice.h"
#include "project/sql_text.h"

namespace caudal {
namespace {

// False where the complaint may follow from another table that is unknown or wrong.
bool StandsAlone(const std::string& kind) {
  return kind != "binder" && kind != "catalog" && kind != "upstream" && kind != "cycle";
}

// A query over one check's SQL: does it bind, and what does it read?
struct CheckQuery {
  std::string name;   // in the job
  std::string table;  // whose check
  CheckSpec* check = nullptr;
};

// A history table has three columns more than its SELECT (lake/upsert.h), and those who read it see them.
const std::string& HistoryPrefix() {
  static const std::string kPrefix =
      "SELECT *, CAST(NULL AS TIMESTAMPTZ) AS valid_from, CAST(NULL AS TIMESTAMPTZ) AS valid_to, true AS is_current "
      "FROM (\n";
  return kPrefix;
}
constexpr std::size_t kHistoryColumns = 3;

std::string SqlForParser(const ModelConfig& model) {
  return model.materialize == Materialize::kSnapshot ? HistoryPrefix() + model.sql + "\n)" : model.sql;
}

class Reviewer {
 public:
  Reviewer(Project& project, std::vector<ModelFile>& files, TableIndex& index, const AdoptTable& adopt, ProblemList& problems)
      : x_project(project), x_files(files), x_index(index), x_adopt(adopt), x_problems(problems) {}

  CheckedTables Run(SqlAnalyzer& analyzer) {
    Result<std::vector<Analysis>> answer = analyzer.Analyze(CatalogTables(), Queries());
    if (!answer) {
      x_problems.Add(Place{"caudal.yaml", 0, 0}, "the SQL could not be looked at: " + answer.error().message,
                     answer.error().next);
      return {};
    }
    for (Analysis& analysis : *answer) {
      for (std::string& table : analysis.tables) table = LowerName(table);
      std::string name = analysis.name;
      x_answers[name] = std::move(analysis);
    }
    for (ModelConfig& model : x_project.models) Take(model);
    FindUnknownTables();
    FindCycles();
    for (std::size_t m = 0; m < x_project.models.size(); ++m) ReviewModel(m);
    FindUnknownParameters();
    return ReviewChecks();
  }

 private:
  std::vector<CatalogTable> CatalogTables() const {
    std::vector<CatalogTable> tables;
    for (const auto& [name, entry] : x_index.tables) {
      if (entry.kind != Node::Kind::kStream || !entry.columns) continue;
      std::size_t dot = name.find('.');
      tables.push_back(CatalogTable{name.substr(0, dot), name.substr(dot + 1), *entry.columns});
    }
    return tables;
  }

  void Take(ModelConfig& model) {
    auto it = x_answers.find(model.table());
    if (it == x_answers.end()) return;
    model.analysis = it->second;
    Analysis& analysis = model.analysis;
    if (model.materialize != Materialize::kSnapshot) return;
    // The model's analysis is that of its SELECT.
    if (analysis.columns.size() > kHistoryColumns) analysis.columns.resize(analysis.columns.size() - kHistoryColumns);
    if (!analysis.problem || !analysis.problem->position) return;
    auto before = static_cast<std::int64_t>(HistoryPrefix().size());
    analysis.problem->position = std::max<std::int64_t>(0, *analysis.problem->position - before);
  }

  std::vector<AnalyzeQuery> Queries() {
    std::vector<AnalyzeQuery> queries;
    for (std::size_t m = 0; m < x_files.size(); ++m) {
      const ModelConfig& model = x_project.models[m];
      if (x_files[m].skip_sql) continue;
      bool prove = model.materialize == Materialize::kPartitions && model.partition_by.size() == 1;
      queries.push_back(AnalyzeQuery{model.table(), SqlForParser(model), prove ? model.partition_by[0] : "", false});
    }
    for (std::size_t m = 0; m < x_files.size(); ++m) {
      ModelConfig& model = x_project.models[m];
      if (!x_files[m].skip_sql) AddCheckQueries(model.table(), model.columns, model.checks, queries);
    }
    for (SourceConfig& source : x_project.sources) {
      for (StreamConfig& stream : source.streams) {
        AddCheckQueries(source.name + "." + stream.name, stream.columns, stream.checks, queries);
      }
    }
    return queries;
  }

  void AddCheckQueries(const std::string& table, std::vector<ColumnConfig>& columns, std::vector<CheckSpec>& checks,
                       std::vector<AnalyzeQuery>& queries) {
    auto add = [&](CheckSpec& check) {
      bool expression = check.name == "expression";
      if (!expression && check.name != "sql") return;
      CheckQuery query{"caudal.check_" + std::to_string(x_check_queries.size() + 1), table, &check};
      std::size_t dot = table.find('.');
      std::string sql = expression ? "SELECT (\n" + check.args.at("expression") + "\n) AS good FROM " +
                                         QuoteTable(table.substr(0, dot), table.substr(dot + 1)) + " AS caudal_row"
                                   : check.args.at("sql");
      queries.push_back(AnalyzeQuery{query.name, std::move(sql), "", false});
      x_check_queries.push_back(std::move(query));
    };
    for (ColumnConfig& column : columns) {
      for (CheckSpec& check : column.checks) add(check);
    }
    for (CheckSpec& check : checks) add(check);
  }

  Place MentionOf(const ModelConfig& model, const std::string& table) const {
    for (const TableMention& mention : TableMentions(model.sql, {table})) return PlaceInSql(model, mention.begin);
    std::string last = table.substr(table.rfind('.') == std::string::npos ? 0 : table.rfind('.') + 1);
    for (const SqlToken& token : SqlTokens(model.sql)) {
      bool is_name = token.kind == SqlToken::Kind::kWord || token.kind == SqlToken::Kind::kQuoted;
      if (is_name && LowerName(token.text) == last) return PlaceInSql(model, token.begin);
    }
    return model.place;
  }

  void FindUnknownTables() {
    for (const ModelConfig& model : x_project.models) {
      for (const std::string& table : model.analysis.tables) {
        if (x_index.Find(table) != nullptr) continue;
        x_blocked.insert(model.table());
        if (x_index.MayExist(table) || x_adopt(table, MentionOf(model, table))) continue;
        // The engine may call what has no schema "main.x".
        std::string shown = table.rfind("main.", 0) == 0 ? table.substr(5) : table;
        std::string message = shown.find('.') == std::string::npos
                                  ? "the table " + shown + " is named without its schema"
                                  : "nothing makes the table " + shown;
        x_problems.Add(MentionOf(model, table), message, DidYouMean(shown, x_index.Names()));
      }
    }
  }

  std::vector<std::string> Reads(const std::string& table) const {
    const TableIndex::Entry* entry = x_index.Find(table);
    if (entry == nullptr || entry->kind != Node::Kind::kModel) return {};
    return x_project.models[entry->model].analysis.tables;
  }

  // The shortest way from `table` back to itself, or nothing.
  std::vector<std::string> CycleThrough(const std::string& table) const {
    std::map<std::string, std::string> from;
    std::deque<std::string> open = {table};
    while (!open.empty()) {
      std::string here = open.front();
      open.pop_front();
      for (const std::string& next : Reads(here)) {
        if (next == table) {
          std::vector<std::string> path = {table};
          for (std::string at = here; at != table; at = from[at]) path.insert(path.begin() + 1, at);
          return path;
        }
        if (from.emplace(next, here).second) open.push_back(next);
      }
    }
    return {};
  }

  void FindCycles() {
    std::set<std::string> told;
    for (const auto& [table, entry] : x_index.tables) {
      if (entry.kind != Node::Kind::kModel || told.count(table) != 0) continue;
      std::vector<std::string> cycle = CycleThrough(table);
      if (cycle.empty()) continue;
      const ModelConfig& model = x_project.models[entry.model];
      std::string path;
      for (const std::string& step : cycle) {
        path += step + " -> ";
        told.insert(step);
        x_blocked.insert(step);
      }
      if (cycle.size() == 1) {
        x_problems.Add(MentionOf(model, table), "the model " + table + " reads itself", "read what it is made of");
      } else {
        x_problems.Add(MentionOf(model, cycle[1]), "models read one another in a circle: " + path + table,
                       "take one of these steps out");
      }
    }
  }

  bool InCycle(const std::string& table) const { return !CycleThrough(table).empty(); }

  // True where something above is unknown or wrong, so that this query cannot be judged.
  bool IsBlocked(const std::string& table, std::set<std::string>& seen) const {
    if (x_blocked.count(table) != 0) return true;
    if (!seen.insert(table).second) return false;
    for (const std::string& input : Reads(table)) {
      const TableIndex::Entry* entry = x_index.Find(input);
      if (entry == nullptr) return true;
      if (entry->kind == Node::Kind::kStream) {
        if (!entry->columns) return true;
        continue;
      }
      const ModelConfig& model = x_project.models[entry->model];
      if (x_files[entry->model].skip_sql || model.analysis.problem || model.analysis.columns.empty()) return true;
      if (IsBlocked(input, seen)) return true;
    }
    return false;
  }

  void ReviewModel(std::size_t m) {
    ModelConfig& model = x_project.models[m];
    if (x_files[m].skip_sql) return;
    if (!model.analysis.problem) {
      if (model.analysis.columns.empty()) return;
      Schema schema;
      for (const OutputColumn& column : x_answers[model.table()].columns) schema.fields.push_back(column.field);
      TableIndex::Entry& entry = x_index.tables[model.table()];
      if (entry.kind == Node::Kind::kModel && entry.model == m) entry.columns = std::move(schema);
      return;
    }
    const SqlProblem& problem = *model.analysis.problem;
    std::set<std::string> seen;
    if (problem.kind == "upstream") return;  // what it reads is complained about, or is not loaded yet
    if (!StandsAlone(problem.kind) && IsBlocked(model.table(), seen)) return;
    if (InCycle(model.table())) return;
    Place place = model.place;
    if (problem.position && *problem.position >= 0) {
      place = PlaceInSql(model, std::min(model.sql.size(), static_cast<std::size_t>(*problem.position)));
    }
    x_problems.Add(place, SqlMessage(problem), SqlAdvice(problem));
  }

  std::vector<std::string> ParameterNames() const {
    std::vector<std::string> names;
    for (const auto& [name, parameter] : x_project.parameters) names.push_back(name);
    return names;
  }

  void FindUnknownParameters() {
    for (std::size_t m = 0; m < x_files.size(); ++m) {
      const ModelConfig& model = x_project.models[m];
      if (x_files[m].skip_sql) continue;
      for (const SqlToken& token : SqlTokens(model.sql)) {
        if (token.kind != SqlToken::Kind::kParameter) continue;
        std::string name = LowerName(token.text);
        if (name == "start" || name == "end") {
          if (model.time_column.empty()) {
            x_problems.Add(PlaceInSql(model, token.begin), "$" + name + " needs the header to say 'time'",
                           "write time: <the column that an interval selects>");
          }
        } else if (x_project.parameters.count(name) == 0) {
          x_problems.Add(PlaceInSql(model, token.begin), "unknown parameter $" + token.text,
                         ParameterNames().empty() ? "write it under 'parameters' of caudal.yaml"
                                                  : DidYouMean(name, ParameterNames()));
        }
      }
    }
    for (const CheckQuery& query : x_check_queries) {
      const CheckSpec& check = *query.check;
      for (const SqlToken& token : SqlTokens(check.args.at(check.name))) {
        if (token.kind != SqlToken::Kind::kParameter || x_project.parameters.count(LowerName(token.text)) != 0) continue;
        x_problems.Add(check.place, check.name + ": unknown parameter $" + token.text,
                       ParameterNames().empty() ? "write it under 'parameters' of caudal.yaml"
                                                : DidYouMean(token.text, ParameterNames()));
      }
    }
  }

  CheckedTables ReviewChecks() {
    CheckedTables checked;
    for (const CheckQuery& query : x_check_queries) {
      auto it = x_answers.find(query.name);
      if (it == x_answers.end()) continue;
      const Analysis& answer = it->second;
      CheckSpec& check = *query.check;
      bool judge = true;
      for (const std::string& table : answer.tables) {
        if (table != query.table) {
          checked[query.table].insert(table);
          check.values.push_back(table);
        }
        if (x_index.Find(table) == nullptr) x_adopt(table, check.place);
        const TableIndex::Entry* entry = x_index.Find(table);
        if (entry == nullptr && !x_index.MayExist(table)) {
          x_problems.Add(check.place, check.name + ": nothing makes the table " + table,
                         DidYouMean(table, x_index.Names()));
        }
        judge = judge && entry != nullptr && entry->columns.has_value();
      }
      if (check.severity == Severity::kReject && !check.values.empty()) {
        x_problems.Add(check.place, check.name + ": cannot reject rows, since it looks at " + check.values[0],
                       "take 'severity: reject' out");
      }
      if (answer.problem && (judge || StandsAlone(answer.problem->kind))) {
        x_problems.Add(check.place, check.name + ": " + SqlMessage(*answer.problem), SqlAdvice(*answer.problem));
      } else if (!answer.problem && check.name == "expression" && !answer.columns.empty() &&
                 answer.columns[0].field.type.kind != TypeKind::kBoolean) {
        x_problems.Add(check.place, "expression: gives " + answer.columns[0].field.type.ToSql() + ", not BOOLEAN",
                       "write a condition that is true for a good row");
      }
    }
    return checked;
  }

  Project& x_project;
  std::vector<ModelFile>& x_files;
  TableIndex& x_index;
  const AdoptTable& x_adopt;
  ProblemList& x_problems;
  std::vector<CheckQuery> x_check_queries;
  std::map<std::string, Analysis> x_answers;
  std::set<std::string> x_blocked;
};

}  // namespace

CheckedTables ReviewSql(Project& project, std::vector<ModelFile>& files, TableIndex& index, SqlAnalyzer& analyzer,
                        const AdoptTable& adopt, ProblemList& problems) {
  return Reviewer(project, files, index, adopt, problems).Run(analyzer);
}

}  // namespace caudal
