// May a change that was built on an older version follow the commits that came in between? A pure function.
// The table of rules with their reasons: docs/formats/table.md, "Conflicts".
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lake/log_entry.h"
#include "lake/partition_path.h"
#include "lake/table.h"

namespace caudal {

struct Decision {
  enum class Kind { kProceed, kAlreadyApplied, kConflict };
  Kind kind = Kind::kProceed;
  std::int64_t version = -1;  // the commit that decided
  std::string why;
};

/// What of a Change only the newest snapshot tells.
struct ChangeFacts {
  /// change.read_partitions in the log's spelling.
  std::optional<std::vector<PartitionValues>> read;
  /// change.definition differs from what the table is.
  bool redefines = false;
};

/// `later`: every entry after change.base_version, in order.
Decision Decide(const Change& change, const ChangeFacts& facts,
                const std::vector<std::shared_ptr<const LogEntry>>& later);

}  // namespace caudal
