// A version of a table as one plain file, for people and programs that have no reader of tables.
#pragma once

#include <cstdint>
#include <string>

#include "flow/workspace.h"

namespace caudal {

struct ExportReport {
  std::int64_t version = 0;
  std::int64_t rows = 0;
  std::int64_t bytes = 0;
};

/// Writes `target` ("" = the newest; a version, savepoint or time) of the table to `path`, which must not exist: Parquet, CSV or
/// NDJSON by its ending. The file appears whole or not at all. Errors: kInvalidArgument, kNotFound, kAlreadyExists, kPermission.
Result<ExportReport> ExportTable(const Workspace& workspace, const Node& node, const std::string& target, const std::string& path,
                                 const CancelFlag* cancel);

}  // namespace caudal
