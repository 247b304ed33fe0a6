// What DuckDB's parser alone says of the user's text. Pure but for the parse itself.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json_fwd.h"
#include "base/result.h"
#include "data/analysis.h"
#include "duckdb/connection.h"

namespace caudal {

struct NamedTable {
  std::string schema;  // "" where the text has none
  std::string name;
};

struct ParsedQuery {
  /// Set where the text is not exactly one SELECT.
  std::optional<SqlProblem> problem;
  /// Tables in order of first use, names of CTEs left out.
  std::vector<NamedTable> tables;
};

/// Errors: only ours.
Result<ParsedQuery> ParseQuery(Connection& connection, const std::string& sql);

/// An error document of json_serialize_sql or json_serialize_plan.
SqlProblem ProblemOf(const Json& document);

}  // namespace caudal
