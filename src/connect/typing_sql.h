// SQL (DuckDB's) by which text becomes typed without a silent change. Pure.
#pragma once

#include <string>
#include <vector>

#include "data/type.h"

namespace caudal {

/// `text` (an SQL expression, VARCHAR) as `type`; NULL where that would change the value: '1.5' is no BIGINT.
std::string ExactCast(const std::string& text, const Type& type);

/// A condition on a JSON value that says whether some leaf of it does not fit `type`. `json`: an SQL expression;
/// `path`: of the value in it, as JSON path.
std::vector<std::string> JsonMisfits(const std::string& json, const std::string& path, const Type& type);

/// The step of a JSON path to member `name`.
std::string JsonPathStep(const std::string& name);

/// DuckDB's names of types whose every value is one of `type`, as SQL list: "'BIGINT', 'INTEGER'".
std::string TypesWithin(const Type& type);

}  // namespace caudal
