// Unit tests of models: given rows in, expected rows out, nothing of the lake is touched.
#include <algorithm>

#include "flow/inspect.h"
#include "flow/model_inputs.h"

namespace caudal {
namespace {

using NamedRows = std::vector<std::map<std::string, Cell>>;

/// SELECT of literal rows, cast to the columns of the table where they are known.
std::string RowsSql(const NamedRows& rows, const Schema& columns) {
  std::string sql;
  for (const auto& row : rows) {
    std::string list;
    for (const Field& field : columns.fields) {
      auto cell = std::find_if(row.begin(), row.end(), [&](const auto& c) { return Schema{{field}}.Find(c.first); });
      std::string value = cell == row.end() || !cell->second ? "NULL" : QuoteLiteral(*cell->second);
      list += (list.empty() ? "" : ", ") + ("CAST(" + value + " AS " + field.type.ToSql() + ") AS ") + QuoteIdentifier(field.name);
    }
    sql += (sql.empty() ? "" : " UNION ALL ") + ("SELECT " + list);
  }
  if (!sql.empty()) return sql;
  for (const Field& field : columns.fields) {
    sql += (sql.empty() ? "SELECT " : ", ") + ("CAST(NULL AS " + field.type.ToSql() + ") AS ") + QuoteIdentifier(field.name);
  }
  return sql + " WHERE false";
}

bool IsNumber(const std::string& text, std::size_t& decimals) {
  std::size_t at = text.starts_with('-') ? 1 : 0;
  std::size_t point = text.find('.');
  decimals = point == std::string::npos ? 0 : text.size() - point - 1;
  if (at == text.size() || point == at || (point != std::string::npos && decimals == 0)) return false;
  return text.find_first_not_of("0123456789", at) == point && (point == std::string::npos ||
         text.find_first_not_of("0123456789", point + 1) == std::string::npos);
}

/// The type that a column's cells look like, for a table that nobody has built yet.
Type TypeOfCells(const NamedRows& rows, const std::string& name) {
  bool numbers = true, times = true, days = true, truths = true, any = false;
  std::size_t scale = 0;
  for (const auto& row : rows) {
    auto cell = row.find(name);
    if (cell == row.end() || !cell->second) continue;
    any = true;
    std::size_t decimals = 0;
    numbers = numbers && IsNumber(*cell->second, decimals);
    scale = std::max(scale, decimals);
    times = times && ParseTimestamp(*cell->second).has_value();
    days = days && cell->second->size() == 10;
    truths = truths && (*cell->second == "true" || *cell->second == "false");
  }
  if (!any) return Type{};
  if (numbers && scale > 0) return Type{TypeKind::kDecimal, 18, static_cast<std::uint8_t>(std::min<std::size_t>(scale, 18)), {}};
  if (numbers) return Type{TypeKind::kBigint, 0, 0, {}};
  if (times) return Type{days ? TypeKind::kDate : TypeKind::kTimestamptz, 0, 0, {}};
  return Type{truths ? TypeKind::kBoolean : TypeKind::kVarchar, 0, 0, {}};
}

/// The table's columns: as published, as its model gives them, or, for a table never seen, what the given cells look like.
Result<Schema> ColumnsOfGiven(const Workspace& workspace, const std::string& table, const NamedRows& rows) {
  TRY_ASSIGN(auto snapshot, LatestOrNone(workspace.TableOf(table)));
  if (snapshot) return snapshot->schema;
  const Node* node = workspace.project.Find(table);
  if (node && node->kind == Node::Kind::kModel) {
    Schema columns = TableColumns(workspace.project.model(*node));
    if (!columns.fields.empty()) return columns;
  }
  Schema columns;
  if (node && node->kind == Node::Kind::kStream) {
    for (const ColumnConfig& column : workspace.project.stream(*node).columns) {
      if (column.type) columns.fields.push_back({column.name, *column.type, 0});
    }
  }
  for (const auto& row : rows) {
    for (const auto& [name, cell] : row) {
      if (!columns.Find(name)) columns.fields.push_back({name, TypeOfCells(rows, name), 0});
    }
  }
  return columns;
}

Result<UnitTestResult> RunOne(const Workspace& workspace, const UnitTest& test, const CancelFlag* cancel) {
  UnitTestResult result;
  result.name = test.name;
  result.model = test.model;
  const Node* node = workspace.project.Find(test.model);
  CHECK(node && node->kind == Node::Kind::kModel, "validate refuses a test of what is no model");
  const ModelConfig& model = workspace.project.model(*node);
  AnalyzeJob analyze;
  ComputeJob job;
  for (const auto& [table, rows] : test.given) {
    TRY_ASSIGN(Schema columns, ColumnsOfGiven(workspace, table, rows));
    auto [schema, name] = SplitTable(table);
    analyze.tables.push_back({schema, name, columns});
    job.inputs.push_back({schema, name + "__given", columns, {}, false});
    Step view;
    view.name = table;
    view.sql = "CREATE VIEW " + QuoteTable(schema, name) + " AS " + RowsSql(rows, columns);
    job.steps.push_back(std::move(view));
  }
  analyze.queries.push_back({model.table(), model.sql, ""});
  RunOptions options;
  options.limits = workspace.Limits();
  options.cancel = cancel;
  JobCost cost;
  TRY_ASSIGN(AnalyzeResult analyzed, RunAnalyze(workspace.engine, std::move(analyze), options, &cost));
  Analysis& analysis = analyzed.queries.at(0);
  if (analysis.problem) {
    return Error{ErrorKind::kInvalidArgument, analysis.problem->message, "", PlaceInSql(model, analysis.problem->position)};
  }
  for (const OutputColumn& column : analysis.columns) result.columns.fields.push_back(column.field);
  // Only the columns that the test names are compared.
  Schema compared;
  for (const Field& field : result.columns.fields) {
    bool named = test.expect.empty();
    for (const auto& row : test.expect) {
      for (const auto& [name, cell] : row) named = named || Schema{{field}}.Find(name);
    }
    if (named) compared.fields.push_back(field);
  }
  for (const auto& row : test.expect) {
    for (const auto& [name, cell] : row) {
      if (result.columns.Find(name)) continue;
      std::vector<std::string> names;
      for (const Field& field : result.columns.fields) names.push_back(field.name);
      return Error{ErrorKind::kInvalidArgument, "the test expects a column '" + name + "' that " + model.table() + " does not give",
                   "did you mean '" + Nearest(name, names) + "'?", test.place.ToString()};
    }
  }
  result.columns = compared;
  job.parameters = ParametersOf(workspace.project, model, std::nullopt);
  for (const auto& [name, value] : test.parameters) {
    if (auto type = analysis.parameters.find(name); type != analysis.parameters.end()) job.parameters[name] = {type->second, value};
  }
  Step actual;
  actual.kind = Step::Kind::kQuery;
  actual.name = "actual";
  actual.sql = model.sql;
  actual.user_sql = true;
  actual.max_rows = 100'000;
  Step expected = actual;
  expected.name = "expected";
  expected.user_sql = false;
  expected.sql = RowsSql(test.expect, compared);
  job.steps.push_back(std::move(actual));
  job.steps.push_back(std::move(expected));
  TRY_ASSIGN(ComputeResult rows, RunCompute(workspace.engine, std::move(job), options, &cost));
  const Rows& got = rows.Find("actual")->rows;
  std::vector<std::vector<Cell>> left = rows.Find("expected")->rows.rows;
  for (const auto& row : got.rows) {
    std::vector<Cell> cells;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (compared.Find(got.schema.fields[i].name)) cells.push_back(row[i]);
    }
    auto match = std::find(left.begin(), left.end(), cells);
    if (match == left.end()) {
      result.unexpected.push_back(std::move(cells));
    } else {
      left.erase(match);
    }
  }
  result.missing = std::move(left);
  result.passed = result.missing.empty() && result.unexpected.empty();
  return result;
}

}  // namespace

Result<std::vector<UnitTestResult>> RunUnitTests(const Workspace& workspace, const std::vector<std::string>& names,
                                                 const CancelFlag* cancel) {
  std::vector<UnitTestResult> results;
  for (const UnitTest& test : workspace.project.tests) {
    bool wanted = names.empty() || std::find(names.begin(), names.end(), test.name) != names.end() ||
                  std::find(names.begin(), names.end(), test.model) != names.end();
    if (!wanted) continue;
    auto result = RunOne(workspace, test, cancel);
    if (!result && result.error().kind == ErrorKind::kCancelled) return std::move(result).error();
    if (result) {
      results.push_back(*std::move(result));
    } else {
      UnitTestResult failed;
      failed.name = test.name;
      failed.model = test.model;
      failed.error = std::move(result).error();
      results.push_back(std::move(failed));
    }
  }
  if (results.empty() && !names.empty()) {
    std::vector<std::string> known;
    for (const UnitTest& test : workspace.project.tests) known.push_back(test.name);
    return Error{ErrorKind::kNotFound, "no unit test is named '" + names.front() + "'",
                 "did you mean '" + Nearest(names.front(), known) + "'?", ""};
  }
  return results;
}

}  // namespace caudal
