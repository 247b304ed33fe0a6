// Models that may differ from a full rebuild, by the word of their header: `late:` closes old partitions, `on_change: ignore`
// lets an input change unseen. What must hold nevertheless, after each build.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "app/random_model_testing.h"
#include "app/rebuild_comparison_testing.h"

namespace caudal {

/// How a model's task was done, as far as its rows tell.
enum class BuildWay { kUnchanged, kPartitions, kWhole };

class LooseModels {
 public:
  LooseModels(Engine& engine, ObjectStore& store, std::string folder, const std::vector<RandomRelation>& relations)
      : x_engine(engine), x_store(store), x_folder(std::move(folder)), x_relations(relations) {}

  /// `model` was built just now, in that way. Empty: all is well. After a whole build its rows are those of a full rebuild.
  /// Else each partition is that of a full rebuild, or it is as it was and had a reason: nothing that counts changed in it,
  /// or it may be closed.
  Result<std::string> After(const RandomModel& model, BuildWay way, const std::vector<std::unique_ptr<RandomModel>>& models) {
    const std::string before = x_folder + "/" + model.name() + ".rows", inputs_before = x_folder + "/" + model.name() + ".inputs";
    TRY_ASSIGN(ComputeJob job, Published(models));
    job.output_folder = x_folder;
    const bool known = x_seen.contains(model.name()) && way != BuildWay::kWhole;
    if (known) {
      job.read_paths = {x_folder};
      job.steps.push_back(SqlStep(Step::Kind::kQuery, "wrong", WrongSql(model, before, inputs_before)));
    } else {
      job.steps.push_back(SqlStep(Step::Kind::kQuery, "wrong",
                                  fmt::format("SELECT 'built whole, other rows' WHERE ({}) IS DISTINCT FROM ({})",
                                              SumSql(model, "SELECT * FROM " + model.table()),
                                              SumSql(model, model.ResultSql(x_relations)))));
    }
    job.steps.push_back(Copy(PartitionsSql(model, "SELECT * FROM " + model.table()), before + ".new"));
    job.steps.push_back(Copy(InputsSql(model), inputs_before + ".new"));
    TRY_ASSIGN(const ComputeResult result, RunCompute(x_engine, std::move(job), {}, nullptr));
    for (const std::string& file : {before, inputs_before}) std::filesystem::rename(file + ".new", file);
    x_seen.insert(model.name());
    std::string text;
    for (const auto& row : result.Find("wrong")->rows.rows) text += " " + row[0].value_or("NULL");
    return text.empty() ? text : model.table() + ", not what its header allows:" + text;
  }

 private:
  /// All that is published, by its names; views as views.
  Result<ComputeJob> Published(const std::vector<std::unique_ptr<RandomModel>>& models) {
    ComputeJob job;
    x_published.clear();
    for (const RandomRelation& relation : x_relations) {
      if (relation.is_view) continue;
      auto [schema, name] = SplitTable(relation.table);
      Status added = AddPublished(job, x_store, x_folder + "/../lake", relation.table, schema, name);
      if (!added && added.error().kind != ErrorKind::kNotFound) return std::move(added).error();
      if (added) x_published.push_back(relation.table);
    }
    job.steps.push_back(SqlStep(Step::Kind::kRun, "silver", "CREATE SCHEMA IF NOT EXISTS silver"));
    for (const auto& model : models) {
      auto there = [&](std::size_t i) {
        return std::find(x_published.begin(), x_published.end(), x_relations[i].table) != x_published.end();
      };
      if (!model->is_view() || !there(model->a()) || (model->reads_b() && !there(model->b()))) continue;
      x_published.push_back(model->table());
      Step view = SqlStep(Step::Kind::kRun, model->table(), model->Sql(x_relations));
      view.user_sql = true;
      job.steps.push_back(std::move(view));
    }
    return job;
  }

  static std::string KeyOf(const RandomModel& model) {
    return model.partition_by().empty() ? "'all'" : "coalesce(CAST(nullif(CAST(" + model.partition_by() + " AS VARCHAR), '') AS VARCHAR), 'NULL')";
  }
  static std::string SumSql(const RandomModel& model, const std::string& rows) {
    return fmt::format("SELECT {{'n': count(*), 'h': sum(hash({}))}} FROM ({})", model.Columns(), rows);
  }
  static std::string PartitionsSql(const RandomModel& model, const std::string& rows) {
    return fmt::format("SELECT {} AS p, count(*) AS n, sum(hash({})) AS h FROM ({}) GROUP BY ALL", KeyOf(model), model.Columns(), rows);
  }
  /// Each partition of the inputs that count.
  std::string InputsSql(const RandomModel& model) const {
    std::string rows;
    std::vector<std::size_t> read{model.a()};
    if (model.reads_b() && !model.ignores()) read.push_back(model.b());
    for (std::size_t i : read) {
      rows += fmt::format("{}SELECT {} AS p, hash(r) AS h FROM {} r", rows.empty() ? "" : " UNION ALL ", KeyOf(model),
                          x_relations[i].From());
    }
    return "SELECT p, count(*) AS n, sum(h) AS h FROM (" + rows + ") GROUP BY p";
  }

  std::string WrongSql(const RandomModel& model, const std::string& before, const std::string& inputs_before) const {
    std::string newest = "'1970-01-01'";  // of any table: what the inputs' newest partition is, at most
    for (const std::string& table : x_published) newest += ", (SELECT max(CAST(d AS VARCHAR)) FROM " + table + ")";
    std::string closed = model.late_days() == 0 ? "false"
                                                : fmt::format("p < CAST(CAST((SELECT greatest({})) AS DATE) - {} AS VARCHAR)",
                                                              newest, model.late_days());
    return fmt::format(
        "WITH now AS ({}), whole AS ({}), before AS (FROM read_parquet('{}')), inputs AS ({}), inputs_before AS (FROM "
        "read_parquet('{}')), changed AS (SELECT coalesce(i.p, j.p) AS p FROM inputs i FULL JOIN inputs_before j ON i.p = j.p "
        "WHERE i.n IS DISTINCT FROM j.n OR i.h IS DISTINCT FROM j.h), parts AS (SELECT p FROM now UNION SELECT p FROM whole UNION "
        "SELECT p FROM before) SELECT p FROM parts LEFT JOIN now USING (p) LEFT JOIN whole USING (p) LEFT JOIN before USING (p) "
        "WHERE NOT ((now.n IS NOT DISTINCT FROM whole.n AND now.h IS NOT DISTINCT FROM whole.h) OR (now.n IS NOT DISTINCT FROM "
        "before.n AND now.h IS NOT DISTINCT FROM before.h AND ({} OR p NOT IN (SELECT p FROM changed)))) ORDER BY p",
        PartitionsSql(model, "SELECT * FROM " + model.table()), PartitionsSql(model, model.ResultSql(x_relations)), before,
        InputsSql(model), inputs_before, closed);
  }

  static Step Copy(const std::string& sql, const std::string& file) {
    return SqlStep(Step::Kind::kRun, "copy", "COPY (" + sql + ") TO '" + file + "' (FORMAT parquet)");
  }

  Engine& x_engine;
  ObjectStore& x_store;
  const std::string x_folder;
  const std::vector<RandomRelation>& x_relations;
  std::set<std::string> x_seen;
  std::vector<std::string> x_published;
};

}  // namespace caudal
