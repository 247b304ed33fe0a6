// The tables of a random project beside what they must hold: sources beside the rows that the test put there, models beside
// their queries over nothing but those rows.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/random_model_testing.h"
#include "app/random_source_testing.h"
#include "engine/engine.h"
#include "flow/workspace.h"
#include "lake/upsert.h"

namespace caudal {

/// Adds the newest version of a table as an input.
inline Status AddPublished(ComputeJob& job, ObjectStore& store, const std::string& lake, const std::string& table,
                           const std::string& schema, const std::string& name) {
  TRY_ASSIGN(const auto latest, Table(store, PrefixOf(table), SystemClock()).Latest());
  std::vector<const LiveFile*> files;
  for (const LiveFile& file : latest->files) files.push_back(&file);
  job.inputs.push_back(InputOf(*latest, schema, name, files, lake + "/" + PrefixOf(table), false));
  return {};
}

inline Step SqlStep(Step::Kind kind, const std::string& name, const std::string& sql) {
  Step step;
  step.kind = kind;
  step.name = name;
  step.sql = sql;
  step.max_rows = 20;
  return step;
}

class RebuildComparison {
 public:
  RebuildComparison(Engine& engine, ObjectStore& store, std::string lake, const std::vector<RandomRelation>& relations)
      : x_engine(engine), x_store(store), x_lake(std::move(lake)), x_relations(relations) {}

  Status Add(const RandomSource& source) {
    std::string name = source.table().substr(0, source.table().find('.'));
    x_job.steps.push_back(SqlStep(Step::Kind::kRun, name, "CREATE SCHEMA " + name));
    Should(source.table(), source.LoadedRowsSql());
    x_pairs.push_back({source.table(), "SELECT * FROM built." + name, "id, c, d, k, x"});
    return AddPublished(x_job, x_store, x_lake, source.table(), "built", name);
  }

  /// After what it reads.
  Status Add(const RandomModel& model) {
    if (x_models++ == 0) x_job.steps.push_back(SqlStep(Step::Kind::kRun, "silver", "CREATE SCHEMA silver"));
    if (model.is_loose()) {  // judged by LooseModels; what reads it is compared with what it is
      Should(model.table(), "SELECT * FROM built." + model.name());
      return AddPublished(x_job, x_store, x_lake, model.table(), "built", model.name());
    }
    Should(model.table(), model.is_history() ? "SELECT *, true AS is_current FROM (" + model.ResultSql(x_relations) + ")"
                                             : model.ResultSql(x_relations));
    if (model.is_view()) return {};
    x_pairs.push_back({model.table(), "SELECT * FROM built." + model.name() + (model.is_history() ? " WHERE is_current" : ""),
                       model.Columns()});
    return AddPublished(x_job, x_store, x_lake, model.table(), "built", model.name());
  }

  /// One text for each table that holds anything else. One sum of hashes a table is quick; only where it differs are the
  /// rows looked for.
  Result<std::vector<std::string>> Differences() const {
    std::string differing;
    for (const Pair& pair : x_pairs) {
      auto sum = [&](const std::string& relation) {
        return fmt::format("SELECT {{'n': count(*), 'h': sum(hash({}))}} FROM ({})", pair.columns, relation);
      };
      differing += fmt::format("{}SELECT '{}' AS t WHERE ({}) IS DISTINCT FROM ({})", differing.empty() ? "" : " UNION ALL ",
                               pair.table, sum(pair.is), sum("SELECT * FROM " + pair.table));
    }
    ComputeJob job = x_job;
    job.steps.push_back(SqlStep(Step::Kind::kQuery, "differing", differing));
    TRY_ASSIGN(const ComputeResult result, RunCompute(x_engine, std::move(job), {}, nullptr));
    std::vector<std::string> differences;
    for (const auto& row : result.Find("differing")->rows.rows) {
      TRY_ASSIGN(std::string text, Difference(*row[0]));
      differences.push_back(std::move(text));
    }
    return differences;
  }

 private:
  /// A table as it is, one as it should be (by its own name), and the columns that are compared.
  struct Pair {
    std::string table, is, columns;
  };

  void Should(const std::string& table, const std::string& sql) {
    x_job.steps.push_back(SqlStep(Step::Kind::kRun, table, "CREATE TABLE " + table + " AS " + sql));
  }

  Result<std::string> Difference(const std::string& table) const {
    auto pair = std::find_if(x_pairs.begin(), x_pairs.end(), [&](const Pair& p) { return p.table == table; });
    std::string is = fmt::format("SELECT {} FROM ({})", pair->columns, pair->is);
    std::string should = fmt::format("SELECT {} FROM {}", pair->columns, table);
    ComputeJob job = x_job;
    job.steps.push_back(SqlStep(Step::Kind::kQuery, "rows",
                                fmt::format("SELECT * FROM (SELECT 'missing' AS what, * FROM ({1} EXCEPT ALL {0}) UNION ALL "
                                            "SELECT 'too much', * FROM ({0} EXCEPT ALL {1})) ORDER BY ALL", is, should)));
    TRY_ASSIGN(const ComputeResult result, RunCompute(x_engine, std::move(job), {}, nullptr));
    std::string text = table + " (" + pair->columns + "):";
    for (const auto& row : result.Find("rows")->rows.rows) {
      text += "\n   ";
      for (const Cell& cell : row) text += " " + cell.value_or("NULL");
    }
    return text;
  }

  Engine& x_engine;
  ObjectStore& x_store;
  const std::string x_lake;
  const std::vector<RandomRelation>& x_relations;
  std::size_t x_models = 0;
  ComputeJob x_job;
  std::vector<Pair> x_pairs;
};

}  // namespace caudal
