#include "serve/situation.h"

#include <algorithm>

#include "base/json.h"
#include "serve/pipeline_document.h"
#include "serve/run_document.h"
#include "serve/table_document.h"
#include "state/history_store.h"

namespace caudal {

Result<std::shared_ptr<const Workspace>> WorkspaceNow(const Served& served) {
  auto workspace = served.daemon.workspace();
  if (!workspace) return Error{ErrorKind::kUnavailable, "the project is being loaded", "try again in a moment", ""};
  return workspace;
}

const RunRecord* Situation::LastOf(const std::string& pipeline) const {
  const auto it = last.find(pipeline);
  return it == last.end() ? nullptr : &it->second;
}

Subject Situation::SubjectOf(const std::string& pipeline) const {
  const auto it = subjects.find(pipeline);
  return it == subjects.end() ? Subject() : it->second;
}

std::optional<Timestamp> Situation::NextOf(const PipelineConfig& pipeline) const {
  if (RecordOf(schedules, pipeline.name).paused) return std::nullopt;
  return facts->NextOf(workspace, pipeline, now);
}

Result<Situation> SituationNow(const Served& served) {
  Situation situation;
  situation.facts = &served.facts;
  TRY_ASSIGN(situation.workspace, WorkspaceNow(served));
  situation.now = served.clock.Now();
  TRY_ASSIGN(situation.schedules, served.state.schedules().Schedules());
  TRY_ASSIGN(situation.last, served.state.history().LastRuns());
  TRY_ASSIGN(const auto subjects, served.state.history().Subjects());
  for (const auto& [name, body] : subjects) situation.subjects[name] = SubjectFromJson(body);
  return situation;
}

Json PipelineEntry(const Situation& situation, const PipelineConfig& pipeline) {
  const RunRecord* last = situation.LastOf(pipeline.name);
  const Subject subject = situation.SubjectOf(pipeline.name);
  Json entry = PipelineStatusDocument(pipeline, RecordOf(situation.schedules, pipeline.name), last == nullptr ? std::nullopt : std::optional(*last),
                                      situation.NextOf(pipeline));
  entry["owner"] = pipeline.owner.empty() ? situation.project().owner : pipeline.owner;
  entry["description"] = pipeline.description;
  entry["tags"] = pipeline.tags;
  entry["late_since"] = TimeOrNull(subject.late_since);
  entry["failing_since"] = TimeOrNull(subject.failing_since);
  entry["running"] = last != nullptr && last->status == RunStatus::kRunning ? Json(last->id) : Json(nullptr);
  return entry;
}

Result<Json> RunEntries(const Served& served, const std::vector<RunRecord>& runs) {
  std::vector<std::string> ids;
  for (const RunRecord& run : runs) ids.push_back(run.id);
  TRY_ASSIGN(auto counts, served.state.history().TaskCounts(ids));
  Json entries = Json::array();
  for (const RunRecord& run : runs) {
    Json entry = RunDocument(run);
    entry["counts"] = counts[run.id];
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::vector<std::string> TablesInOrder(const Project& project, const std::string& pipeline) {
  RunRequest request;
  request.pipeline = pipeline;
  const auto named = TablesOf(project, request);
  std::vector<std::string> tables;
  for (const Node& node : project.nodes) {
    if (named && named->contains(node.table)) tables.push_back(node.table);
  }
  return tables;
}

Result<std::optional<TaskRecord>> LastTaskOf(const Served& served, const std::string& table) {
  TRY_ASSIGN(auto tasks, served.state.history().TasksOf(table, 1));
  return tasks.empty() ? std::nullopt : std::optional(std::move(tasks.front()));
}

Json NodeTaskDocument(const std::optional<TaskRecord>& task) {
  if (!task) return nullptr;
  Json document{{"run", task->run},
                {"status", TaskStatusName(task->status)},
                {"started", TimeOrNull(task->started)},
                {"ended", TimeOrNull(task->ended)},
                {"rows_written", task->rows_written},
                {"rows_rejected", task->rows_rejected}};
  if (!task->error.empty()) document["error"] = TaskDocument(*task, nullptr)["error"];
  return document;
}

Result<Json> GraphDocument(const Served& served, const Project& project, const std::set<std::string>* tables) {
  const auto wanted = [&](const std::string& table) { return tables == nullptr || tables->contains(table); };
  Json graph{{"nodes", Json::array()}, {"edges", Json::array()}};
  for (const Node& node : project.nodes) {
    if (!wanted(node.table)) continue;
    TRY_ASSIGN(const auto last, LastTaskOf(served, node.table));
    const bool stream = node.kind == Node::Kind::kStream;
    graph["nodes"].push_back({{"table", node.table},
                              {"kind", KindOfNode(project, node)},
                              {"layer", SplitTable(node.table).first},
                              {"path", node.path},
                              {"source", stream ? Json(project.source(node).name) : Json(nullptr)},
                              {"owner", OwnerOf(project, node)},
                              {"description", DescriptionOf(project, node)},
                              {"tags", node.tags},
                              {"last", NodeTaskDocument(last)}});
    for (const std::string& up : node.upstream) {
      if (wanted(up)) graph["edges"].push_back(Json::array({up, node.table}));
    }
  }
  return graph;
}

}  // namespace caudal
