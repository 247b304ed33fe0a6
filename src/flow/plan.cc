#include "flow/plan.h"

#include <fmt/format.h>

#include <set>

#include "flow/drift.h"
#include "flow/model_inputs.h"
#include "flow/settled_load.h"

namespace caudal {
namespace {

std::string ActionName(const ModelConfig& model, Decision::Action action) {
  if (model.materialize == Materialize::kSnapshot && action != Decision::Action::kSkip) return "snapshot";
  switch (action) {
    case Decision::Action::kSkip:
      return "skip";
    case Decision::Action::kFull:
      return "rebuild";
    case Decision::Action::kNewRows:
      return model.materialize == Materialize::kMerge ? "merge new rows" : "append new rows";
    case Decision::Action::kPartitions:
      return "recompute partitions";
    case Decision::Action::kInterval:
      return "build interval";
  }
  return "";
}

/// What the newest load met, and types that the project widens.
std::vector<std::string> DriftInPlan(const Workspace& workspace, const StreamConfig& stream, const Snapshot& base) {
  std::vector<std::string> words;
  if (const auto history = workspace.TableOf(base.name).History(base.version - 1, base.version); history && !history->empty()) {
    for (const Drift& drift : DriftOfNote(history->back().note)) words.push_back("last load: " + DriftInWords(drift));
  }
  for (const ColumnConfig& column : stream.columns) {
    const Field* field = column.type ? base.schema.Find(column.name) : nullptr;
    if (field == nullptr || field->type == *column.type) continue;
    words.push_back(fmt::format("column {} is {} and {} {}", field->name, field->type.ToSql(), Widens(field->type, *column.type) ? "will be" : "cannot become",
                                column.type->ToSql()));
  }
  return words;
}

Result<PlanItem> PlanStream(const Workspace& workspace, const Node& node, const RunRequest& request) {
  TRY_ASSIGN(auto base, LatestOrNone(workspace.TableOf(node.table)));
  PlanItem item;
  item.table = node.table;
  item.action = "load";
  const StreamConfig& stream = workspace.project.stream(node);
  if (!base && !stream.pattern.empty() && stream.contract.tables == ContractMode::kFreeze) {
    item.reason = "is refused: it is no table yet, and its contract freezes tables";
    return item;
  }
  if (base) item.drift = DriftInPlan(workspace, stream, *base);
  if (!base || request.full_refresh) {
    item.reason = base ? "everything again (--full-refresh)" : "first load";
    return item;
  }
  auto cursor = base->domains.find("cursor");
  item.reason = fmt::format("what is new since version {} of {}", base->version, FormatTimestamp(base->time).substr(0, 16));
  if (cursor == base->domains.end()) item.reason = "the source has no cursor: everything is read and compared";
  return item;
}

Result<PlanItem> PlanModel(const Workspace& workspace, const Node& node, const RunRequest& request, bool after_load) {
  const ModelConfig& model = workspace.project.model(node);
  PlanItem item;
  item.table = node.table;
  item.depends_on_load = after_load;
  if (model.materialize == Materialize::kView) {
    item.action = "view";
    item.reason = "nothing is stored";
    return item;
  }
  auto state = LookAtModel(workspace, model, nullptr);
  if (!state && state.error().kind == ErrorKind::kNotFound) {
    item.action = "rebuild";
    item.reason = "first build, once what it reads is there";
    return item;
  }
  if (!state) return std::move(state).error();
  Decision decision = DecideNext(workspace, *state, request.full_refresh);
  item.action = ActionName(state->model, decision.action);
  item.reason = decision.reason;
  for (const Cell& value : decision.partitions) {
    item.partitions.push_back(model.partition_by.front() + "=" + value.value_or("NULL"));
  }
  return item;
}

}  // namespace

Result<std::vector<PlanItem>> MakePlan(const Workspace& workspace, const RunRequest& request) {
  TRY_ASSIGN(auto tables, TablesOf(workspace.project, request));
  std::vector<PlanItem> plan;
  const auto settled = SettledLoads(workspace, std::vector<std::string>(tables.begin(), tables.end()));
  std::set<std::string> after_load, rebuilt;
  for (const Node& node : workspace.project.nodes) {
    if (!tables.contains(node.table)) continue;
    if (node.kind == Node::Kind::kStream) {
      TRY_ASSIGN(PlanItem item, PlanStream(workspace, node, request));
      if (const auto known = settled.find(node.table); known != settled.end()) {
        const TaskOutcome& outcome = known->second;
        item.action = outcome.error ? "load" : "skip";
        item.reason = outcome.error ? "is refused: " + outcome.error->message : outcome.note;
        item.drift.clear();
      }
      if (item.action == "load") after_load.insert(node.table);
      plan.push_back(std::move(item));
      continue;
    }
    bool loads_above = false;
    for (const std::string& up : node.upstream) loads_above = loads_above || after_load.contains(up);
    if (loads_above) after_load.insert(node.table);
    TRY_ASSIGN(PlanItem item, PlanModel(workspace, node, request, loads_above));
    for (const std::string& up : node.upstream) {
      if (!rebuilt.contains(up)) continue;
      if (item.action == "view") rebuilt.insert(node.table);
      const ModelConfig& model = workspace.project.model(node);
      const auto on_change = model.inputs.find(up);
      const bool ignored = on_change != model.inputs.end() && on_change->second == OnChange::kIgnore;
      if (item.action != "skip" || ignored) continue;
      const bool partitions = model.materialize == Materialize::kPartitions;
      item.action = ActionName(model, partitions ? Decision::Action::kPartitions : Decision::Action::kFull);
      item.reason = up + " is built anew";
      rebuilt.insert(node.table);
    }
    if (item.action == "rebuild") rebuilt.insert(node.table);
    plan.push_back(std::move(item));
  }
  return plan;
}

}  // namespace caudal
