#include "flow/after_load.h"

#include <fmt/format.h>

#include "base/json.h"
#include "flow/candidate.h"
#include "flow/extraction.h"

namespace caudal {
namespace {

Result<std::vector<std::string>> PutAway(const Workspace& workspace, const Node& node, const TaskContext& context, TaskOutcome& outcome) {
  // The cursor that stands in the log, not one that we remember: another run may have rolled the table back.
  TRY_ASSIGN(const auto snapshot, LatestOrNone(workspace.TableOf(node.table)));
  const auto cursor = snapshot == nullptr ? std::map<std::string, std::string>::const_iterator() : snapshot->domains.find("cursor");
  if (snapshot == nullptr || cursor == snapshot->domains.end()) return std::vector<std::string>{};
  TRY_ASSIGN(Staging staging, Staging::Make(workspace, fmt::format("{}-{}-{}-after", context.run, node.table, context.attempt)));
  TRY_ASSIGN(std::string folder, staging.Folder("extract"));
  ExtractRequest request;
  request.kind = ExtractJob::Kind::kCommitted;
  request.cursor = cursor->second;
  request.staging = folder;
  TRY_ASSIGN(ExtractJob job, MakeExtractJob(workspace, workspace.project.source(node), &workspace.project.stream(node), request));
  RunOptions options;
  options.limits = workspace.Limits();
  options.cancel = context.cancel;
  JobCost spent;
  auto answer = RunExtract(workspace.engine, std::move(job), options, &spent);
  AddCost(outcome.cost, spent);
  if (!answer) return std::move(answer).error();
  TRY_ASSIGN(const Json json, ParseJson(answer->answer, "an extract worker's answer"));
  std::vector<std::string> notes;
  for (const Json& note : json.value("notes", Json::array())) notes.push_back(note.get<std::string>());
  return notes;
}

}  // namespace

void AfterLoad(const Workspace& workspace, const Node& node, const TaskContext& context, TaskOutcome& outcome) {
  const Result<Json> options = ParseJson(workspace.project.stream(node).options, "stream options");
  if (context.from_raw || !options || JsonString(*options, "after_load", "keep") == "keep") return;
  const Result<std::vector<std::string>> notes = PutAway(workspace, node, context, outcome);
  if (!notes) {
    outcome.note += ", files stay where they are: " + notes.error().message;
    return;
  }
  for (const std::string& note : *notes) outcome.note += ", " + note;
}

}  // namespace caudal
