// `check`: the checks of what is published. `test`: models against given rows.
#include <fmt/format.h>

#include <set>

#include "app/exit_code.h"
#include "app/interrupt.h"
#include "app/run_summary.h"
#include "app/table_print.h"
#include "app/verbs.h"
#include "base/json.h"
#include "flow/inspect.h"
#include "serve/run_document.h"

namespace caudal {
namespace {

struct CheckTally {
  std::int64_t pass = 0, warn = 0, fail = 0;

  void Add(const std::vector<CheckResult>& checks) {
    for (const CheckResult& check : checks) {
      ++(check.verdict == Verdict::kPass ? pass : check.verdict == Verdict::kFail ? fail : warn);
    }
  }
};

Status KeepVerdicts(const Workspace& workspace, const std::string& table, const std::vector<CheckResult>& checks) {
  std::vector<CheckRecord> records;
  for (const CheckResult& c : checks) {
    records.push_back({"", table, c.id, std::string(VerdictName(c.verdict)), c.failing_rows, c.observed, c.message,
                       workspace.clock.Now()});
  }
  return records.empty() ? Status{} : workspace.state.SaveChecks(records);
}

void PrintDiff(const Console& console, const UnitTestResult& test) {
  TextTable table;
  table.columns.push_back({"", false});
  for (const TextTable::Column& column : TextTableOf(Rows{test.columns, {}, false}).columns) table.columns.push_back(column);
  const auto add = [&](const char* sign, const std::vector<std::vector<Cell>>& rows) {
    for (const auto& row : rows) {
      std::vector<Cell> line{Cell(sign)};
      line.insert(line.end(), row.begin(), row.end());
      table.rows.push_back(std::move(line));
    }
  };
  add("- expected", test.missing);
  add("+ came", test.unexpected);
  console.Write(FormatTable(table, TextLayout{"    ", 40, static_cast<std::size_t>(console.width())}));
}

Json TestDocument(const UnitTestResult& test) {
  Json document{{"test", test.name},
                {"model", test.model},
                {"passed", test.passed},
                {"missing", RowsDocument(Rows{test.columns, test.missing, false})},
                {"unexpected", RowsDocument(Rows{test.columns, test.unexpected, false})}};
  if (test.error) document["error"] = ErrorDocument(*test.error)["error"];
  return document;
}

void PrintTest(const Console& console, const UnitTestResult& test) {
  const std::string word = test.passed ? console.Paint(Color::kGreen, "PASS") : console.Paint(Color::kRed, "FAIL");
  console.Line(fmt::format("{}  {}  {}", word, test.model, test.name));
  if (test.passed) return;
  if (test.error) {
    console.Line("    error: " + (test.error->where.empty() ? "" : test.error->where + ": ") + test.error->message);
    if (!test.error->next.empty()) console.Line("    next: " + test.error->next);
    return;
  }
  PrintDiff(console, test);
}

}  // namespace

Result<int> CheckVerb(const Command& command, const Selection& selection) {
  const CancelFlag& cancel = CatchInterrupts();
  const Console& console = command.console;
  TRY_ASSIGN(auto session, Session::Open(command.global));
  TRY_ASSIGN(const Workspace* workspace, session->OpenWorkspace());
  const Project& project = workspace->project;
  TRY_ASSIGN(const std::set<std::string> tables, Select(project, selection.select, selection.exclude));
  Json document{{"tables", Json::array()}};
  CheckTally tally;
  std::vector<std::string> absent;
  for (const Node& node : project.nodes) {
    const bool view = node.kind == Node::Kind::kModel && project.model(node).materialize == Materialize::kView;
    if (!tables.contains(node.table) || view) continue;
    auto checks = CheckPublished(*workspace, node, &cancel);
    if (!checks && checks.error().kind == ErrorKind::kNotFound) {
      absent.push_back(node.table);
      continue;
    }
    if (!checks) return std::move(checks).error();
    TRY(KeepVerdicts(*workspace, node.table, *checks));
    tally.Add(*checks);
    Json verdicts = Json::array();
    for (const CheckResult& check : *checks) verdicts.push_back(CheckDocument(check));
    document["tables"].push_back({{"table", node.table}, {"checks", verdicts}});
    if (console.json() || checks->empty()) continue;
    console.Line(console.Paint(Color::kBold, node.table));
    for (const CheckResult& check : *checks) PrintCheck(console, check, "  ");
  }
  const int code = tally.fail > 0 ? kExitData : kExitOk;
  if (console.json()) {
    document["pass"] = tally.pass;
    document["warn"] = tally.warn;
    document["fail"] = tally.fail;
    document["not_published"] = absent;
    console.Document(document);
    return code;
  }
  if (!absent.empty()) console.Line("not published yet: " + Joined(absent, 20));
  console.Line(fmt::format("{} passed, {} warned, {} failed", tally.pass, tally.warn, tally.fail));
  return code;
}

Result<int> TestVerb(const Command& command, const std::vector<std::string>& names) {
  const CancelFlag& cancel = CatchInterrupts();
  TRY_ASSIGN(auto session, Session::Open(command.global));
  TRY_ASSIGN(const Workspace* workspace, session->OpenWorkspace());
  TRY_ASSIGN(const std::vector<UnitTestResult> tests, RunUnitTests(*workspace, names, &cancel));
  std::int64_t passed = 0;
  Json document{{"tests", Json::array()}};
  for (const UnitTestResult& test : tests) {
    passed += test.passed ? 1 : 0;
    document["tests"].push_back(TestDocument(test));
    if (!command.console.json()) PrintTest(command.console, test);
  }
  const std::int64_t failed = static_cast<std::int64_t>(tests.size()) - passed;
  document["passed"] = passed;
  document["failed"] = failed;
  if (command.console.json()) {
    command.console.Document(document);
  } else {
    command.console.Line(fmt::format("{} passed, {} failed", passed, failed));
  }
  return failed > 0 ? kExitData : kExitOk;
}

}  // namespace caudal
