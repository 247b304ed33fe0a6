// Routes of one table, and of all.
#include <algorithm>

#include "base/json.h"
#include "lake/retention.h"
#include "serve/handlers.h"
#include "serve/rows_document.h"
#include "serve/run_document.h"
#include "serve/situation.h"
#include "serve/table_document.h"
#include "state/history_store.h"

namespace caudal {
namespace {

constexpr std::int64_t kMostPartitions = 5000;

struct Found {
  std::shared_ptr<const Workspace> workspace;
  const Node* node = nullptr;
};

Result<Found> FindNode(const Served& served, const std::string& table) {
  Found found;
  TRY_ASSIGN(found.workspace, WorkspaceNow(served));
  found.node = found.workspace->project.Find(table);
  if (found.node != nullptr) return found;
  std::vector<std::string> names;
  for (const Node& node : found.workspace->project.nodes) names.push_back(node.table);
  const std::string near = Nearest(table, names);
  return Error{ErrorKind::kNotFound, "no table of the project is called '" + table + "'", near.empty() ? "" : "did you mean '" + near + "'?", ""};
}

/// What Table and TableDetail have in common.
void AddConfigured(const Project& project, const Node& node, Json& document) {
  document["layer"] = SplitTable(node.table).first;
  document["owner"] = OwnerOf(project, node);
  document["description"] = DescriptionOf(project, node);
  document["tags"] = node.tags;
}

Json FormatNames(const TableFormats& formats) {
  Json names{"delta"};
  if (formats.hudi) names.push_back("hudi");
  if (formats.iceberg) names.push_back("iceberg");
  return names;
}

Json ColumnDocuments(const Project& project, const Node& node, const Snapshot* snapshot) {
  Json columns = ColumnsDocument(SchemaOf(project, node, snapshot));
  for (Json& column : columns) {
    const std::string name = column["name"].get<std::string>();
    if (const std::string description = DescriptionOf(project, node, name); !description.empty()) column["description"] = description;
    if (node.kind != Node::Kind::kModel) continue;
    for (const OutputColumn& output : project.model(node).analysis.columns) {
      if (output.field.name != name) continue;
      column["origins"] = Json::array();
      for (const ColumnOrigin& origin : output.origins) column["origins"].push_back({{"table", origin.table}, {"column", origin.column}});
    }
  }
  return columns;
}

Json PipelinesOf(const Project& project, const std::string& table) {
  Json names = Json::array();
  for (const PipelineConfig& pipeline : project.pipelines) {
    RunRequest request;
    request.pipeline = pipeline.name;
    const auto tables = TablesOf(project, request);
    if (tables && tables->contains(table)) names.push_back(pipeline.name);
  }
  return names;
}

Result<Json> SavepointDocuments(const Snapshot& snapshot) {
  TRY_ASSIGN(const std::vector<Savepoint> savepoints, SavepointsOf(snapshot));
  Json documents = Json::array();
  for (const Savepoint& s : savepoints) documents.push_back({{"name", s.name}, {"version", s.version}, {"comment", s.comment}});
  return documents;
}

Status AddPublished(const Workspace& workspace, const Node& node, const Snapshot& snapshot, Json& document) {
  document["key"] = snapshot.key;
  document["partition_by"] = snapshot.partition_columns;
  const auto cursor = snapshot.domains.find("cursor");
  document["cursor"] = cursor == snapshot.domains.end() ? Json(nullptr) : Json(cursor->second);
  document["folder"] = workspace.RootOf(node.table);
  TRY_ASSIGN(document["savepoints"], SavepointDocuments(snapshot));
  return {};
}

struct PartitionSum {
  std::int64_t files = 0, rows = 0, bytes = 0, newest = -1;
};

}  // namespace

Result<HttpResponse> GetTables(const Served& served, const Call&) {
  TRY_ASSIGN(const auto workspace, WorkspaceNow(served));
  Json document{{"tables", Json::array()}};
  for (const Node& node : workspace->project.nodes) {
    TRY_ASSIGN(const auto last, LastTaskOf(served, node.table));
    TRY_ASSIGN(const auto verdicts, served.state.history().LastVerdicts(node.table));
    const auto facts = served.lake.Facts(*workspace, node.table, last ? last->ended : std::nullopt);
    Json entry = TableDocument(workspace->project, node, facts ? *facts : std::nullopt, verdicts);
    if (!facts) entry["unreadable"] = ErrorObject(facts.error());
    AddConfigured(workspace->project, node, entry);
    entry["last"] = NodeTaskDocument(last);
    document["tables"].push_back(std::move(entry));
  }
  return JsonResponse(200, document);
}

Result<HttpResponse> GetTable(const Served& served, const Call& call) {
  TRY_ASSIGN(const Found found, FindNode(served, call.Word("table")));
  const Project& project = found.workspace->project;
  const Node& node = *found.node;
  TRY_ASSIGN(const auto last, LastTaskOf(served, node.table));
  TRY_ASSIGN(const auto verdicts, served.state.history().LastVerdicts(node.table));
  TRY_ASSIGN(const auto rejects, served.lake.Facts(*found.workspace, node.table + "__rejects", last ? last->ended : std::nullopt));
  Json document;
  TRY(served.lake.Look(*found.workspace, node.table, [&](const Table&, const Snapshot* snapshot) -> Status {
    document = TableDocument(project, node, FactsOf(snapshot), verdicts);
    document["columns"] = ColumnDocuments(project, node, snapshot);
    if (snapshot == nullptr) return {};
    return AddPublished(*found.workspace, node, *snapshot, document);
  }));
  AddConfigured(project, node, document);
  const bool stream = node.kind == Node::Kind::kStream;
  document["last"] = NodeTaskDocument(last);
  document["rejected_rows"] = rejects ? rejects->rows : 0;
  document["upstream"] = node.upstream;
  document["downstream"] = node.downstream;
  document["formats"] = FormatNames(node.formats);
  document["pipelines"] = PipelinesOf(project, node.table);
  document["sql"] = stream ? Json(nullptr) : Json(project.model(node).sql);
  document["source"] = stream ? Json(project.source(node).name) : Json(nullptr);
  return JsonResponse(200, document);
}

Result<HttpResponse> GetVersions(const Served& served, const Call& call) {
  TRY_ASSIGN(const Found found, FindNode(served, call.Word("table")));
  TRY_ASSIGN(const std::int64_t limit, call.Number("limit", 1, 500, 50));
  TRY_ASSIGN(const std::int64_t before, call.Number("before", 0, INT64_MAX, INT64_MAX));
  Json document{{"table", found.node->table}, {"versions", Json::array()}, {"next", nullptr}};
  TRY(served.lake.Look(*found.workspace, found.node->table, [&](const Table& table, const Snapshot* snapshot) -> Status {
    if (snapshot == nullptr) return {};
    const std::int64_t last = std::min(snapshot->version, before - 1);
    if (last < 0) return {};
    const std::int64_t from = std::max<std::int64_t>(last - limit, -1);
    TRY_ASSIGN(const std::vector<CommitRecord> commits, table.History(from, last));
    for (auto commit = commits.rbegin(); commit != commits.rend(); ++commit) document["versions"].push_back(CommitDocument(*commit));
    if (from >= 0) document["next"] = from + 1;
    return {};
  }));
  return JsonResponse(200, document);
}

Result<HttpResponse> GetPartitions(const Served& served, const Call& call) {
  TRY_ASSIGN(const Found found, FindNode(served, call.Word("table")));
  TRY_ASSIGN(const std::int64_t limit, call.Number("limit", 1, kMostPartitions, 500));
  Json document{{"table", found.node->table}, {"version", -1}, {"partition_by", Json::array()}, {"partitions", Json::array()}, {"total", 0}};
  TRY(served.lake.Look(*found.workspace, found.node->table, [&](const Table&, const Snapshot* snapshot) -> Status {
    if (snapshot == nullptr) return {};
    document["version"] = snapshot->version;
    document["partition_by"] = snapshot->partition_columns;
    std::map<std::vector<Cell>, PartitionSum> sums;
    for (const LiveFile& file : snapshot->files) {
      std::vector<Cell> values;
      for (const std::string& column : snapshot->partition_columns) {
        const auto it = file.partition.find(column);
        values.push_back(it == file.partition.end() ? Cell() : it->second);
      }
      PartitionSum& sum = sums[values];
      sum = {sum.files + 1, sum.rows + file.rows, sum.bytes + file.size_bytes, std::max(sum.newest, file.added_version)};
    }
    document["total"] = sums.size();
    for (auto it = sums.rbegin(); it != sums.rend() && static_cast<std::int64_t>(document["partitions"].size()) < limit; ++it) {
      Json values = Json::object();
      for (std::size_t i = 0; i < snapshot->partition_columns.size(); ++i) values[snapshot->partition_columns[i]] = it->first[i] ? Json(*it->first[i]) : Json(nullptr);
      document["partitions"].push_back({{"values", values}, {"files", it->second.files}, {"rows", it->second.rows}, {"bytes", it->second.bytes},
                                        {"newest_version", it->second.newest}});
    }
    return {};
  }));
  return JsonResponse(200, document);
}

Result<HttpResponse> GetTableChecks(const Served& served, const Call& call) {
  TRY_ASSIGN(const Found found, FindNode(served, call.Word("table")));
  TRY_ASSIGN(const std::int64_t limit, call.Number("limit", 1, 2000, 200));
  TRY_ASSIGN(const auto checks, served.state.Checks(found.node->table, static_cast<int>(limit)));
  Json document{{"table", found.node->table}, {"checks", Json::array()}};
  for (const CheckRecord& check : checks) document["checks"].push_back(VerdictDocument(check));
  return JsonResponse(200, document);
}

Result<HttpResponse> GetTableTasks(const Served& served, const Call& call) {
  TRY_ASSIGN(const Found found, FindNode(served, call.Word("table")));
  TRY_ASSIGN(const std::int64_t limit, call.Number("limit", 1, 500, 50));
  TRY_ASSIGN(const auto tasks, served.state.history().TasksOf(found.node->table, static_cast<int>(limit)));
  Json document{{"table", found.node->table}, {"tasks", Json::array()}};
  for (const TaskRecord& task : tasks) {
    Json entry = TaskDocument(task, nullptr);
    entry["run"] = task.run;
    document["tasks"].push_back(std::move(entry));
  }
  return JsonResponse(200, document);
}

}  // namespace caudal
