// The verbs about whole tables: `rollback`, `savepoint`, `optimize`, `purge`, `export`.
#include <fmt/format.h>

#include "app/exit_code.h"
#include "app/interrupt.h"
#include "app/table_print.h"
#include "app/verbs.h"
#include "base/json.h"
#include "flow/export.h"
#include "flow/maintain.h"
#include "flow/optimize.h"
#include "project/file_context.h"

namespace caudal {
namespace {

/// The tables that are named, or every one but views.
Result<std::vector<const Node*>> TablesNamed(const Project& project, const std::vector<std::string>& names) {
  std::vector<const Node*> nodes;
  for (const std::string& name : names) {
    TRY_ASSIGN(const Node* node, FindTable(project, name));
    nodes.push_back(node);
  }
  if (!names.empty()) return nodes;
  for (const Node& node : project.nodes) {
    const bool view = node.kind == Node::Kind::kModel && project.model(node).materialize == Materialize::kView;
    if (!view) nodes.push_back(&node);
  }
  return nodes;
}

Result<std::optional<std::chrono::milliseconds>> DurationOf(const std::string& text, const char* option) {
  if (text.empty()) return std::optional<std::chrono::milliseconds>();
  auto duration = ParseDuration(text);
  if (duration) return std::optional(*duration);
  Error error = std::move(duration).error();
  error.message = std::string(option) + ": " + error.message;
  return error;
}

Json DocumentOf(const std::string& table, const OptimizeReport& report) {
  return Json{{"table", table},
              {"version", report.version},
              {"files_before", report.files_before},
              {"files_after", report.files_after},
              {"bytes_before", report.bytes_before},
              {"bytes_after", report.bytes_after},
              {"files_waiting", report.files_waiting}};
}

std::string LineOf(const std::string& table, const OptimizeReport& report, bool dry_run) {
  std::string line = table + ": nothing to join";
  if (report.files_before > 0 && dry_run) {
    line = fmt::format("{}: {} files would become about {}", table, report.files_before, report.files_after);
  } else if (report.files_before > 0) {
    line = fmt::format("{}: {} files became {}, {} became {}", table, report.files_before, report.files_after,
                       SizeText(report.bytes_before), SizeText(report.bytes_after));
  }
  if (report.files_waiting > 0) line += fmt::format("; {} new files wait until the models below have read them", report.files_waiting);
  return line;
}

Json DocumentOf(const TablePurge& purge) {
  return Json{{"table", purge.table},
              {"oldest_version", purge.horizon},
              {"version", purge.report.version},
              {"files", purge.report.files},
              {"bytes", purge.report.bytes}};
}

Result<int> PurgeOrphansVerb(const Command& command, const Workspace& workspace, const std::vector<const Node*>& nodes,
                             std::chrono::milliseconds age, bool dry_run) {
  Json document = Json::array();
  std::size_t count = 0;
  for (const Node* node : nodes) {
    TRY_ASSIGN(const auto orphans, PurgeOrphans(workspace, *node, age, dry_run));
    count += orphans.size();
    for (const std::string& key : orphans) {
      document.push_back(key);
      if (!command.console.json()) command.console.Line(key);
    }
  }
  if (command.console.json()) {
    command.console.Document(Json{{"orphans", std::move(document)}, {"deleted", !dry_run}});
  } else {
    command.console.Line(fmt::format("{} data files that no version names{}", count, dry_run || count == 0 ? "" : ", deleted"));
  }
  return kExitOk;
}

}  // namespace

Result<int> RollbackVerb(const Command& command, const RollbackOptions& options) {
  TRY_ASSIGN(auto session, Session::Open(command.global));
  TRY_ASSIGN(const Workspace* workspace, session->OpenWorkspace());
  TRY_ASSIGN(const Node* node, FindTable(workspace->project, options.table));
  TRY_ASSIGN(const RollbackReport report, RollbackTable(*workspace, *node, options.to, options.dry_run));
  const Console& console = command.console;
  if (console.json()) {
    console.Document(Json{{"table", node->table},
                          {"from", report.from},
                          {"to", report.to},
                          {"version", report.version},
                          {"files_back", report.files_back},
                          {"files_gone", report.files_gone},
                          {"rows_before", report.rows_before},
                          {"rows_after", report.rows_after},
                          {"source_again", report.source_again}});
    return kExitOk;
  }
  const bool done = report.version >= 0;
  console.Line(fmt::format("{} {} {}: {} rows instead of {}, {} files come back, {} leave", node->table,
                           done ? fmt::format("is at version {}, with what it held at version", report.version) : "would be what it was at version",
                           report.to, Grouped(report.rows_after), Grouped(report.rows_before), report.files_back, report.files_gone));
  if (report.source_again) console.Line("The source is read again from where it stood then: mend what was wrong before the next run.");
  if (!done) console.Line(fmt::format("Nothing was changed. To do it: caudal rollback {} --to {}", node->table, report.to));
  return kExitOk;
}

Result<int> SavepointVerb(const Command& command, const SavepointOptions& options) {
  TRY_ASSIGN(auto session, Session::Open(command.global));
  TRY_ASSIGN(const Workspace* workspace, session->OpenWorkspace());
  TRY_ASSIGN(const Node* node, FindTable(workspace->project, options.table));
  const Console& console = command.console;
  if (options.drop) {
    TRY(ForgetSavepoint(*workspace, *node, options.name));
    if (!console.json()) console.Line(fmt::format("{} has no savepoint {} any more", node->table, options.name));
  } else if (!options.name.empty()) {
    TRY_ASSIGN(const std::int64_t version, SaveTable(*workspace, *node, Savepoint{options.name, 0, options.comment}, options.version));
    if (!console.json()) console.Line(fmt::format("version {} of {} is savepoint {}", version, node->table, options.name));
  }
  TRY_ASSIGN(const auto savepoints, SavepointsOfTable(*workspace, *node));
  if (console.json()) {
    Json list = Json::array();
    for (const Savepoint& s : savepoints) list.push_back({{"name", s.name}, {"version", s.version}, {"comment", s.comment}});
    console.Document(Json{{"table", node->table}, {"savepoints", std::move(list)}});
  } else if (options.name.empty()) {
    if (savepoints.empty()) console.Line(fmt::format("{} has no savepoint. To make one: caudal savepoint {} NAME", node->table, node->table));
    for (const Savepoint& s : savepoints) console.Line(fmt::format("{}  version {}{}{}", s.name, s.version, s.comment.empty() ? "" : "  ", s.comment));
  }
  return kExitOk;
}

Result<int> OptimizeVerb(const Command& command, const OptimizeOptions& options) {
  OptimizeRequest request;
  request.cluster_by = options.cluster_by;
  request.dry_run = options.dry_run;
  if (!options.target_file_size.empty()) {
    const auto size = ParseSize(options.target_file_size);
    if (!size || *size <= 0) {
      return Error{ErrorKind::kInvalidArgument, "--target-file-size is no size: '" + options.target_file_size + "'", "write 256MiB", ""};
    }
    request.target_file_bytes = *size;
  }
  const CancelFlag& cancel = CatchInterrupts();
  TRY_ASSIGN(auto session, Session::Open(command.global));
  TRY_ASSIGN(const Workspace* workspace, session->OpenWorkspace());
  TRY_ASSIGN(const auto nodes, TablesNamed(workspace->project, options.tables));
  Json document = Json::array();
  for (const Node* node : nodes) {
    auto report = OptimizeTable(*workspace, *node, request, &cancel);
    if (!report && report.error().kind == ErrorKind::kNotFound && options.tables.empty()) continue;
    if (!report) return std::move(report).error();
    document.push_back(DocumentOf(node->table, *report));
    if (!command.console.json()) command.console.Line(LineOf(node->table, *report, options.dry_run));
  }
  if (command.console.json()) command.console.Document(Json{{"tables", std::move(document)}});
  return kExitOk;
}

Result<int> ExportVerb(const Command& command, const ExportOptions& options) {
  const CancelFlag& cancel = CatchInterrupts();
  TRY_ASSIGN(auto session, Session::Open(command.global));
  TRY_ASSIGN(const Workspace* workspace, session->OpenWorkspace());
  TRY_ASSIGN(const Node* node, FindTable(workspace->project, options.table));
  TRY_ASSIGN(const ExportReport report, ExportTable(*workspace, *node, options.version, options.to, &cancel));
  if (command.console.json()) {
    command.console.Document(Json{{"table", node->table}, {"version", report.version}, {"rows", report.rows}, {"bytes", report.bytes}, {"file", options.to}});
  } else {
    command.console.Line(fmt::format("{}: {} rows of version {} of {}, {}", options.to, Grouped(report.rows), report.version, node->table, SizeText(report.bytes)));
  }
  return kExitOk;
}

Result<int> PurgeVerb(const Command& command, const PurgeOptions& options) {
  Retention retention;
  TRY_ASSIGN(retention.older_than, DurationOf(options.older_than, "--older-than"));
  TRY_ASSIGN(const auto grace, DurationOf(options.reader_grace, "--reader-grace"));
  if (grace) retention.reader_grace = *grace;
  if (options.keep_versions) retention.versions = *options.keep_versions;
  TRY_ASSIGN(auto session, Session::Open(command.global));
  TRY_ASSIGN(const Workspace* workspace, session->OpenWorkspace());
  TRY_ASSIGN(const auto nodes, TablesNamed(workspace->project, options.tables));
  if (options.orphans) {
    return PurgeOrphansVerb(command, *workspace, nodes, retention.older_than.value_or(std::chrono::hours(24)), options.dry_run);
  }
  Json document = Json::array();
  PurgeReport sum;
  for (const Node* node : nodes) {
    TRY_ASSIGN(const auto purge, PurgeTable(*workspace, *node, retention, options.dry_run));
    if (!purge) continue;
    sum.files += purge->report.files;
    sum.bytes += purge->report.bytes;
    document.push_back(DocumentOf(*purge));
    if (command.console.json() || purge->report.files == 0) continue;
    command.console.Line(fmt::format("{}: versions before {} {}, {} files with {}", purge->table, purge->horizon,
                                     options.dry_run ? "would go" : "are gone", Grouped(purge->report.files), SizeText(purge->report.bytes)));
  }
  if (command.console.json()) {
    command.console.Document(Json{{"tables", std::move(document)}, {"deleted", !options.dry_run}});
  } else {
    command.console.Line(fmt::format("{} files with {} {}", Grouped(sum.files), SizeText(sum.bytes), options.dry_run ? "would be deleted" : "deleted"));
  }
  return kExitOk;
}

}  // namespace caudal
