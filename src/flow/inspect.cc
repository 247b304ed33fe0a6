#include "flow/inspect.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "connect/extract.h"
#include "data/name.h"
#include "flow/candidate.h"
#include "flow/extraction.h"
#include "flow/model_inputs.h"
#include "lake/upsert.h"
#include "project/sql_advice.h"

namespace caudal {
namespace {

RunOptions OptionsOf(const Workspace& workspace, const CancelFlag* cancel) {
  RunOptions options;
  options.limits = workspace.Limits();
  options.cancel = cancel;
  return options;
}

/// "silver.orders" of every table that is published or a view, for a catalog and for nearest names.
Result<std::vector<CatalogTable>> Catalog(const Workspace& workspace) {
  std::vector<CatalogTable> tables;
  for (const Node& node : workspace.project.nodes) {
    auto [schema, name] = SplitTable(node.table);
    TRY_ASSIGN(auto snapshot, LatestOrNone(workspace.TableOf(node.table)));
    if (snapshot) tables.push_back({schema, name, snapshot->schema});
    TRY_ASSIGN(auto rejects, LatestOrNone(workspace.TableOf(node.table).Rejects()));
    if (rejects) tables.push_back({schema, name + "__rejects", rejects->schema});
  }
  return tables;
}

/// The first table of the query that nobody can read, with what to do about it.
std::optional<Error> UnknownTable(const Workspace& workspace, const std::vector<CatalogTable>& catalog,
                                  const std::vector<const ModelConfig*>& views, const Analysis& analysis) {
  std::vector<std::string> names;
  for (const CatalogTable& table : catalog) names.push_back(table.schema + "." + table.name);
  for (const ModelConfig* view : views) names.push_back(view->table());
  for (const std::string& given : analysis.tables) {
    const std::string name = LowerName(given);
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    if (workspace.project.Find(name) != nullptr) {
      return Error{ErrorKind::kNotFound, name + " was never built", "`caudal run -s +" + name + "` builds it first", ""};
    }
    const std::string near = Nearest(name, names);
    return Error{ErrorKind::kNotFound, "no table is published as " + given,
                 near.empty() ? "`caudal show` lists the tables" : "did you mean '" + near + "'? `caudal show` lists the tables", ""};
  }
  return std::nullopt;
}

Error QueryProblem(const SqlProblem& problem, const std::string& sql) {
  std::size_t line = 1, column = 1;
  for (std::int64_t i = 0; problem.position && i < *problem.position && i < static_cast<std::int64_t>(sql.size()); ++i) {
    column = sql[static_cast<std::size_t>(i)] == '\n' ? 1 : column + 1;
    line += sql[static_cast<std::size_t>(i)] == '\n' ? 1 : 0;
  }
  return Error{ErrorKind::kInvalidArgument, SqlMessage(problem), SqlAdvice(problem), fmt::format("query:{}:{}", line, column)};
}

}  // namespace

Result<Rows> QueryTables(const Workspace& workspace, const std::string& sql, std::int64_t max_rows,
                         const CancelFlag* cancel) {
  AnalyzeJob analyze;
  TRY_ASSIGN(const std::vector<CatalogTable> catalog, Catalog(workspace));
  analyze.tables = catalog;
  std::vector<const ModelConfig*> views;
  for (const Node& node : workspace.project.nodes) {
    if (node.kind != Node::Kind::kModel || workspace.project.model(node).materialize != Materialize::kView) continue;
    views.push_back(&workspace.project.model(node));
    analyze.queries.push_back({node.table, views.back()->sql, ""});
  }
  analyze.queries.push_back({"caudal.query", sql, ""});
  JobCost cost;
  TRY_ASSIGN(AnalyzeResult analyzed, RunAnalyze(workspace.engine, std::move(analyze), OptionsOf(workspace, cancel), &cost));
  ModelConfig query;
  query.sql = sql;
  for (Analysis& analysis : analyzed.queries) {
    if (analysis.name != "caudal.query") continue;
    const bool names = !analysis.problem || analysis.problem->kind == "catalog" || analysis.problem->kind == "binder";
    if (std::optional<Error> unknown = names ? UnknownTable(workspace, catalog, views, analysis) : std::nullopt) {
      if (analysis.problem) unknown->where = QueryProblem(*analysis.problem, sql).where;
      return *std::move(unknown);
    }
    if (analysis.problem) return QueryProblem(*analysis.problem, sql);
    query.analysis = std::move(analysis);
  }
  query.schema = "caudal";
  query.name = "query";
  TRY_ASSIGN(ModelInputs inputs, OpenInputs(workspace, query));
  ComputeJob job;
  AddModelInputs(job, workspace, query, inputs, Decision{});
  job.parameters = ParametersOf(workspace.project, query, std::nullopt);
  job.steps.push_back(Step::Query("rows", sql, max_rows).OfUser());
  auto result = RunCompute(workspace.engine, std::move(job), OptionsOf(workspace, cancel), &cost);
  if (result) return std::move(result->steps.back().rows);
  Error error = std::move(result).error();
  if (error.where == "rows") error.where = "query";
  return error;
}

Result<std::vector<CheckResult>> CheckPublished(const Workspace& workspace, const Node& node, const CancelFlag* cancel) {
  bool stream = node.kind == Node::Kind::kStream;
  std::vector<CheckSpec> checks =
      stream ? AllChecks(workspace.project.stream(node).columns, workspace.project.stream(node).checks)
             : AllChecks(workspace.project.model(node).columns, workspace.project.model(node).checks);
  if (checks.empty()) return std::vector<CheckResult>{};
  TRY_ASSIGN(auto snapshot, workspace.TableOf(node.table).Latest());
  ComputeJob job;
  job.inputs.push_back(InputOf(*snapshot, "caudal_candidate", "published", KeptFiles(snapshot.get(), {}),
                               workspace.RootOf(node.table), false));
  AuditScope scope;
  scope.table = node.table;
  scope.columns = snapshot->schema;
  scope.changed = scope.candidate = "caudal_candidate.published";
  scope.whole = true;
  TRY(AddRelated(job, workspace, checks, scope));
  AddAudit(job, scope, checks, "check_");
  JobCost cost;
  TRY_ASSIGN(ComputeResult result, RunCompute(workspace.engine, std::move(job), OptionsOf(workspace, cancel), &cost));
  return Judge(result, scope, checks, "check_", workspace.clock.Now());
}

namespace {

Status CheckOne(const Workspace& workspace, const SourceConfig& source, const StreamConfig* stream, const Place& place,
                const CancelFlag* cancel) {
  TRY_ASSIGN(Staging staging, Staging::Make(workspace, "check-" + source.name));
  TRY_ASSIGN(ExtractJob job, MakeExtractJob(workspace, source, stream,
                                            {ExtractJob::Kind::kCheck, "", Schema{}, "", staging.path()}));
  JobCost cost;
  auto answer = RunExtract(workspace.engine, std::move(job), OptionsOf(workspace, cancel), &cost);
  if (answer) return {};
  Error error = std::move(answer).error();
  if (error.where.empty()) error.where = place.ToString();
  return error;
}

bool ChecksStreams(const Workspace& workspace, const SourceConfig& source) {
  return std::any_of(workspace.connectors.begin(), workspace.connectors.end(), [&](const ConnectorSpec& spec) {
    return spec.name == source.type && spec.checks_streams;
  });
}

}  // namespace

Status CheckSource(const Workspace& workspace, const SourceConfig& source, const CancelFlag* cancel) {
  TRY(CheckOne(workspace, source, nullptr, source.place, cancel));
  if (!ChecksStreams(workspace, source)) return {};
  for (const StreamConfig& stream : source.streams) {
    // What a pattern stands for is what the catalog shows to this user.
    if (stream.pattern.empty()) TRY(CheckOne(workspace, source, &stream, stream.place, cancel));
  }
  return {};
}

}  // namespace caudal
