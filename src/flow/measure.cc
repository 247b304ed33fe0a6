// Sizes of published tables, beside what the same rows would take as CSV.
#include "flow/candidate.h"
#include "flow/inspect.h"
#include "lake/upsert.h"

namespace caudal {
namespace {

/// Bytes of a table's rows as CSV without quotes: every cell's text, one separator or line end each.
std::string CsvBytesSql(const Schema& columns, const std::string& from) {
  std::string sum;
  for (const Field& field : columns.fields) {
    sum += (sum.empty() ? "" : " + ") + ("coalesce(strlen(CAST(" + QuoteIdentifier(field.name) + " AS VARCHAR)), 0) + 1");
  }
  return "SELECT coalesce(sum(" + sum + "), 0) FROM " + from;
}

}  // namespace

Result<std::vector<TableSize>> MeasureTables(const Workspace& workspace, bool with_csv, const CancelFlag* cancel) {
  std::vector<TableSize> sizes;
  ComputeJob job;
  auto add = [&](const Table& table, const std::string& name) -> Status {
    TRY_ASSIGN(auto snapshot, LatestOrNone(table));
    if (!snapshot) return {};
    sizes.push_back({name, snapshot->version, snapshot->rows(), static_cast<std::int64_t>(snapshot->files.size()),
                     snapshot->size_bytes(), -1});
    std::string input = "t" + std::to_string(sizes.size());
    job.inputs.push_back(InputOf(*snapshot, "caudal_candidate", input, KeptFiles(snapshot.get(), {}),
                                 workspace.lake_root + "/" + table.prefix(), false));
    job.steps.push_back(Step::Query(name, CsvBytesSql(snapshot->schema, "caudal_candidate." + input), 1));
    return {};
  };
  for (const Node& node : workspace.project.nodes) {
    Table table = workspace.TableOf(node.table);
    TRY(add(table, node.table));
    TRY(add(table.Rejects(), node.table + "__rejects"));
  }
  if (!with_csv || sizes.empty()) return sizes;
  RunOptions options;
  options.limits = workspace.Limits();
  options.cancel = cancel;
  JobCost cost;
  TRY_ASSIGN(ComputeResult result, RunCompute(workspace.engine, std::move(job), options, &cost));
  for (TableSize& size : sizes) {
    const StepResult* step = result.Find(size.table);
    CHECK(step && !step->rows.rows.empty(), "every table was asked for one row");
    size.csv_bytes = std::stoll(step->rows.rows[0][0].value_or("0"));
  }
  return sizes;
}

}  // namespace caudal
