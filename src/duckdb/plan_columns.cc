#include "duckdb/plan_columns.h"

#include <algorithm>

#include "base/json.h"

namespace caudal {

void Unite(std::vector<ColumnOrigin>& into, const std::vector<ColumnOrigin>& from) {
  into.insert(into.end(), from.begin(), from.end());
  std::sort(into.begin(), into.end());
  into.erase(std::unique(into.begin(), into.end()), into.end());
}

PartitionProof Both(const PartitionProof& a, const PartitionProof& b) {
  PartitionProof both = a;
  both.whole.insert(b.whole.begin(), b.whole.end());
  for (const auto& [table, column] : b.inputs) {
    const auto [at, fresh] = both.inputs.emplace(table, column);
    if (!fresh && at->second != column) both.whole.insert(table);
  }
  for (const std::string& table : both.whole) both.inputs.erase(table);
  return both;
}

PartitionProof WithWhole(const PartitionProof& proof, const std::set<std::string>& tables) {
  return Both(proof, PartitionProof{{}, tables});
}

void Lose(ColumnFacts& column, const std::string& why) {
  if (!column.proof) return;
  column.proof.reset();
  column.lost = why;
}

void LoseAll(Columns& columns, const std::string& why) {
  for (ColumnFacts& column : columns) Lose(column, why);
}

const Json& Member(const Json& node, const char* name) {
  static const Json kNothing;
  const auto found = node.find(name);
  return found == node.end() ? kNothing : *found;
}

std::optional<std::size_t> RefOf(const Json& expression) {
  if (!expression.is_object() || JsonString(expression, "expression_class", "") != "BOUND_REF") return std::nullopt;
  const long long index = JsonInt(expression, "index", -1);
  if (index < 0) return std::nullopt;
  return static_cast<std::size_t>(index);
}

// Every column of `from` that the expression mentions. The lambda of a function counts its own columns, so it is left
// out: what it captures is among the function's children.
void Mentioned(const Json& expression, const Columns& from, std::vector<ColumnOrigin>& origins) {
  if (expression.is_array()) {
    for (const Json& each : expression) Mentioned(each, from, origins);
    return;
  }
  if (!expression.is_object()) return;
  if (const auto index = RefOf(expression)) {
    if (*index < from.size()) Unite(origins, from[*index].origins);
    return;
  }
  if (const Json& binding = Member(expression, "binding"); binding.is_object()) {
    const long long index = JsonInt(binding, "column_index", -1);
    if (index >= 0 && static_cast<std::size_t>(index) < from.size()) {
      Unite(origins, from[static_cast<std::size_t>(index)].origins);
    }
  }
  for (const auto& [key, value] : expression.items()) {
    if (key != "function_data") Mentioned(value, from, origins);
  }
}

ColumnFacts Derived(const Json& expression, const Columns& from) {
  if (const auto index = RefOf(expression); index && *index < from.size()) return from[*index];
  ColumnFacts column;
  Mentioned(expression, from, column.origins);
  column.lost = column.origins.empty() ? "it is a constant, not a column of an input"
                                       : "it is computed, not taken unchanged from an input's column";
  return column;
}

ColumnFacts Aggregated(const Json& expression, const Columns& from, const char* lost) {
  ColumnFacts column;
  Mentioned(expression, from, column.origins);
  column.lost = lost;
  return column;
}

Columns Picked(const Columns& columns, const Json& map) {
  if (!map.is_array() || map.empty()) return columns;
  Columns picked;
  for (const Json& index : map) {
    const std::size_t at = index.is_number_unsigned() ? index.get<std::size_t>() : columns.size();
    picked.push_back(at < columns.size() ? columns[at] : ColumnFacts{});
  }
  return picked;
}

std::set<std::size_t> Refs(const Json& expressions) {
  std::set<std::size_t> refs;
  if (!expressions.is_array()) return refs;
  for (const Json& each : expressions) {
    if (const auto index = RefOf(each)) refs.insert(*index);
  }
  return refs;
}

std::size_t CountOf(const Json& list) { return list.is_array() ? list.size() : 0; }

}  // namespace caudal
