// `rollback`: a table becomes what it was.
#include <fmt/format.h>

#include "app/exit_code.h"
#include "app/table_print.h"
#include "app/verbs.h"
#include "base/json.h"
#include "flow/maintain.h"

namespace caudal {

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

}  // namespace caudal
