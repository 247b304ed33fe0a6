#include "duckdb/analyze.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "base/json.h"
#include "duckdb/parsed_query.h"
#include "duckdb/plan_facts.h"
#include "duckdb/sql_text.h"

namespace caudal {
namespace {

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

std::string CreateTable(std::string_view schema, std::string_view name, const Schema& columns) {
  std::string list;
  for (const Field& field : columns.fields) {
    list += fmt::format("{}{} {}", list.empty() ? "" : ", ", QuoteIdentifier(field.name), field.type.ToSql());
  }
  return fmt::format("CREATE SCHEMA IF NOT EXISTS {}; CREATE OR REPLACE TABLE {} ({})", QuoteIdentifier(schema),
                     QuoteTable(schema, name), list);
}

void Prove(Analysis& analysis, const std::string& partition_by, const std::vector<ColumnFacts>& facts) {
  if (partition_by.empty()) return;
  for (std::size_t i = 0; i < analysis.columns.size(); ++i) {
    if (Lower(analysis.columns[i].field.name) != Lower(partition_by)) continue;
    const ColumnFacts& column = facts[i];
    if (!column.proof) {
      analysis.partition_reason = fmt::format("partition column {}: {}", partition_by,
                                              column.lost.empty() ? "its origin is not understood" : column.lost);
    } else if (column.proof->inputs.empty()) {
      std::string whole;
      for (const std::string& table : column.proof->whole) whole += (whole.empty() ? "" : ", ") + table;
      analysis.partition_reason =
          fmt::format("partition column {}: its table is also read across partitions ({})", partition_by, whole);
    } else {
      analysis.partition_wise = true;
      analysis.partition_inputs = column.proof->inputs;
    }
    return;
  }
  analysis.partition_reason = "the result has no column " + partition_by;
}

class Analyzer {
 public:
  Analyzer(Connection& connection, const AnalyzeJob& job) : x_connection(connection), x_job(job) {}

  Result<AnalyzeResult> Run() {
    for (const CatalogTable& table : x_job.tables) {
      x_known[Lower(table.schema + "." + table.name)] = table.schema + "." + table.name;
      x_published.insert(Lower(table.schema + "." + table.name));
      if (!table.columns.fields.empty()) TRY(x_connection.Run(CreateTable(table.schema, table.name, table.columns)));
    }
    x_result.queries.resize(x_job.queries.size());
    for (std::size_t i = 0; i < x_job.queries.size(); ++i) {
      x_result.queries[i].name = x_job.queries[i].name;
      x_known.emplace(Lower(x_job.queries[i].name), x_job.queries[i].name);
      x_by_name.emplace(Lower(x_job.queries[i].name), i);
      TRY(Parse(i));
    }
    x_states.assign(x_job.queries.size(), State::kNew);
    for (std::size_t i = 0; i < x_job.queries.size(); ++i) TRY(Visit(i));
    return std::move(x_result);
  }

 private:
  enum class State { kNew, kActive, kDone };

  Status Parse(std::size_t index) {
    TRY_ASSIGN(ParsedQuery parsed, ParseQuery(x_connection, x_job.queries[index].sql));
    Analysis& analysis = x_result.queries[index];
    analysis.problem = std::move(parsed.problem);
    for (const NamedTable& table : parsed.tables) {
      analysis.tables.push_back(table.schema.empty() ? table.name : table.schema + "." + table.name);
    }
    return {};
  }

  // Names as the catalog spells them, once every table and query is known.
  void Spell(Analysis& analysis) const {
    std::vector<std::string> spelled;
    for (const std::string& name : analysis.tables) {
      const auto found = x_known.find(Lower(name));
      const std::string& right = found == x_known.end() ? name : found->second;
      if (std::find(spelled.begin(), spelled.end(), right) == spelled.end()) spelled.push_back(right);
    }
    analysis.tables = std::move(spelled);
  }

  // Depth first, so that what a query names is bound before it.
  Status Visit(std::size_t index) {
    if (x_states[index] != State::kNew) return {};
    x_states[index] = State::kActive;
    x_path.push_back(index);
    Analysis& analysis = x_result.queries[index];
    Spell(analysis);
    for (const std::string& table : analysis.tables) {
      const auto found = x_by_name.find(Lower(table));
      if (found == x_by_name.end()) continue;
      const std::size_t other = found->second;
      if (other == index && x_published.contains(Lower(table))) continue;  // what it published before
      if (x_states[other] == State::kActive) {
        ReportCycle(other);
        continue;
      }
      TRY(Visit(other));
      if (x_result.queries[other].problem && !analysis.problem) {
        analysis.problem =
            SqlProblem{"upstream", fmt::format("{}, which it reads, has a problem of its own", table), {}, {}};
      }
    }
    if (!analysis.problem) TRY(Bind(index));
    x_path.pop_back();
    x_states[index] = State::kDone;
    return {};
  }

  void ReportCycle(std::size_t from) {
    const auto start = std::find(x_path.begin(), x_path.end(), from);
    std::string way;
    for (auto at = start; at != x_path.end(); ++at) way += x_result.queries[*at].name + " -> ";
    way += x_result.queries[from].name;
    for (auto at = start; at != x_path.end(); ++at) {
      x_result.queries[*at].problem = SqlProblem{"cycle", "queries read one another in a circle: " + way, {}, {}};
    }
  }

  Status Bind(std::size_t index) {
    const AnalyzeQuery& query = x_job.queries[index];
    Analysis& analysis = x_result.queries[index];
    TRY_ASSIGN(const std::string text, x_connection.QueryText("SELECT json_serialize_plan(" + QuoteLiteral(query.sql) +
                                                              ", optimize := false)"));
    TRY_ASSIGN(const Json document, ParseJson(text, "query plan"));
    // An internal error is the planner's: what binds has types, and proves nothing.
    const bool planned = !JsonBool(document, "error", true);
    if (!planned && JsonString(document, "error_type", "") != "internal") {
      analysis.problem = ProblemOf(document);
      return {};
    }
    const auto shape = x_connection.Describe(query.sql);
    if (!shape) {
      analysis.problem = SqlProblem{"binder", shape.error().message, {}, {}};
      return {};
    }
    if (!shape->untyped.empty()) {
      const std::string& name = shape->untyped.front();
      analysis.problem = SqlProblem{
          "parameter",
          fmt::format("the type of ${} is not clear from its place: write ${}::VARCHAR, or another type", name, name),
          {},
          {}};
      return {};
    }
    const Json plans = document.value("plans", Json::array());
    Fill(analysis, *shape, plans.empty() ? RelationFacts{} : FactsOf(plans[0]), query);
    return Publish(analysis, query);
  }

  static void Fill(Analysis& analysis, const Connection::Shape& shape, const RelationFacts& relation,
                   const AnalyzeQuery& query) {
    std::vector<ColumnFacts> facts = relation.columns;
    facts.resize(std::max(facts.size(), shape.columns.fields.size()));
    for (std::size_t i = 0; i < shape.columns.fields.size(); ++i) {
      analysis.columns.push_back(OutputColumn{shape.columns.fields[i], facts[i].origins, facts[i].straight});
    }
    analysis.parameters = shape.parameters;
    analysis.row_wise = relation.row_wise && relation.tables.size() == 1;
    analysis.keeps_every_row = analysis.row_wise && relation.keeps_every_row;
    Prove(analysis, query.partition_by, facts);
  }

  // For later queries; a query whose name has no schema is nobody's input.
  Status Publish(const Analysis& analysis, const AnalyzeQuery& query) {
    const std::size_t dot = analysis.name.find('.');
    if (dot == std::string::npos) return {};
    if (query.is_view && analysis.parameters.empty()) {  // DuckDB has no view with parameters
      const std::string schema = analysis.name.substr(0, dot);
      return x_connection.Run(fmt::format("CREATE SCHEMA IF NOT EXISTS {}; CREATE OR REPLACE VIEW {} AS\n{}",
                                          QuoteIdentifier(schema), QuoteTable(schema, analysis.name.substr(dot + 1)),
                                          SelectBody(query.sql)));
    }
    // Two columns of one name are the caller's to report; the first is the one that a reader can name.
    Schema columns;
    for (const OutputColumn& column : analysis.columns) {
      if (columns.Find(column.field.name) == nullptr) columns.fields.push_back(column.field);
    }
    return x_connection.Run(CreateTable(analysis.name.substr(0, dot), analysis.name.substr(dot + 1), columns));
  }

  Connection& x_connection;
  const AnalyzeJob& x_job;
  AnalyzeResult x_result;
  std::map<std::string, std::string> x_known;    // lower case -> as spelled
  std::map<std::string, std::size_t> x_by_name;  // lower case -> query
  std::set<std::string> x_published;
  std::vector<State> x_states;
  std::vector<std::size_t> x_path;
};

}  // namespace

Result<AnalyzeResult> RunAnalyzeJob(Connection& connection, const AnalyzeJob& job) {
  // Nothing is read: the fence closes everything.
  TRY(connection.Fence({}, {}));
  return Analyzer(connection, job).Run();
}

}  // namespace caudal
