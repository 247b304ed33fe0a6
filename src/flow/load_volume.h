// The rows of a load against its stream's `volume`, before anything is published.
#pragma once

#include <optional>

#include "flow/extraction.h"
#include "flow/workspace.h"
#include "quality/audit.h"

namespace caudal {

/// What is looked at.
struct LoadAtHand {
  const StreamConfig& stream;
  const Expectation& expected;
  const Table& table;
  const Snapshot* base = nullptr;  // null: the first load
  const Extracted& extracted;
  std::int64_t rows_read = 0;
  bool anew = false;  // --full-refresh, or from raw: more than one load at once
};

/// Nothing where the stream has no band, or the load is none to compare: one that reads a stream's history at once.
Result<std::optional<CheckResult>> CheckVolume(const LoadAtHand& load);

}  // namespace caudal
