// Rows, columns and errors as JSON: docs/cli.md. Pure functions.
#pragma once

#include "base/error.h"
#include "base/json_fwd.h"
#include "data/rows.h"

namespace caudal {

/// [{"name", "type"}]
Json ColumnsDocument(const Schema& schema);
/// [{column: value}]: whole numbers, floats and booleans as such, NULL as null, all else as text. The engine has told
/// columns of one name apart.
Json RowsDocument(const Rows& rows);
/// {"kind", "message", "next", "where"}
Json ErrorObject(const Error& error);

}  // namespace caudal
