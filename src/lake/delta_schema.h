// A Schema as Delta's schemaString, field ids in the metadata of the columns. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "data/schema.h"

namespace caudal {

std::string DeltaSchemaText(const Schema& schema);

/// Errors: kCorruption; kUnsupported for a type that we do not hold. Fields without our metadata have id 0.
Result<Schema> ReadDeltaSchema(std::string_view text);

}  // namespace caudal
