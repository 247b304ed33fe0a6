#include "project/bound_parameters.h"

#include <map>
#include <string>

#include "project/file_context.h"
#include "project/sql_text.h"

namespace caudal {
namespace {

std::string LiteralOf(const Parameter& parameter) {
  std::string type = parameter.type.ToSql();
  if (!parameter.value) return "CAST(NULL AS " + type + ")";
  bool plain = parameter.type.kind == TypeKind::kBigint || parameter.type.kind == TypeKind::kDouble;
  if (plain && IsNumber(*parameter.value)) return (*parameter.value)[0] == '-' ? "(" + *parameter.value + ")" : *parameter.value;
  if (parameter.type.kind == TypeKind::kVarchar) return QuoteLiteral(*parameter.value);
  return "CAST(" + QuoteLiteral(*parameter.value) + " AS " + type + ")";
}

void Bind(std::vector<CheckSpec>& checks, const std::map<std::string, std::string>& literals) {
  for (CheckSpec& check : checks) {
    if (check.name != "expression" && check.name != "sql") continue;
    std::string& sql = check.args[check.name];
    sql = ReplaceParameters(sql, literals);
  }
}

}  // namespace

void BindParameters(Project& project) {
  std::map<std::string, std::string> literals;
  for (const auto& [name, parameter] : project.parameters) literals[name] = LiteralOf(parameter);
  for (SourceConfig& source : project.sources) {
    for (StreamConfig& stream : source.streams) {
      Bind(stream.checks, literals);
      for (ColumnConfig& column : stream.columns) Bind(column.checks, literals);
    }
  }
  for (ModelConfig& model : project.models) {
    if (model.materialize == Materialize::kView) model.sql = ReplaceParameters(model.sql, literals);
    Bind(model.checks, literals);
    for (ColumnConfig& column : model.columns) Bind(column.checks, literals);
  }
}

}  // namespace caudal
