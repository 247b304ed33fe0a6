// `history`: runs, or the versions of one table. `why`: where a row came from.
#include <fmt/format.h>

#include <algorithm>

#include "app/exit_code.h"
#include "app/interrupt.h"
#include "app/table_print.h"
#include "app/verbs.h"
#include "base/json.h"
#include "flow/drift.h"
#include "flow/inspect.h"
#include "serve/run_document.h"
#include "serve/table_document.h"

namespace caudal {
namespace {

std::string Tally(const std::vector<TaskRecord>& tasks) {
  std::map<std::string, int> counts;
  for (const TaskRecord& task : tasks) ++counts[std::string(TaskStatusName(task.status))];
  std::vector<std::string> parts;
  for (const auto& [status, count] : counts) parts.push_back(fmt::format("{} {}", count, status));
  return Joined(parts, parts.size());
}

/// Without the project: a history must be readable while the project has mistakes.
Result<int> HistoryOfRuns(const Command& command, Session& session, int limit) {
  TRY_ASSIGN(StateStore * state, session.State());
  TRY_ASSIGN(const std::vector<RunRecord> runs, state->Runs(limit));
  TextTable table;
  table.columns = {{"run", false}, {"pipeline", false}, {"status", false}, {"started", false}, {"took", true}, {"tasks", false}};
  Json document{{"runs", Json::array()}};
  for (const RunRecord& run : runs) {
    TRY_ASSIGN(const std::vector<TaskRecord> tasks, state->Tasks(run.id));
    Json entry = RunDocument(run);
    entry["tasks"] = Json::array();
    for (const TaskRecord& task : tasks) entry["tasks"].push_back(TaskDocument(task, nullptr));
    document["runs"].push_back(entry);
    const std::string took =
        run.ended ? SecondsText(std::chrono::duration_cast<std::chrono::milliseconds>(*run.ended - run.started)) : "";
    table.rows.push_back({run.id, run.pipeline, std::string(RunStatusName(run.status)), LocalTime(run.started), took, Tally(tasks)});
  }
  if (command.console.json()) {
    command.console.Document(document);
  } else if (runs.empty()) {
    command.console.Line("no run yet: `caudal run` starts one");
  } else {
    command.console.Write(FormatTable(table, TextLayout{"", 60, static_cast<std::size_t>(command.console.width())}));
  }
  return kExitOk;
}

Result<int> HistoryOfTable(const Command& command, Session& session, const HistoryOptions& options) {
  TRY_ASSIGN(const Workspace* workspace, session.OpenWorkspace());
  TRY_ASSIGN(const Node* node, FindTable(workspace->project, options.table));
  const Table lake_table = workspace->TableOf(node->table);
  TRY_ASSIGN(const auto latest, LatestOrNone(lake_table));
  if (!latest) {
    return Error{ErrorKind::kNotFound, node->table + " is not published yet", "`caudal run -s +" + node->table + "`", ""};
  }
  const std::int64_t from = std::max<std::int64_t>(latest->version - options.limit, -1);
  TRY_ASSIGN(std::vector<CommitRecord> commits, lake_table.History(from, latest->version));
  std::reverse(commits.begin(), commits.end());
  TextTable table;
  table.columns = {{"version", true}, {"time", false}, {"operation", false}, {"rows", true},     {"files", true},
                   {"read", true},    {"written", true}, {"rejected", true}, {"repeated", true}, {"task", false}, {"different at the source", false}};
  Json document{{"table", node->table}, {"versions", Json::array()}};
  bool drifted = false;
  for (const CommitRecord& commit : commits) {
    document["versions"].push_back(CommitDocument(commit));
    std::vector<Cell> row{fmt::format("{}", commit.version), LocalTime(commit.time), commit.operation,
                          fmt::format("+{} -{}", Grouped(commit.rows_added), Grouped(commit.rows_removed)),
                          fmt::format("+{} -{}", commit.files_added, commit.files_removed)};
    const auto& counts = commit.counts;
    for (const std::int64_t RowCounts::*member : {&RowCounts::read, &RowCounts::written, &RowCounts::rejected, &RowCounts::deduplicated}) {
      row.push_back(counts ? Grouped((*counts).*member) : "");
    }
    row.push_back(commit.task);
    std::vector<std::string> drift;
    for (const Drift& one : DriftOfNote(commit.note)) drift.push_back(DriftInWords(one));
    row.push_back(Joined(drift, 3));
    drifted = drifted || !drift.empty();
    table.rows.push_back(std::move(row));
  }
  if (!drifted) {
    table.columns.pop_back();
    for (auto& row : table.rows) row.pop_back();
  }
  if (command.console.json()) {
    command.console.Document(document);
  } else {
    command.console.Write(FormatTable(table, TextLayout{"", 60, static_cast<std::size_t>(command.console.width())}));
  }
  return kExitOk;
}

Result<int> HistoryOfChecks(const Command& command, Session& session, const HistoryOptions& options) {
  TRY_ASSIGN(const Workspace* workspace, session.OpenWorkspace());
  TRY_ASSIGN(const Node* node, FindTable(workspace->project, options.table));
  TRY_ASSIGN(const std::vector<CheckRecord> checks, workspace->state.Checks(node->table, options.limit));
  Json document{{"table", node->table}, {"checks", Json::array()}};
  TextTable table;
  table.columns = {{"time", false}, {"check", false}, {"verdict", false}, {"rows", true}, {"observed", false}, {"run", false}};
  for (const CheckRecord& check : checks) {
    document["checks"].push_back(VerdictDocument(check));
    table.rows.push_back({LocalTime(check.at), check.check, check.verdict, Grouped(check.failing_rows), check.observed, check.run});
  }
  if (command.console.json()) {
    command.console.Document(document);
  } else if (checks.empty()) {
    command.console.Line(node->table + " has no verdict yet");
  } else {
    command.console.Write(FormatTable(table, TextLayout{"", 60, static_cast<std::size_t>(command.console.width())}));
  }
  return kExitOk;
}

/// The row without the columns that TraceRows adds or, for eyes, tells below it.
Rows OnlyRow(const Schema& columns, const RowTrace& trace, bool with_source) {
  Rows rows;
  rows.rows.emplace_back();
  for (std::size_t i = 0; i < columns.fields.size() && i < trace.row.size(); ++i) {
    const std::string& name = columns.fields[i].name;
    const bool source = name == "_source_file" || name == "_source_row";
    if (name == kOriginColumn || (source && !with_source)) continue;
    rows.schema.fields.push_back(columns.fields[i]);
    rows.rows[0].push_back(trace.row[i]);
  }
  return rows;
}

Json RowTraceDocument(const Schema& columns, const RowTrace& trace) {
  Json from = Json::array();
  for (const RowSource& source : trace.from) {
    Json rows = Json::array();
    for (const RowTrace& row : source.trace.rows) rows.push_back(RowTraceDocument(source.trace.columns, row));
    from.push_back({{"table", source.table}, {"version", source.version}, {"where", source.where}, {"count", source.rows}, {"rows", rows}});
  }
  const Json row = RowsDocument(OnlyRow(columns, trace, true));
  Json raw = nullptr;
  if (!trace.raw_key.empty()) raw = {{"key", trace.raw_key}, {"origin", trace.origin}, {"row", trace.raw_row}};
  return {{"row", row.at(0)},
          {"file", trace.file},
          {"version", trace.version},
          {"committed", FormatTimestampMs(trace.committed)},
          {"operation", trace.operation},
          {"task", trace.task},
          {"raw", raw},
          {"from", from}};
}

/// The engine quotes the whole statement; the user typed its end only.
Error OfCondition(Error error) {
  if (error.kind != ErrorKind::kInvalidArgument) return error;
  error.where = "--where";
  if (error.next.empty()) error.next = "write a condition as after WHERE; `caudal show TABLE` lists the columns";
  return error;
}

void PrintTrace(const Console& console, const Schema& columns, const RowTrace& trace, const std::string& indent) {
  TextTable table = TextTableOf(OnlyRow(columns, trace, trace.raw_key.empty()));
  console.Write(FormatTable(table, TextLayout{indent, 30, static_cast<std::size_t>(console.width() > 0 ? console.width() : 160)}));
  const auto line = [&](const char* name, const std::string& text) {
    if (!text.empty()) console.Line(fmt::format("{}  {:<8}{}", indent, name, text));
  };
  line("commit", fmt::format("version {} of {}, {}", trace.version, LocalTime(trace.committed), trace.operation));
  line("run", trace.task.substr(0, trace.task.find('/')));
  line("file", trace.file);
  if (!trace.raw_key.empty()) {
    line("source", fmt::format("{}, row {}", trace.origin.empty() ? "?" : trace.origin, trace.raw_row));
    line("raw", trace.raw_key);
  }
  for (const RowSource& source : trace.from) {
    line("from", fmt::format("{}, {} of version {} where {}{}", source.table, Counted(source.rows, "row"), source.version,
                             source.where, source.rows > 1 ? "; the first:" : ""));
    for (const RowTrace& row : source.trace.rows) PrintTrace(console, source.trace.columns, row, indent + "    ");
  }
}

}  // namespace

Result<int> HistoryVerb(const Command& command, const HistoryOptions& options) {
  TRY_ASSIGN(auto session, Session::Open(command.global));
  if (options.table.empty()) return HistoryOfRuns(command, *session, options.limit);
  if (options.checks) return HistoryOfChecks(command, *session, options);
  return HistoryOfTable(command, *session, options);
}

Result<int> WhyVerb(const Command& command, const WhyOptions& options) {
  const CancelFlag& cancel = CatchInterrupts();
  TRY_ASSIGN(auto session, Session::Open(command.global));
  TRY_ASSIGN(const Workspace* workspace, session->OpenWorkspace());
  TRY_ASSIGN(const Node* node, FindTable(workspace->project, options.table));
  auto traced = TraceRows(*workspace, node->table, options.where, options.limit, &cancel);
  if (!traced) return OfCondition(std::move(traced).error());
  const Trace& trace = *traced;
  const Console& console = command.console;
  if (console.json()) {
    Json document{{"table", node->table}, {"truncated", trace.truncated}, {"rows", Json::array()}};
    for (const RowTrace& row : trace.rows) document["rows"].push_back(RowTraceDocument(trace.columns, row));
    console.Document(document);
    return kExitOk;
  }
  for (const RowTrace& row : trace.rows) {
    PrintTrace(console, trace.columns, row, "");
    console.Line("");
  }
  const std::string more = trace.truncated ? "; there are more: --limit" : "";
  console.Line(Counted(static_cast<std::int64_t>(trace.rows.size()), "row") + " of " + node->table + more);
  return kExitOk;
}

}  // namespace caudal
