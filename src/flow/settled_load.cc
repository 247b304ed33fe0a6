#include "flow/settled_load.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "flow/drift.h"

namespace caudal {
namespace {

/// Why nothing of a source is loaded.
struct Frozen {
  std::optional<Error> error;
  std::vector<std::string> tables;  // that are new, where that is why
};

Frozen LookAt(const Workspace& workspace, const SourceConfig& source) {
  Frozen frozen;
  frozen.error = source.refused;
  if (frozen.error) return frozen;
  std::string at_source, where;
  for (const StreamConfig& stream : source.streams) {
    if (stream.pattern.empty() || !stream.gone.empty() || stream.contract.tables != ContractMode::kFreeze) continue;
    const std::string table = source.name + "." + stream.name;
    const auto latest = LatestOrNone(workspace.TableOf(table));
    if (!latest || *latest) continue;
    frozen.tables.push_back(table);
    at_source += (at_source.empty() ? "" : ", ") + stream.at_source;
    where = stream.place.ToString();
  }
  if (frozen.tables.empty()) return frozen;
  frozen.error = Error{ErrorKind::kInvalidArgument,
                       fmt::format("nothing of source {} was loaded: {} new there, and its contract freezes tables: {}", source.name,
                                   frozen.tables.size() == 1 ? "1 table is" : fmt::format("{} tables are", frozen.tables.size()), at_source),
                       "write `schema_contract: {tables: evolve}` for the pattern until they were loaded once, or leave them out by `exclude:`; docs/contracts.md", where};
  return frozen;
}

TaskOutcome Failed(const Error& error) {
  TaskOutcome outcome;
  outcome.status = TaskStatus::kFailed;
  outcome.error = error;
  return outcome;
}

TaskOutcome Gone(const Workspace& workspace, const StreamConfig& stream, const std::string& table) {
  TaskOutcome outcome;
  const auto latest = LatestOrNone(workspace.TableOf(table));
  if (latest && *latest) outcome.version = (*latest)->version;
  outcome.note = fmt::format("{} is gone at the source since {}: the table stays as it is", stream.at_source, stream.gone.substr(0, 16));
  if (!stream.gone_now) return outcome;
  outcome.drift.push_back(TableDrift(DriftKind::kGoneTable, stream.at_source, workspace.clock.Now()));
  return outcome;
}

/// As if the source had a table: would the request be about it?
bool IsAbout(const Project& project, const RunRequest& request, std::size_t source) {
  Project with = project;
  Node node;
  node.kind = Node::Kind::kStream;
  node.source = source;
  node.table = project.sources[source].name + ".unknown";
  node.tags = project.sources[source].tags;
  node.path = project.sources[source].place.file;
  with.sources[source].streams.emplace_back().name = "unknown";
  with.nodes.push_back(node);
  const auto tables = TablesOf(with, request);
  return !tables || tables->contains(node.table);
}

}  // namespace

std::map<std::string, TaskOutcome> SettledLoads(const Workspace& workspace, const std::vector<std::string>& tables) {
  std::map<std::string, TaskOutcome> settled;
  std::map<std::string, Frozen> sources;
  for (const std::string& table : tables) {
    const Node* node = workspace.project.Find(table);
    if (node == nullptr || node->kind != Node::Kind::kStream) continue;
    const SourceConfig& source = workspace.project.source(*node);
    if (source.patterns.empty()) continue;
    const StreamConfig& stream = workspace.project.stream(*node);
    const auto [known, fresh] = sources.try_emplace(source.name);
    if (fresh) known->second = LookAt(workspace, source);
    const Frozen& frozen = known->second;
    if (frozen.error) {
      TaskOutcome& outcome = settled[table] = Failed(*frozen.error);
      if (std::find(frozen.tables.begin(), frozen.tables.end(), table) == frozen.tables.end()) continue;
      outcome.drift.push_back(TableDrift(DriftKind::kFrozen, frozen.error->message, workspace.clock.Now()));
    } else if (stream.refused) {
      settled[table] = Failed(*stream.refused);
    } else if (!stream.gone.empty()) {
      settled[table] = Gone(workspace, stream, table);
    }
  }
  return settled;
}

Status RefuseUnknownTables(const Project& project, const RunRequest& request) {
  for (std::size_t s = 0; s < project.sources.size(); ++s) {
    const SourceConfig& source = project.sources[s];
    if (source.patterns.empty() || !source.streams.empty() || !IsAbout(project, request, s)) continue;
    if (source.refused) return *source.refused;
    if (!source.asked.empty()) continue;
    return Error{ErrorKind::kUnavailable, "no table of source " + source.name + " is known: it could not be asked",
                 "`caudal sources " + source.name + " --check` asks it, or tells why it cannot", source.place.ToString()};
  }
  return {};
}

}  // namespace caudal
