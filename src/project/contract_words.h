// The word `schema_contract` of caudal.yaml's defaults, a source or a stream.
#pragma once

#include "project/file_context.h"
#include "project/schema_contract.h"

namespace caudal {

/// One word for all parts, or a map of `tables`, `columns`, `data_type`; parts that it does not name are those of `base`.
SchemaContract ContractOf(MapReader& reader, const SchemaContract& base, const FileContext& file);

}  // namespace caudal
