#include "data/reserved_name.h"

#include "data/name.h"

namespace caudal {

bool IsReservedColumn(std::string_view name) {
  const std::string lower = LowerName(name);
  return lower.starts_with("_caudal_") || lower.starts_with("_hoodie_") || lower == "_source_file" || lower == "_source_row";
}

Status RefuseReservedColumns(const Schema& columns) {
  for (const Field& field : columns.fields) {
    if (!IsReservedColumn(field.name)) continue;
    return Error{ErrorKind::kInvalidArgument, "the source gives a column '" + field.name + "', which is reserved",
                 "rename it at the source: _source_file, _source_row and names that begin with _caudal_ or _hoodie_ are Caudal's own", ""};
  }
  return {};
}

}  // namespace caudal
