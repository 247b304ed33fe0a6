// `sql`: one SELECT over what is published. `render`: a model's SQL as it runs, and what a run would do with it.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iostream>
#include <sstream>

#include "app/exit_code.h"
#include "app/interrupt.h"
#include "app/table_print.h"
#include "app/verbs.h"
#include "base/json.h"
#include "flow/inspect.h"
#include "flow/plan.h"
#include "store/posix_file.h"

namespace caudal {
namespace {

Result<std::string> QueryText(const SqlOptions& options) {
  std::string text = options.query;
  if (!options.file.empty()) {
    if (!text.empty()) {
      return Error{ErrorKind::kInvalidArgument, "a query and a file with one: not both", "give one of the two", "-f"};
    }
    std::ostringstream bytes;
    if (options.file == "-") {
      bytes << std::cin.rdbuf();
    } else {
      std::ifstream in(options.file, std::ios::binary);
      if (!in || in.peek() == std::ifstream::traits_type::eof()) {
        if (in.is_open() && in.eof()) return Error{ErrorKind::kInvalidArgument, options.file + " holds no query", "write one SELECT into it", "-f"};
        return PosixError(errno == 0 ? EIO : errno, "read", options.file);
      }
      bytes << in.rdbuf();
    }
    text = bytes.str();
  }
  // One statement is what is allowed, so the mark at its end says nothing.
  while (!text.empty() && (text.back() == ';' || text.back() == ' ' || text.back() == '\n' || text.back() == '\r' || text.back() == '\t')) {
    text.pop_back();
  }
  if (text.empty()) {
    return Error{ErrorKind::kInvalidArgument, "there is no query", "`caudal sql \"SELECT * FROM gold.daily_sales\"`, or -f query.sql", ""};
  }
  return text;
}

Json ParametersDocument(const std::map<std::string, Parameter>& parameters) {
  Json document = Json::object();
  for (const auto& [name, parameter] : parameters) {
    document[name] = {{"type", parameter.type.ToSql()}, {"value", parameter.value ? Json(*parameter.value) : Json(nullptr)}};
  }
  return document;
}

/// The project's parameters that the model names.
std::map<std::string, Parameter> ParametersNamed(const Project& project, const ModelConfig& model) {
  std::map<std::string, Parameter> named;
  for (const auto& [name, type] : model.analysis.parameters) {
    const auto it = project.parameters.find(name);
    if (it != project.parameters.end()) named.insert(*it);
  }
  return named;
}

std::string Trimmed(std::string text) {
  text.erase(0, std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  return text;
}

}  // namespace

Result<int> SqlVerb(const Command& command, const SqlOptions& options) {
  TRY_ASSIGN(const std::string query, QueryText(options));
  const CancelFlag& cancel = CatchInterrupts();
  TRY_ASSIGN(auto session, Session::Open(command.global));
  session->WarmWorkers();
  TRY_ASSIGN(const Workspace* workspace, session->OpenWorkspace());
  TRY_ASSIGN(const Rows rows, QueryTables(*workspace, query, options.max_rows, &cancel));
  const Console& console = command.console;
  if (console.json()) {
    console.Document({{"columns", ColumnsDocument(rows.schema)}, {"rows", RowsDocument(rows)}, {"truncated", rows.truncated}});
    return kExitOk;
  }
  const std::string cut = fmt::format("only the first {} are shown: --max-rows", Counted(static_cast<std::int64_t>(rows.rows.size()), "row"));
  if (console.format() == OutputFormat::kCsv) {
    console.Write(FormatCsv(rows, options.safe_csv));
    if (rows.truncated) console.Remark(cut);
    return kExitOk;
  }
  console.Write(FormatTable(TextTableOf(rows), TextLayout{"", 60, static_cast<std::size_t>(console.width())}));
  console.Line(rows.truncated ? cut : Counted(static_cast<std::int64_t>(rows.rows.size()), "row"));
  return kExitOk;
}

Result<int> RenderVerb(const Command& command, const std::string& name) {
  TRY_ASSIGN(auto session, Session::Open(command.global));
  TRY_ASSIGN(const Workspace* workspace, session->OpenWorkspace());
  const Project& project = workspace->project;
  TRY_ASSIGN(const Node* node, FindTable(project, name));
  if (node->kind != Node::Kind::kModel) {
    return Error{ErrorKind::kInvalidArgument, name + " is a source's table: it has no SQL", "`caudal show " + name + "`", node->path};
  }
  const ModelConfig& model = project.model(*node);
  RunRequest request;
  request.select = {node->table};
  TRY_ASSIGN(const std::vector<PlanItem> plan, MakePlan(*workspace, request));
  const std::map<std::string, Parameter> parameters = ParametersNamed(project, model);
  const PlanItem* item = plan.empty() ? nullptr : &plan.front();
  if (command.console.json()) {
    Json document{{"model", node->table}, {"file", model.file}, {"sql", Trimmed(model.sql)},
                  {"parameters", ParametersDocument(parameters)}, {"columns", Json::array()},
                  {"reads", model.analysis.tables}, {"decision", nullptr}};
    for (const OutputColumn& column : model.analysis.columns) {
      document["columns"].push_back({{"name", column.field.name}, {"type", column.field.type.ToSql()}});
    }
    if (item != nullptr) {
      document["decision"] = {{"action", item->action}, {"reason", item->reason}, {"partitions", item->partitions}};
    }
    command.console.Document(document);
    return kExitOk;
  }
  const Console& console = command.console;
  console.Line("-- " + model.file);
  for (const auto& [parameter, value] : parameters) {
    console.Line(fmt::format("-- ${} = CAST({} AS {})", parameter, value.value ? QuoteLiteral(*value.value) : "NULL", value.type.ToSql()));
  }
  console.Line(Trimmed(model.sql));
  if (item != nullptr) {
    console.Line(fmt::format("-- a run would now: {} ({})", item->action, item->reason));
    if (!item->partitions.empty()) console.Line("-- partitions: " + Joined(item->partitions, 20));
  }
  if (!model.analysis.partition_reason.empty()) console.Line("-- not by partitions: " + model.analysis.partition_reason);
  return kExitOk;
}

}  // namespace caudal
