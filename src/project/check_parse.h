// A list of checks in YAML becomes CheckSpecs in canonical words. docs/checks.md.
#pragma once

#include <string>
#include <vector>

#include "project/check_spec.h"
#include "project/file_context.h"

namespace caudal {

/// Reads the list `node` of column `column` ("" = the table's). What is wrong becomes a problem; the rest is appended.
void ParseChecks(const YamlNode& node, const std::string& column, const FileContext& file,
                 std::vector<CheckSpec>& checks);

}  // namespace caudal
