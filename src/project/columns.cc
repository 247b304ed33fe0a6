#include "project/columns.h"

#include <utility>

#include "data/name.h"
#include "project/check_parse.h"

namespace caudal {
namespace {

std::optional<Type> TypeOf(const YamlNode& node, ColumnTypes types, const FileContext& file) {
  if (types == ColumnTypes::kRefused) {
    file.Add(node, "'type' is given by the SELECT", "cast the column there");
    return std::nullopt;
  }
  std::optional<std::string> text = TextOf(node, "type", file);
  if (!text) return std::nullopt;
  Result<Type> type = ParseType(*text);
  if (type) return *type;
  file.Add(node, type.error().message, type.error().next);
  return std::nullopt;
}

}  // namespace

std::vector<ColumnConfig> ParseColumns(const YamlNode* node, ColumnTypes types, const FileContext& file) {
  std::vector<ColumnConfig> columns;
  if (node == nullptr) return columns;
  if (!node->is_map()) {
    file.Add(*node, "'columns' should be a map of column names, not " + std::string(node->KindName()),
             "write columns: {amount: {checks: [not_null]}}");
    return columns;
  }
  for (const YamlMember& member : node->members) {
    ColumnConfig column;
    column.name = member.key;
    column.place = file.At(member);
    for (const ColumnConfig& other : columns) {
      if (SameName(other.name, column.name)) {
        file.problems->Add(column.place, "the column '" + column.name + "' is written twice (first in line " +
                                             std::to_string(other.place.line) + ")", "keep one of them");
      }
    }
    if (member.value.is_scalar()) {  // amount: DECIMAL(12,2)
      column.type = TypeOf(member.value, types, file);
    } else {
      MapReader reader(member.value, "the column '" + member.key + "'", file);
      if (const YamlNode* type = reader.Take("type")) column.type = TypeOf(*type, types, file);
      column.description = reader.Text("description", "");
      if (const YamlNode* checks = reader.Take("checks")) ParseChecks(*checks, column.name, file, column.checks);
      reader.Finish();
    }
    columns.push_back(std::move(column));
  }
  return columns;
}

}  // namespace caudal
