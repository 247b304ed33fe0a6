// The words `columns` and `checks`, which streams and models share.
#pragma once

#include <vector>

#include "project/file_context.h"

namespace caudal {

enum class ColumnTypes { kStated, kRefused };

/// Reads {name: {type, description, checks}}; null is nothing. A model's types come from its SELECT: kRefused.
std::vector<ColumnConfig> ParseColumns(const YamlNode* node, ColumnTypes types, const FileContext& file);

}  // namespace caudal
