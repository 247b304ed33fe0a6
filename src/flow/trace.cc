// `why`: rows followed back to commits, raw objects, and the rows of other tables that they were made of.
#include <fmt/format.h>

#include "base/check.h"
#include "flow/candidate.h"
#include "flow/inspect.h"
#include "flow/model_inputs.h"
#include "lake/upsert.h"

namespace caudal {
namespace {

/// Rows of each input that are shown of those a row may come from.
constexpr int kRowsOfInput = 1;

std::optional<std::size_t> ColumnOf(const Schema& schema, std::string_view wanted) {
  for (std::size_t i = 0; i < schema.fields.size(); ++i) {
    if (schema.fields[i].name == wanted) return i;
  }
  return std::nullopt;
}

class Tracer {
 public:
  Tracer(const Workspace& workspace, const CancelFlag* cancel) : x_workspace(workspace) {
    x_options.limits = workspace.Limits();
    x_options.cancel = cancel;
  }

  /// `total`: how many rows meet the condition; may be null.
  Result<Trace> Follow(const std::string& table, std::shared_ptr<const Snapshot> snapshot, const std::string& where,
                       int limit, std::int64_t* total) {
    auto [schema, name] = SplitTable(table);
    ComputeJob job;
    job.inputs.push_back(InputOf(*snapshot, schema, name, KeptFiles(snapshot.get(), {}), x_workspace.RootOf(table), true));
    const std::string from = " FROM " + QuoteTable(schema, name) + " WHERE " + where;
    job.steps.push_back(Step::Query("rows", "SELECT *" + from, limit).OfUser());
    if (total != nullptr) job.steps.push_back(Step::Query("total", "SELECT count(*)" + from, 1).OfUser());
    JobCost cost;
    TRY_ASSIGN(const ComputeResult result, RunCompute(x_workspace.engine, std::move(job), x_options, &cost));
    if (total != nullptr) *total = std::stoll(result.Find("total")->rows.rows.at(0).at(0).value_or("0"));
    const Rows& rows = result.Find("rows")->rows;
    Trace trace;
    trace.columns = rows.schema;
    trace.truncated = rows.truncated;
    TRY_ASSIGN(const auto history, x_workspace.TableOf(table).History(-1, snapshot->version));
    for (const auto& row : rows.rows) {
      TRY_ASSIGN(RowTrace traced, TraceOf(table, *snapshot, history, rows.schema, row));
      trace.rows.push_back(std::move(traced));
    }
    const Node* node = x_workspace.project.Find(table);
    if (node == nullptr || node->kind != Node::Kind::kModel || trace.rows.empty()) return trace;
    TRY_ASSIGN(const ModelInputs inputs, OpenInputs(x_workspace, x_workspace.project.model(*node)));
    TRY_ASSIGN(const Analysis analysis, AnalyzeModel(x_workspace, x_workspace.project.model(*node), inputs, x_options.cancel));
    for (RowTrace& row : trace.rows) {
      if (row.raw_key.empty()) TRY(FollowInputs(table, inputs, analysis, trace.columns, row));
    }
    return trace;
  }

 private:
  Result<RowTrace> TraceOf(const std::string& table, const Snapshot& snapshot, const std::vector<CommitRecord>& history,
                           const Schema& columns, const std::vector<Cell>& row) {
    const auto file = ColumnOf(columns, kOriginColumn), raw = ColumnOf(columns, "_source_file"), raw_row = ColumnOf(columns, "_source_row");
    CHECK(file, "a table opened with its origin has the column");
    RowTrace t;
    t.row = row;
    t.file = row[*file].value_or("").substr(x_workspace.RootOf(table).size() + 1);
    if (const LiveFile* live = snapshot.Find(t.file)) t.version = live->added_version;
    for (const CommitRecord& c : history) {
      if (c.version != t.version) continue;
      t.committed = c.time;
      t.operation = c.operation;
      t.task = c.task;
    }
    if (!raw || !row[*raw]) return t;
    t.raw_key = *row[*raw];
    if (raw_row && row[*raw_row]) t.raw_row = std::stoll(*row[*raw_row]);
    TRY(ReadOrigins());
    if (auto it = x_origins->find(t.raw_key); it != x_origins->end()) t.origin = it->second;
    return t;
  }

  /// What each raw object was called at its source.
  Status ReadOrigins() {
    if (x_origins) return {};
    std::map<std::string, std::string> origins;
    for (const Node& node : x_workspace.project.nodes) {
      if (node.kind != Node::Kind::kStream) continue;
      const Table bronze = x_workspace.TableOf(node.table);
      TRY_ASSIGN(auto latest, LatestOrNone(bronze));
      if (!latest) continue;
      TRY_ASSIGN(auto commits, bronze.History(-1, latest->version));
      for (const CommitRecord& c : commits) {
        for (const RawObject& o : c.raw) origins[o.key] = o.origin;
      }
    }
    x_origins = std::move(origins);
    return {};
  }

  /// The rows of each input that agree with the row in every column that came from there unchanged, in the version that
  /// the row's commit read.
  Status FollowInputs(const std::string& table, const ModelInputs& inputs, const Analysis& analysis, const Schema& columns,
                      RowTrace& row) {
    TRY_ASSIGN(const auto built, x_workspace.TableOf(table).At(row.version));
    auto record = built->domains.find("model");
    if (record == built->domains.end()) return {};
    TRY_ASSIGN(const BuildRecord read, BuildRecordFromJson(record->second));
    for (const ModelInput& input : inputs.tables) {
      std::string where, words;
      for (const OutputColumn& column : analysis.columns) {
        if (!column.straight || column.straight->table != input.table || column.field.type.nested()) continue;
        const auto at = ColumnOf(columns, column.field.name);
        if (!at) continue;
        const std::string is = row.row[*at] ? " = " + QuoteLiteral(*row.row[*at]) : " IS NULL";
        where += (where.empty() ? "" : " AND ") + QuoteIdentifier(column.straight->column) + is;
        words += (words.empty() ? "" : " AND ") + column.straight->column + is;
      }
      if (where.empty()) continue;
      RowSource source;
      source.table = input.table;
      source.where = words;
      auto version = read.inputs.find(input.table);
      TRY_ASSIGN(auto snapshot, version == read.inputs.end() ? Result(input.snapshot)
                                                             : x_workspace.TableOf(input.table).At(version->second.version));
      source.version = snapshot->version;
      TRY_ASSIGN(source.trace, Follow(input.table, snapshot, where, kRowsOfInput, &source.rows));
      row.from.push_back(std::move(source));
    }
    return {};
  }

  const Workspace& x_workspace;
  RunOptions x_options;
  std::optional<std::map<std::string, std::string>> x_origins;
};

}  // namespace

Result<Trace> TraceRows(const Workspace& workspace, const std::string& table, const std::string& where, int limit,
                        const CancelFlag* cancel) {
  TRY_ASSIGN(auto snapshot, workspace.TableOf(table).Latest());
  return Tracer(workspace, cancel).Follow(table, std::move(snapshot), "(" + where + "\n)", limit, nullptr);
}

}  // namespace caudal
