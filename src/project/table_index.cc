#include "project/table_index.h"

#include <utility>

#include "data/name.h"

namespace caudal {
namespace {

std::optional<Schema> PublishedColumns(const StreamConfig& stream, const std::string& table,
                                       const std::map<std::string, Schema>& published) {
  auto it = published.find(table);
  if (it == published.end() || it->second.fields.empty()) return std::nullopt;
  Schema schema = it->second;
  for (const ColumnConfig& column : stream.columns) {
    if (!column.type) continue;
    bool found = false;
    for (Field& field : schema.fields) {
      if (!SameName(field.name, column.name)) continue;
      field.type = *column.type;
      found = true;
    }
    // The next load adds it.
    if (!found) schema.fields.push_back(Field{column.name, *column.type, 0});
  }
  return schema;
}

void Declare(TableIndex& index, const std::string& table, TableIndex::Entry entry, ProblemList& problems) {
  Place place = entry.place;
  auto [it, fresh] = index.tables.emplace(table, std::move(entry));
  if (!fresh) {
    problems.Add(place, "the table " + table + " is made twice (also by " + it->second.place.ToString() + ")",
                 "rename one of them");
  }
}

}  // namespace

const TableIndex::Entry* TableIndex::Find(const std::string& table) const {
  auto it = tables.find(table);
  return it == tables.end() ? nullptr : &it->second;
}

std::vector<std::string> TableIndex::Names() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : tables) names.push_back(name);
  return names;
}

bool TableIndex::MayExist(const std::string& table) const {
  return open_schemas.contains(kAnySchema) || open_schemas.contains(table.substr(0, table.find('.')));
}

void DeclareStream(TableIndex& index, const std::string& table, std::size_t s, std::size_t t, const StreamConfig& stream,
                   const std::map<std::string, Schema>& published, ProblemList& problems) {
  TableIndex::Entry entry;
  entry.source = s;
  entry.stream = t;
  entry.place = stream.place;
  entry.columns = PublishedColumns(stream, table, published);
  Declare(index, table, std::move(entry), problems);
}

TableIndex IndexTables(const Project& project, const std::map<std::string, Schema>& published,
                       std::set<std::string> open_schemas, ProblemList& problems) {
  TableIndex index;
  index.open_schemas = std::move(open_schemas);
  for (std::size_t s = 0; s < project.sources.size(); ++s) {
    const SourceConfig& source = project.sources[s];
    for (std::size_t t = 0; t < source.streams.size(); ++t) {
      DeclareStream(index, source.name + "." + source.streams[t].name, s, t, source.streams[t], published, problems);
    }
  }
  for (std::size_t m = 0; m < project.models.size(); ++m) {
    TableIndex::Entry entry;
    entry.kind = Node::Kind::kModel;
    entry.model = m;
    entry.place = project.models[m].place;
    Declare(index, project.models[m].table(), std::move(entry), problems);
  }
  return index;
}

std::vector<std::string> ColumnNames(const Schema& schema) {
  std::vector<std::string> names;
  for (const Field& field : schema.fields) names.push_back(field.name);
  return names;
}

}  // namespace caudal
