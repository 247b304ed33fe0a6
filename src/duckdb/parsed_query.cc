#include "duckdb/parsed_query.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "base/json.h"

namespace caudal {
namespace {

void CollectCtes(const Json& node, std::set<std::string>& names) {
  if (node.is_object()) {
    const auto map = node.find("cte_map");
    if (map != node.end() && map->is_object() && map->contains("map")) {
      for (const Json& entry : map->at("map")) names.insert(JsonString(entry, "key", ""));
    }
  }
  if (node.is_structured()) {
    for (const Json& child : node) CollectCtes(child, names);
  }
}

void CollectTables(const Json& node, const std::set<std::string>& ctes, std::vector<NamedTable>& tables) {
  if (node.is_object() && JsonString(node, "type", "") == "BASE_TABLE") {
    NamedTable table{JsonString(node, "schema_name", ""), JsonString(node, "table_name", "")};
    const bool seen = std::any_of(tables.begin(), tables.end(), [&](const NamedTable& each) {
      return each.schema == table.schema && each.name == table.name;
    });
    if (!seen && !(table.schema.empty() && ctes.contains(table.name))) tables.push_back(std::move(table));
  }
  if (node.is_structured()) {
    for (const Json& child : node) CollectTables(child, ctes, tables);
  }
}

/// SHOW TABLES and its kin; DESCRIBE and SHOW of one table are queries like others.
bool ListsTables(const Json& node) {
  if (node.is_object() && JsonString(node, "type", "") == "SHOW_REF") {
    const auto query = node.find("query");
    return query == node.end() || query->is_null();
  }
  return node.is_structured() && std::any_of(node.begin(), node.end(), ListsTables);
}

std::vector<std::string> SplitNames(const std::string& text) {
  std::vector<std::string> names;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    std::string name = text.substr(at, comma - at);
    while (name.starts_with(' ')) name.erase(0, 1);
    if (!name.empty()) names.push_back(std::move(name));
    at = comma + 1;
  }
  return names;
}

}  // namespace

SqlProblem ProblemOf(const Json& document) {
  SqlProblem problem;
  problem.kind = JsonString(document, "error_type", "unknown");
  problem.message = JsonString(document, "error_message", "the query cannot be understood");
  problem.candidates = SplitNames(JsonString(document, "candidates", ""));
  const std::string position = JsonString(document, "position", "");
  std::int64_t at = 0;
  if (std::from_chars(position.data(), position.data() + position.size(), at).ec == std::errc() && !position.empty()) {
    problem.position = at;
  }
  return problem;
}

Result<ParsedQuery> ParseQuery(Connection& connection, const std::string& sql) {
  TRY_ASSIGN(const std::string text, connection.QueryText("SELECT json_serialize_sql(" + QuoteLiteral(sql) + ")"));
  TRY_ASSIGN(const Json document, ParseJson(text, "parsed query"));
  ParsedQuery parsed;
  if (JsonBool(document, "error", true)) {
    parsed.problem = ProblemOf(document);
    if (parsed.problem->kind == "not implemented") {
      parsed.problem->kind = "not a select";
      parsed.problem->message =
          "only a SELECT is accepted here (PIVOT and UNPIVOT as statements are not one: use them in FROM)";
    }
    return parsed;
  }
  const Json statements = document.value("statements", Json::array());
  if (statements.size() != 1) {
    parsed.problem = SqlProblem{"not a select",
                                statements.empty()
                                    ? "there is no statement, one SELECT is needed"
                                    : fmt::format("one SELECT is accepted here, not {} statements", statements.size()),
                                std::nullopt,
                                {}};
    return parsed;
  }
  if (ListsTables(statements[0])) {
    parsed.problem = SqlProblem{"show", "SHOW lists what the engine holds, which is none of the project's tables", std::nullopt, {}};
    return parsed;
  }
  std::set<std::string> ctes;
  CollectCtes(statements[0], ctes);
  CollectTables(statements[0], ctes, parsed.tables);
  return parsed;
}

}  // namespace caudal
