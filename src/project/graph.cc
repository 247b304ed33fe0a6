#include "project/graph.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "data/name.h"

namespace caudal {
namespace {

using Edges = std::map<std::string, std::set<std::string>>;

void AddPartners(const std::vector<CheckSpec>& checks, const std::string& table, CheckedTables& checked) {
  for (const CheckSpec& check : checks) {
    if (check.name == "relationships" && check.args.at("to") != table) checked[table].insert(check.args.at("to"));
  }
}

// Tables that `table` needs, directly or not.
std::set<std::string> Above(const std::string& table, const Edges& reads) {
  std::set<std::string> above;
  std::vector<std::string> open = {table};
  while (!open.empty()) {
    std::string here = std::move(open.back());
    open.pop_back();
    auto it = reads.find(here);
    if (it == reads.end()) continue;
    for (const std::string& next : it->second) {
      if (above.insert(next).second) open.push_back(next);
    }
  }
  return above;
}

// Names in the order in which they can be built; of those that can, the first by name.
std::vector<std::string> Ordered(const Edges& needs) {
  std::map<std::string, std::size_t> waiting;
  Edges wanted_by;
  std::set<std::string> ready;
  for (const auto& [table, inputs] : needs) {
    waiting[table] = inputs.size();
    if (inputs.empty()) ready.insert(table);
    for (const std::string& input : inputs) wanted_by[input].insert(table);
  }
  std::vector<std::string> order;
  while (!waiting.empty()) {
    // In a circle nobody is ready: the first by name goes on, so that the rest still has an order.
    std::string table = ready.empty() ? waiting.begin()->first : *ready.begin();
    ready.erase(table);
    waiting.erase(table);
    order.push_back(table);
    for (const std::string& next : wanted_by[table]) {
      auto it = waiting.find(next);
      if (it != waiting.end() && --it->second == 0) ready.insert(next);
    }
  }
  return order;
}

TableFormats FormatsOfFolder(const Project& project, const std::string& table) {
  auto own = project.schema_formats.find(table.substr(0, table.find('.')));
  return own == project.schema_formats.end() ? project.formats : own->second.formats;
}

}  // namespace

std::vector<Node> BuildNodes(const Project& project, const TableIndex& index, const CheckedTables& checked_by_sql) {
  Edges reads;
  CheckedTables checked = checked_by_sql;
  std::map<std::string, Node> nodes;
  for (const auto& [table, entry] : index.tables) {
    Node node;
    node.kind = entry.kind;
    node.table = table;
    node.source = entry.source;
    node.stream = entry.stream;
    node.model = entry.model;
    reads[table];
    if (entry.kind == Node::Kind::kModel) {
      const ModelConfig& model = project.models[entry.model];
      node.tags = model.tags;
      node.priority = model.priority;
      node.formats = model.formats.value_or(FormatsOfFolder(project, table));
      node.retention = model.retention.value_or(project.retention);
      node.path = model.file;
      for (const std::string& input : model.analysis.tables) {
        if (input != table && index.Find(input) != nullptr) reads[table].insert(input);
      }
      AddPartners(model.checks, table, checked);
      for (const ColumnConfig& column : model.columns) AddPartners(column.checks, table, checked);
    } else {
      const SourceConfig& source = project.sources[entry.source];
      const StreamConfig& stream = source.streams[entry.stream];
      node.tags = source.tags;
      node.priority = stream.priority;
      node.formats = stream.formats.value_or(FormatsOfFolder(project, table));
      node.retention = stream.retention.value_or(project.retention);
      node.path = source.place.file;
      AddPartners(stream.checks, table, checked);
      for (const ColumnConfig& column : stream.columns) AddPartners(column.checks, table, checked);
    }
    nodes[table] = std::move(node);
  }
  Edges needs = reads;
  for (const auto& [table, others] : checked) {
    for (const std::string& other : others) {
      if (index.Find(other) == nullptr || nodes.count(table) == 0) continue;
      nodes[table].checked_against.push_back(other);
      if (Above(other, needs).count(table) == 0) needs[table].insert(other);
    }
  }
  for (const auto& [table, inputs] : reads) {
    nodes[table].upstream.assign(inputs.begin(), inputs.end());
    for (const std::string& input : inputs) nodes[input].downstream.push_back(table);
  }
  std::vector<Node> ordered;
  for (const std::string& table : Ordered(needs)) ordered.push_back(std::move(nodes[table]));
  return ordered;
}

const Node* Project::Find(std::string_view table) const {
  auto it = std::find_if(nodes.begin(), nodes.end(), [&](const Node& node) { return SameName(node.table, table); });
  return it == nodes.end() ? nullptr : &*it;
}

}  // namespace caudal
