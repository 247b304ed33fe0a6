// A small answer: rows as text, for verdicts, samples and the command line. Large results are files, never this.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data/schema.h"

namespace caudal {

/// A cell is absent for NULL; else text as DuckDB casts it to VARCHAR.
using Cell = std::optional<std::string>;

struct Rows {
  Schema schema;
  std::vector<std::vector<Cell>> rows;
  /// True where more rows existed than were asked for.
  bool truncated = false;
};

}  // namespace caudal
