// Routes of the graph of tables: all of it, around one table, and where it begins.
#include <deque>

#include "base/json.h"
#include "serve/handlers.h"
#include "serve/pipeline_document.h"
#include "serve/situation.h"
#include "serve/source_document.h"
#include "serve/table_document.h"

namespace caudal {
namespace {

/// Everything above, or everything below.
void Walk(const Project& project, const std::string& from, std::vector<std::string> Node::*next, std::set<std::string>& seen) {
  std::deque<std::string> open{from};
  while (!open.empty()) {
    const Node* node = project.Find(open.front());
    open.pop_front();
    if (node == nullptr) continue;
    seen.insert(node->table);
    for (const std::string& other : node->*next) {
      if (!seen.contains(other)) open.push_back(other);
    }
  }
}

Result<Json> SourceEntry(const Served& served, const Workspace& workspace, const SourceConfig& source, const std::set<std::string>& paused) {
  std::vector<StreamStatus> statuses;
  Json streams = Json::array();
  for (const StreamConfig& stream : source.streams) {
    const std::string table = source.name + "." + stream.name;
    StreamStatus status;
    std::optional<TableFacts> facts;
    const Status seen = served.lake.Look(workspace, table, [&](const Table& opened, const Snapshot* snapshot) -> Status {
      facts = FactsOf(snapshot);
      TRY_ASSIGN(status, StatusOfStream(workspace, source, stream, opened, snapshot, paused.contains(table)));
      return {};
    });
    // A table that cannot be read is complained about where it is looked at.
    if (!seen) {
      TRY_ASSIGN(status, StatusOfStream(workspace, source, stream, workspace.TableOf(table), nullptr, paused.contains(table)));
    }
    streams.push_back(StreamDocument(stream, status, facts));
    statuses.push_back(std::move(status));
  }
  return SourceDocument(workspace.project, source, StatusOfSource(std::move(statuses)), std::move(streams));
}

}  // namespace

Result<HttpResponse> GetGraph(const Served& served, const Call& call) {
  TRY_ASSIGN(const auto workspace, WorkspaceNow(served));
  const std::string pipeline = call.Query("pipeline");
  if (pipeline.empty()) {
    TRY_ASSIGN(const Json graph, GraphDocument(served, workspace->project, nullptr));
    return JsonResponse(200, graph);
  }
  TRY(FindPipeline(workspace->project, pipeline));
  const auto tables = TablesInOrder(workspace->project, pipeline);
  const std::set<std::string> wanted(tables.begin(), tables.end());
  TRY_ASSIGN(const Json graph, GraphDocument(served, workspace->project, &wanted));
  return JsonResponse(200, graph);
}

Result<HttpResponse> GetLineage(const Served& served, const Call& call) {
  TRY_ASSIGN(const auto workspace, WorkspaceNow(served));
  const Project& project = workspace->project;
  const std::string& table = call.Word("table");
  if (project.Find(table) == nullptr) return Error{ErrorKind::kNotFound, "no table of the project is called '" + table + "'", "", ""};
  std::set<std::string> above, around;
  Walk(project, table, &Node::upstream, above);
  Walk(project, table, &Node::downstream, around);
  around.insert(above.begin(), above.end());
  Json document{{"table", table}, {"columns", Json::object()}};
  TRY_ASSIGN(document["graph"], GraphDocument(served, project, &around));
  for (const std::string& name : around) {
    const Node* node = project.Find(name);
    if (node->kind != Node::Kind::kModel) continue;
    Json columns = Json::object();
    for (const OutputColumn& column : project.model(*node).analysis.columns) {
      Json origins = Json::array();
      for (const ColumnOrigin& origin : column.origins) origins.push_back({{"table", origin.table}, {"column", origin.column}});
      columns[column.field.name] = std::move(origins);
    }
    document["columns"][name] = std::move(columns);
  }
  return JsonResponse(200, document);
}

Result<HttpResponse> GetSources(const Served& served, const Call&) {
  TRY_ASSIGN(const auto workspace, WorkspaceNow(served));
  Json document{{"sources", Json::array()}};
  TRY_ASSIGN(const auto paused, PausedTables(*workspace));
  for (const SourceConfig& source : workspace->project.sources) {
    TRY_ASSIGN(Json entry, SourceEntry(served, *workspace, source, paused));
    document["sources"].push_back(std::move(entry));
  }
  return JsonResponse(200, document);
}

Result<HttpResponse> GetSource(const Served& served, const Call& call) {
  TRY_ASSIGN(const auto workspace, WorkspaceNow(served));
  for (const SourceConfig& source : workspace->project.sources) {
    if (source.name != call.Word("source")) continue;
    TRY_ASSIGN(const auto paused, PausedTables(*workspace));
    TRY_ASSIGN(const Json document, SourceEntry(served, *workspace, source, paused));
    return JsonResponse(200, document);
  }
  return Error{ErrorKind::kNotFound, "no source is called '" + call.Word("source") + "'", "/api/v1/sources lists them", ""};
}

}  // namespace caudal
