// `plan`, `run`, `retry`, `backfill`.
#include <fmt/format.h>

#include <algorithm>

#include "app/exit_code.h"
#include "app/interrupt.h"
#include "app/progress.h"
#include "app/report_document.h"
#include "app/run_summary.h"
#include "app/table_print.h"
#include "app/verbs.h"
#include "base/json.h"
#include "flow/plan.h"
#include "serve/plan_document.h"

namespace caudal {
namespace {

constexpr const char* kEverything = "all";
constexpr const char* kBackfill = "backfill";
constexpr std::size_t kPartitionsOfPlan = 8;

Result<RunRequest> RequestOf(const Project& project, const RunVerbOptions& options) {
  RunRequest request;
  request.pipeline = options.pipeline.empty() ? kEverything : options.pipeline;
  std::vector<std::string> names{kEverything};
  for (const PipelineConfig& pipeline : project.pipelines) names.push_back(pipeline.name);
  if (std::find(names.begin(), names.end(), request.pipeline) == names.end()) {
    const std::string near = Nearest(request.pipeline, names);
    const bool table = project.Find(request.pipeline) != nullptr;
    return Error{ErrorKind::kNotFound, "no pipeline is called '" + request.pipeline + "'; there is " + Joined(names, 20),
                 table          ? "for a table: `caudal run -s " + request.pipeline + "`"
                 : near.empty() ? ""
                                : "did you mean '" + near + "'?",
                 ""};
  }
  request.select = options.selection.select;
  request.exclude = options.selection.exclude;
  request.full_refresh = options.full_refresh;
  request.retry_transient = !options.no_retry;
  request.wait = options.wait;
  return request;
}

/// Exactly what continues the run when it is typed in the same folder.
std::string ResumeCommand(const Command& command, const RunReport& report) {
  if (report.run.status == RunStatus::kSucceeded) return "";
  std::string text = "caudal retry " + report.run.id;
  if (!command.global.project.empty()) text += " --project " + ShellQuoted(command.global.project);
  return text;
}

/// The end of each of the three verbs that run something.
Result<int> Report(const Command& command, const RunWatcher& watcher, Result<RunReport> report) {
  if (!report) return std::move(report).error();
  const std::string resume = ResumeCommand(command, *report);
  if (command.console.json()) {
    command.console.Document(ReportDocument(*report, watcher, resume));
  } else {
    PrintRunSummary(command.console, *report, watcher, resume);
  }
  return ExitCodeOf(report->run.status, report->tasks);
}

std::string_view PlanWord(const std::string& action) {
  if (action == "skip") return "nothing to do";
  return action;
}

void PrintPlan(const Console& console, const RunRequest& request, const std::vector<PlanItem>& plan) {
  std::size_t width = 0;
  std::size_t action_width = 0;
  std::int64_t loads = 0, builds = 0, later = 0, idle = 0;
  for (const PlanItem& item : plan) {
    width = std::max(width, item.table.size());
    action_width = std::max(action_width, PlanWord(item.action).size());
    const bool waits = item.action == "skip" && item.depends_on_load;
    ++(item.action == "load" ? loads : waits ? later : item.action == "skip" ? idle : builds);
  }
  std::string head = fmt::format("Plan of pipeline {}: {}; {} to load, {} to build", request.pipeline,
                                 Counted(static_cast<std::int64_t>(plan.size()), "table"), loads, builds);
  if (later > 0) head += fmt::format(", {} that the loads will decide", later);
  if (idle > 0) head += fmt::format(", {} with nothing to do", idle);
  console.Line(head);
  console.Line("");
  for (const PlanItem& item : plan) {
    const Color color = item.action == "skip" ? Color::kDim : Color::kGreen;
    std::string line = fmt::format("  {}  {:<{}}  {}", console.Paint(color, fmt::format("{:<{}}", PlanWord(item.action), action_width)),
                                   item.table, width, item.reason);
    if (item.depends_on_load) line += item.action == "skip" ? "; decided again after the load above" : "; more after the load above";
    console.Line(line);
    for (const std::string& drift : item.drift) console.Line(fmt::format("  {:<{}}  {:<{}}  {}", "", action_width, "", width, drift));
    if (item.partitions.empty()) continue;
    console.Line(fmt::format("  {:<{}}  {:<{}}  {}: {}", "", action_width, "", width,
                             Counted(static_cast<std::int64_t>(item.partitions.size()), "partition"),
                             Joined(item.partitions, kPartitionsOfPlan)));
  }
}

Status CheckInterval(const BackfillOptions& options) {
  for (const auto& [name, text] : {std::pair{"--start", options.start}, std::pair{"--end", options.end}}) {
    if (text.empty()) continue;
    auto time = ParseTimestamp(text);
    if (!time) return Error{ErrorKind::kInvalidArgument, std::move(time).error().message, "write a day: 2026-01-31", name};
  }
  if (!options.start.empty() && !options.end.empty() && options.start >= options.end) {
    return Error{ErrorKind::kInvalidArgument, "the interval is empty: " + options.start + " is not before " + options.end,
                 "--end is the first day that is left out", "--start"};
  }
  return {};
}

Result<RunRequest> BackfillRequest(const Project& project, const BackfillOptions& options) {
  RunRequest request;
  request.pipeline = kBackfill;
  request.select = options.select;
  if (!options.table.empty()) {
    TRY_ASSIGN([[maybe_unused]] const Node* node, FindTable(project, options.table));
    request.select.push_back(options.table);
  }
  if (request.select.empty()) {
    return Error{ErrorKind::kInvalidArgument, "no table is named", "`caudal backfill erp.orders --from-raw`, or "
                 "`caudal backfill -s gold.daily_sales --start 2026-01-01 --end 2026-02-01`", ""};
  }
  const bool interval = !options.start.empty() || !options.end.empty();
  if (options.from_raw == interval) {
    return Error{ErrorKind::kInvalidArgument,
                 interval ? "--from-raw rebuilds a whole table, --start and --end an interval: not both"
                          : "what is to be filled again is not said",
                 "--from-raw for a source's table, --start and --end for a model", ""};
  }
  request.from_raw = options.from_raw;
  if (interval) request.interval.emplace(options.start, options.end);
  TRY_ASSIGN(auto tables, Select(project, request.select, {}));
  for (const std::string& table : tables) {
    const bool stream = project.Find(table)->kind == Node::Kind::kStream;
    if (stream && interval) {
      return Error{ErrorKind::kInvalidArgument, table + " is a source's table: it has no intervals",
                   "`caudal backfill " + table + " --from-raw` builds it anew from its raw objects", ""};
    }
    if (stream || interval) continue;
    return Error{ErrorKind::kInvalidArgument, table + " is a model: it has no raw objects",
                 "`caudal run --full-refresh -s " + table + "` builds it anew", ""};
  }
  return request;
}

Result<RunRequest> RejectsRequest(const Project& project, const RetryOptions& options) {
  TRY_ASSIGN(const Node* node, FindTable(project, options.rejects));
  if (node->kind == Node::Kind::kModel) {
    const bool view = project.model(*node).materialize == Materialize::kView;
    return Error{ErrorKind::kInvalidArgument,
                 node->table + (view ? " is a view: it rejects no row" : " is a model: its rows are computed, so that rejected ones have no raw origin to be loaded from"),
                 view ? "" : "`caudal run -s " + node->table + " --full-refresh` computes all of them again, by the checks of today", ""};
  }
  RunRequest request;
  request.pipeline = kRejectsPipeline;
  request.select = {node->table};
  request.rejects_where = options.where;
  return request;
}

/// The workspace with what the sources have now, asked for the sake of `tables`.
Result<const Workspace*> WithCatalogs(Session& session, const Workspace* workspace, const std::set<std::string>& tables, RunObserver& watcher, const CancelFlag& cancel) {
  const CatalogLook look = AskCatalogs(*workspace, SourcesToAsk(workspace->project, tables), &cancel);
  for (const CatalogAnswer& answer : look.answers) watcher.OnCatalogAsked(answer);
  return look.changed ? session.RenewWorkspace() : Result<const Workspace*>(workspace);
}

/// Those of the project as it is known; none where that does not know what is meant.
std::set<std::string> TablesSoFar(const Project& project, const RunRequest& request) {
  auto tables = TablesOf(project, request);
  return tables ? *std::move(tables) : std::set<std::string>();
}

}  // namespace

Result<int> PlanVerb(const Command& command, const RunVerbOptions& options) {
  TRY_ASSIGN(auto session, Session::Open(command.global));
  TRY_ASSIGN(const Workspace* workspace, session->OpenWorkspace());
  TRY_ASSIGN(const RunRequest request, RequestOf(workspace->project, options));
  TRY_ASSIGN(const std::vector<PlanItem> plan, MakePlan(*workspace, request));
  if (command.console.json()) {
    command.console.Document(PlanDocument(workspace->project, request, plan));
    return kExitOk;
  }
  PrintPlan(command.console, request, plan);
  return kExitOk;
}

Result<int> RunVerb(const Command& command, const RunVerbOptions& options) {
  const CancelFlag& cancel = CatchInterrupts();
  TRY_ASSIGN(auto session, Session::Open(command.global));
  session->WarmWorkers();
  TRY_ASSIGN(const Workspace* workspace, session->OpenWorkspace());
  TRY_ASSIGN(const RunRequest request, RequestOf(workspace->project, options));
  const auto watcher = MakeRunWatcher(command.console, command.global.verbose);
  TRY_ASSIGN(workspace, WithCatalogs(*session, workspace, TablesSoFar(workspace->project, request), *watcher, cancel));
  return Report(command, *watcher, StartRun(*workspace, request, *watcher, cancel));
}

Result<int> RetryVerb(const Command& command, const RetryOptions& options) {
  const CancelFlag& cancel = CatchInterrupts();
  TRY_ASSIGN(auto session, Session::Open(command.global));
  session->WarmWorkers();
  TRY_ASSIGN(const Workspace* workspace, session->OpenWorkspace());
  const auto watcher = MakeRunWatcher(command.console, command.global.verbose);
  if (!options.rejects.empty()) {
    TRY_ASSIGN(const RunRequest request, RejectsRequest(workspace->project, options));
    return Report(command, *watcher, StartRun(*workspace, request, *watcher, cancel));
  }
  TRY_ASSIGN(const RunRecord run, RunToContinue(*workspace, options.run));
  TRY_ASSIGN(const RunRequest request, RunRequestFromJson(run.command));
  const bool loads = !request.from_raw && !request.rejects_where && !request.interval;
  if (loads) {
    TRY_ASSIGN(workspace, WithCatalogs(*session, workspace, TablesSoFar(workspace->project, request), *watcher, cancel));
  }
  return Report(command, *watcher, RetryRun(*workspace, run.id, options.select, *watcher, cancel));
}

Result<int> BackfillVerb(const Command& command, const BackfillOptions& options) {
  TRY(CheckInterval(options));
  const CancelFlag& cancel = CatchInterrupts();
  TRY_ASSIGN(auto session, Session::Open(command.global));
  TRY_ASSIGN(const Workspace* workspace, session->OpenWorkspace());
  TRY_ASSIGN(const RunRequest request, BackfillRequest(workspace->project, options));
  const auto watcher = MakeRunWatcher(command.console, command.global.verbose);
  return Report(command, *watcher, StartRun(*workspace, request, *watcher, cancel));
}

}  // namespace caudal
