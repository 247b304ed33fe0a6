// `show`: what stands in the lake. All tables in one list, or everything about one.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "app/exit_code.h"
#include "app/interrupt.h"
#include "app/table_print.h"
#include "app/verbs.h"
#include "base/json.h"
#include "flow/drift.h"
#include "flow/inspect.h"
#include "serve/table_document.h"
#include "state/history_store.h"

namespace caudal {
namespace {

std::string VerdictsInShort(const std::vector<CheckRecord>& verdicts) {
  std::int64_t pass = 0, fail = 0, other = 0;
  for (const CheckRecord& check : verdicts) ++(check.verdict == "pass" ? pass : check.verdict == "fail" ? fail : other);
  std::vector<std::string> parts;
  if (pass > 0) parts.push_back(fmt::format("{} pass", pass));
  if (other > 0) parts.push_back(fmt::format("{} warn", other));
  if (fail > 0) parts.push_back(fmt::format("{} fail", fail));
  return Joined(parts, 3);
}

/// "order_date: 2010-12-01 to 2010-12-23".
std::string PartitionRange(const Snapshot& snapshot) {
  std::vector<std::string> parts;
  for (const std::string& column : snapshot.partition_columns) {
    std::vector<std::string> values;
    for (const LiveFile& file : snapshot.files) {
      const auto it = file.partition.find(column);
      if (it != file.partition.end()) values.push_back(it->second.value_or("NULL"));
    }
    if (values.empty()) continue;
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    parts.push_back(*least == *most ? column + "=" + *least : column + ": " + *least + " to " + *most);
  }
  return Joined(parts, parts.size());
}

/// Table -> bytes of its rows as CSV; empty where nobody asked.
Result<std::map<std::string, std::int64_t>> CsvBytes(const Workspace& workspace, bool asked, const CancelFlag& cancel) {
  std::map<std::string, std::int64_t> bytes;
  if (!asked) return bytes;
  TRY_ASSIGN(const std::vector<TableSize> sizes, MeasureTables(workspace, true, &cancel));
  for (const TableSize& size : sizes) bytes[size.table] = size.csv_bytes;
  return bytes;
}

/// "43 %"; "-" where CSV would be smaller: a file's own words outweigh a handful of rows.
std::string Saved(std::int64_t bytes, std::int64_t csv_bytes) {
  if (csv_bytes <= bytes) return "-";
  return fmt::format("{:.0f} %", 100.0 - 100.0 * static_cast<double>(bytes) / static_cast<double>(csv_bytes));
}

Result<int> ShowAll(const Command& command, const Workspace& workspace, bool with_sizes, const CancelFlag& cancel) {
  TRY_ASSIGN(auto csv_bytes, CsvBytes(workspace, with_sizes, cancel));
  TextTable table;
  table.columns = {{"table", false}, {"kind", false}, {"rows", true}, {"size", true}};
  if (with_sizes) table.columns.insert(table.columns.end(), {{"as CSV", true}, {"saved", true}});
  table.columns.insert(table.columns.end(), {{"files", true}, {"partitions", true}, {"version", true},
                                             {"updated", false}, {"checks", false}});
  Json document{{"tables", Json::array()}};
  std::int64_t bytes = 0, csv_total = 0;
  for (const Node& node : workspace.project.nodes) {
    TRY_ASSIGN(const auto snapshot, LatestOrNone(workspace.TableOf(node.table)));
    TRY_ASSIGN(const auto verdicts, workspace.state.history().LastVerdicts(node.table));
    document["tables"].push_back(TableDocument(workspace.project, node, FactsOf(snapshot.get()), verdicts));
    const std::string kind(KindOfNode(workspace.project, node));
    std::vector<Cell> row{node.table, kind};
    if (snapshot) {
      bytes += snapshot->size_bytes();
      row.insert(row.end(), {Grouped(snapshot->rows()), SizeText(snapshot->size_bytes())});
      if (with_sizes) {
        const std::int64_t csv = csv_bytes[node.table];
        csv_total += csv;
        document["tables"].back()["csv_bytes"] = csv;
        row.insert(row.end(), {SizeText(csv), Saved(snapshot->size_bytes(), csv)});
      }
      row.insert(row.end(), {Grouped(static_cast<std::int64_t>(snapshot->files.size())),
                             snapshot->partition_columns.empty() ? "" : Grouped(PartitionCount(*snapshot)),
                             fmt::format("{}", snapshot->version), LocalTime(snapshot->time), VerdictsInShort(verdicts)});
    } else {
      row.resize(table.columns.size() - 2, "");
      row.insert(row.end(), {kind == "view" ? "" : "not published yet", VerdictsInShort(verdicts)});
    }
    table.rows.push_back(std::move(row));
  }
  if (command.console.json()) {
    command.console.Document(document);
    return kExitOk;
  }
  command.console.Write(FormatTable(table, TextLayout{"", 60, static_cast<std::size_t>(command.console.width())}));
  std::string total = Counted(static_cast<std::int64_t>(workspace.project.nodes.size()), "table") + ", " + SizeText(bytes);
  if (with_sizes) total += ", as CSV " + SizeText(csv_total) + ": " + (csv_total > bytes ? Saved(bytes, csv_total) : "nothing") + " saved";
  command.console.Line(total);
  return kExitOk;
}

void PrintHead(const Console& console, const Workspace& workspace, const Node& node, const Snapshot* snapshot) {
  const Project& project = workspace.project;
  const bool stream = node.kind == Node::Kind::kStream;
  const std::string description = stream ? project.stream(node).description : project.model(node).description;
  std::string owner = stream ? project.source(node).owner : project.model(node).owner;
  if (owner.empty()) owner = project.owner;
  const auto line = [&](const char* name, const std::string& text) {
    if (!text.empty()) console.Line(fmt::format("  {:<12}{}", name, text));
  };
  console.Line(console.Paint(Color::kBold, node.table) + (description.empty() ? "" : "  " + description));
  line("kind", std::string(KindOfNode(project, node)));
  line("file", node.path);
  line("owner", owner);
  line("reads", Joined(node.upstream, 12));
  line("feeds", Joined(node.downstream, 12));
  if (snapshot == nullptr) {
    const bool view = !stream && project.model(node).materialize == Materialize::kView;
    line("state", view ? "a view: computed when it is read" : "not published yet: `caudal run -s +" + node.table + "`");
    return;
  }
  line("version", fmt::format("{} of {}", snapshot->version, LocalTime(snapshot->time)));
  line("rows", Grouped(snapshot->rows()));
  line("size", SizeText(snapshot->size_bytes()) + " in " +
                   Counted(static_cast<std::int64_t>(snapshot->files.size()), "file"));
  if (!snapshot->partition_columns.empty()) {
    line("partitions", Grouped(PartitionCount(*snapshot)) + "  " + PartitionRange(*snapshot));
  }
  line("key", Joined(snapshot->key, 12));
  for (const auto& [name, value] : snapshot->domains) {
    if (name.rfind("cursor", 0) == 0) line(name.c_str(), value.size() > 160 ? value.substr(0, 160) + "..." : value);
  }
  line("folder", workspace.RootOf(node.table));
}

void PrintColumns(const Console& console, const Project& project, const Node& node, const Schema& schema) {
  if (schema.fields.empty()) return;
  TextTable table;
  table.columns = {{"column", false}, {"type", false}, {"description", false}};
  for (const Field& field : schema.fields) {
    table.rows.push_back({field.name, field.type.ToSql(), DescriptionOf(project, node, field.name)});
  }
  console.Line("");
  console.Write(FormatTable(table, TextLayout{"  ", 60, static_cast<std::size_t>(console.width())}));
}

void PrintVerdicts(const Console& console, const std::vector<CheckRecord>& verdicts) {
  if (verdicts.empty()) return;
  TextTable table;
  table.columns = {{"check", false}, {"verdict", false}, {"failing", true}, {"observed", false}, {"at", false}};
  for (const CheckRecord& check : verdicts) {
    table.rows.push_back({check.check, check.verdict, Grouped(check.failing_rows), check.observed, LocalTime(check.at)});
  }
  console.Line("");
  console.Write(FormatTable(table, TextLayout{"  ", 60, static_cast<std::size_t>(console.width())}));
}

void PrintRows(const Console& console, const Rows& rows) {
  console.Line("");
  console.Write(FormatTable(TextTableOf(rows), TextLayout{"  ", 40, static_cast<std::size_t>(console.width())}));
}

Json ContractDocument(const SchemaContract& contract) {
  return {{"tables", ContractModeName(contract.tables)}, {"columns", ContractModeName(contract.columns)}, {"data_type", ContractModeName(contract.data_type)}};
}

Result<int> ShowOne(const Command& command, const Workspace& workspace, const ShowOptions& options,
                    const CancelFlag& cancel) {
  const Console& console = command.console;
  TRY_ASSIGN(const Node* node, FindTable(workspace.project, options.table));
  TRY_ASSIGN(const auto snapshot, LatestOrNone(workspace.TableOf(node->table)));
  TRY_ASSIGN(const auto verdicts, workspace.state.history().LastVerdicts(node->table));
  TRY_ASSIGN(const auto rejects, LatestOrNone(workspace.TableOf(node->table).Rejects()));
  const Schema schema = SchemaOf(workspace.project, *node, snapshot.get());
  std::optional<Rows> rows;
  if (options.rows > 0) {
    const auto [folder, name] = SplitTable(node->table);
    TRY_ASSIGN(rows, QueryTables(workspace, "SELECT * FROM " + QuoteTable(folder, name), options.rows, &cancel));
  }
  const std::int64_t rejected = rejects ? rejects->rows() : 0;
  const std::vector<Drift> drift = snapshot ? RememberedDrift(snapshot->domains) : std::vector<Drift>();
  if (console.json()) {
    Json document = TableDocument(workspace.project, *node, FactsOf(snapshot.get()), verdicts);
    document["columns"] = ColumnsDocument(schema);
    document["rejected_rows"] = rejected;
    document["drift"] = DriftToJson(drift);
    if (node->kind == Node::Kind::kStream) document["schema_contract"] = ContractDocument(workspace.project.stream(*node).contract);
    document["upstream"] = node->upstream;
    document["downstream"] = node->downstream;
    if (snapshot) {
      document["key"] = snapshot->key;
      document["partition_by"] = snapshot->partition_columns;
      document["cursor"] = snapshot->domains.contains("cursor") ? Json(snapshot->domains.at("cursor")) : Json(nullptr);
      document["folder"] = workspace.RootOf(node->table);
    }
    if (rows) document["sample"] = RowsDocument(*rows);
    console.Document(document);
    return kExitOk;
  }
  PrintHead(console, workspace, *node, snapshot.get());
  for (const Drift& one : drift) {
    console.Line(fmt::format("  {:<12}{}  {}", &one == drift.data() ? "drift" : "", LocalTime(one.since), DriftInWords(one)));
  }
  if (rejected > 0) {
    console.Line(fmt::format("  {:<12}{}: `caudal show {} --rejects`", "rejected", Counted(rejected, "row"), node->table));
  }
  PrintColumns(console, workspace.project, *node, schema);
  PrintVerdicts(console, verdicts);
  if (rows) PrintRows(console, *rows);
  return kExitOk;
}

}  // namespace

Result<int> ShowVerb(const Command& command, const ShowOptions& options) {
  const CancelFlag& cancel = CatchInterrupts();
  TRY_ASSIGN(auto session, Session::Open(command.global));
  TRY_ASSIGN(const Workspace* workspace, session->OpenWorkspace());
  if (options.table.empty()) return ShowAll(command, *workspace, options.sizes, cancel);
  if (options.rejects) return ShowRejects(command, *workspace, options.table, cancel);
  return ShowOne(command, *workspace, options, cancel);
}

}  // namespace caudal
