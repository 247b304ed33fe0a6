// Names of columns that Caudal itself adds to rows, and that nobody else may give them.
#pragma once

#include <string_view>

#include "base/result.h"
#include "data/schema.h"

namespace caudal {

bool IsReservedColumn(std::string_view name);
/// For the columns that a source gives. Errors: kInvalidArgument.
Status RefuseReservedColumns(const Schema& columns);

}  // namespace caudal
