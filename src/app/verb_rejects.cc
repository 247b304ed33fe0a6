// `show TABLE --rejects`: why rows were rejected, since when, where they came from, and what to type.
#include <fmt/format.h>

#include <map>

#include "app/exit_code.h"
#include "app/table_print.h"
#include "app/verbs.h"
#include "base/json.h"
#include "flow/inspect.h"
#include "lake/upsert.h"

namespace caudal {
namespace {

constexpr int kExamples = 10;
constexpr int kReasons = 100;

// The reason without the value that it quotes, so that a thousand bad values are one reason.
constexpr const char* kRows =
    "CREATE TEMP VIEW rejects AS SELECT *, CASE WHEN _value IS NOT NULL AND ends_with(_reason, ': ''' || _value || '''') "
    "THEN left(_reason, length(_reason) - length(_value) - 4) ELSE _reason END AS reason FROM caudal.rejects";

Result<ComputeResult> Ask(const Workspace& workspace, const std::string& table, const Snapshot& snapshot, const CancelFlag& cancel) {
  std::vector<const LiveFile*> files;
  for (const LiveFile& file : snapshot.files) files.push_back(&file);
  ComputeJob job;
  job.inputs.push_back(InputOf(snapshot, "caudal", "rejects", files, workspace.RootOf(table + "__rejects"), false));
  job.steps.push_back(Step::Run("rows", kRows));
  const std::string newest = " ORDER BY _rejected_at DESC, _source_file, _source_row)";
  job.steps.push_back(Step::Query("reasons",
                                  "SELECT reason, _column AS \"column\", count(*) AS rows, min(_rejected_at) AS since, max(_rejected_at) AS latest, "
                                  "first(_value" + newest + " AS value, first(_source_file" + newest + " AS file, first(_source_row" + newest +
                                  " AS row FROM rejects GROUP BY reason, _column ORDER BY rows DESC, reason, \"column\"", kReasons));
  job.steps.push_back(Step::Query("examples",
                                  "SELECT reason, _column AS \"column\", _value AS value, _source_file AS file, _source_row AS row, _task AS task, "
                                  "_rejected_at AS at FROM rejects ORDER BY _rejected_at DESC, _source_file, _source_row", kExamples));
  job.steps.push_back(Step::Query("runs",
                                  "SELECT _task AS task, count(*) AS rows, max(_rejected_at) AS at, (SELECT count(DISTINCT _task) FROM rejects) AS runs, "
                                  "(SELECT min(_rejected_at) FROM rejects) AS since FROM rejects GROUP BY _task ORDER BY max(_rejected_at) DESC, task DESC", 1));
  RunOptions options;
  options.limits = workspace.Limits();
  options.cancel = &cancel;
  return RunCompute(workspace.engine, std::move(job), options, nullptr);
}

/// What each raw object was called at its source.
Result<std::map<std::string, std::string>> OriginsOf(const Workspace& workspace, const Node& node) {
  std::map<std::string, std::string> origins;
  if (node.kind != Node::Kind::kStream) return origins;
  const Table table = workspace.TableOf(node.table);
  TRY_ASSIGN(const auto newest, LatestOrNone(table));
  if (!newest) return origins;
  TRY_ASSIGN(const auto history, table.History(-1, newest->version));
  for (const CommitRecord& commit : history) {
    for (const RawObject& object : commit.raw) origins[object.key] = object.origin;
  }
  return origins;
}

void AddOrigins(const std::map<std::string, std::string>& origins, Json& rows) {
  for (Json& row : rows) {
    const auto origin = origins.find(JsonString(row, "file", ""));
    row["origin"] = origin == origins.end() ? Json(nullptr) : Json(origin->second);
  }
}

/// The engine's times as those of every document.
void TimesAsTold(Json& rows) {
  for (Json& row : rows) {
    for (const char* member : {"since", "latest", "at"}) {
      const auto time = ParseTimestamp(JsonString(row, member, ""));
      if (time) row[member] = FormatTimestampMs(*time);
    }
  }
}

/// "b.csv, row 3"; of a model's row "".
std::string PlaceOf(const Json& row) {
  const std::string name = JsonString(row, "origin", JsonString(row, "file", ""));
  return name.empty() ? "" : fmt::format("{}, row {}", name, JsonInt(row, "row", 0));
}

std::string Minute(const Json& row, const char* member) {
  const auto time = ParseTimestamp(JsonString(row, member, ""));
  return time ? LocalTime(*time) : JsonString(row, member, "");
}

Cell TextOf(const Json& row, const char* member) {
  if (!row.contains(member) || row[member].is_null()) return std::nullopt;
  return JsonString(row, member, "");
}

void PrintReport(const Console& console, const std::string& table, const Json& document) {
  const Json& last = document["last_run"];
  console.Line(fmt::format("{} of {} rejected since {}, by {}; the last of them, {} at {}, rejected {}", Counted(JsonInt(document, "rows", 0), "row"), table,
                           Minute(document, "since"), Counted(JsonInt(document, "runs", 0), "run"), JsonString(last, "run", ""), Minute(last, "at"),
                           Grouped(JsonInt(last, "rows", 0))));
  TextTable reasons;
  reasons.columns = {{"rows", true}, {"reason", false}, {"column", false}, {"since", false}, {"latest", false}, {"for example", false}, {"value", false}};
  for (const Json& row : document["reasons"]) {
    reasons.rows.push_back({Grouped(JsonInt(row, "rows", 0)), TextOf(row, "reason"), TextOf(row, "column").value_or(""), Minute(row, "since"), Minute(row, "latest"),
                            PlaceOf(row), TextOf(row, "value").value_or("")});
  }
  const auto width = static_cast<std::size_t>(console.width());
  console.Line("");
  console.Write(FormatTable(reasons, TextLayout{"  ", 48, width}));
  TextTable examples;
  examples.columns = {{"the newest", false}, {"column", false}, {"value", false}, {"reason", false}, {"run", false}};
  for (const Json& row : document["examples"]) {
    const std::string task = JsonString(row, "task", "");
    examples.rows.push_back({PlaceOf(row), TextOf(row, "column").value_or(""), TextOf(row, "value").value_or(""), TextOf(row, "reason"), task.substr(0, task.find('/'))});
  }
  console.Line("");
  console.Write(FormatTable(examples, TextLayout{"  ", 48, width}));
  console.Line("");
  console.Line("whole rows: caudal sql \"FROM " + table + "__rejects LIMIT 20\"");
  console.Line("next: " + JsonString(document, "next", ""));
}

}  // namespace

Result<int> ShowRejects(const Command& command, const Workspace& workspace, const std::string& table, const CancelFlag& cancel) {
  const Console& console = command.console;
  TRY_ASSIGN(const Node* node, FindTable(workspace.project, table));
  TRY_ASSIGN(const auto snapshot, LatestOrNone(workspace.TableOf(node->table).Rejects()));
  Json document{{"table", node->table}, {"rows", 0}, {"runs", 0}, {"since", nullptr}, {"last_run", nullptr}, {"reasons", Json::array()}, {"examples", Json::array()}, {"next", ""}};
  if (!snapshot || snapshot->rows() == 0) {
    if (console.json()) console.Document(document);
    if (!console.json()) console.Line(snapshot ? "no row of " + node->table + " is rejected any more" : "no row of " + node->table + " was ever rejected");
    return kExitOk;
  }
  TRY_ASSIGN(const ComputeResult result, Ask(workspace, node->table, *snapshot, cancel));
  TRY_ASSIGN(const auto origins, OriginsOf(workspace, *node));
  document["rows"] = snapshot->rows();
  document["reasons"] = RowsDocument(result.Find("reasons")->rows);
  document["examples"] = RowsDocument(result.Find("examples")->rows);
  AddOrigins(origins, document["reasons"]);
  AddOrigins(origins, document["examples"]);
  Json runs = RowsDocument(result.Find("runs")->rows);
  for (Json* rows : {&document["reasons"], &document["examples"], &runs}) TimesAsTold(*rows);
  const std::string task = JsonString(runs.at(0), "task", "");
  document["runs"] = runs.at(0).at("runs");
  document["since"] = runs.at(0).at("since");
  document["last_run"] = {{"run", task.substr(0, task.find('/'))}, {"at", runs.at(0).at("at")}, {"rows", runs.at(0).at("rows")}};
  const std::string again = node->kind == Node::Kind::kStream ? "`caudal retry --rejects " + node->table + "`" : "`caudal run -s " + node->table + " --full-refresh`";
  document["next"] = "mend the type, the check or the contract in " + node->path + ", then " + again;
  if (console.json()) {
    console.Document(document);
  } else {
    PrintReport(console, node->table, document);
  }
  return kExitOk;
}

}  // namespace caudal
