// The log, entry by entry, becomes a Snapshot. Linear in what the entries hold. Pure; one thread at a time.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "lake/log_entry.h"
#include "lake/snapshot.h"

namespace caudal {

class Replay {
 public:
  /// From an earlier snapshot, or from nothing (null).
  explicit Replay(std::shared_ptr<const Snapshot> base) : x_base(std::move(base)) {}

  /// Errors: kCorruption where the entry is not the next one, or removes or adds what cannot be.
  Status Apply(LogEntry entry);
  /// The state after the last entry. Errors: kCorruption. Ends the replay.
  Result<std::shared_ptr<const Snapshot>> Finish();

  std::int64_t version() const { return x_version.value_or(x_base ? x_base->version : -1); }

 private:
  std::shared_ptr<const Snapshot> x_base;  // shared with the cache of the table
  std::optional<std::int64_t> x_version;
  Timestamp x_time;
  std::string x_instant;
  std::optional<LogMetadata> x_metadata;
  std::map<std::string, std::optional<std::string>> x_domains;
  std::map<std::string, std::optional<LiveFile>> x_files;  // absent: removed since the base
};

/// The parts of a snapshot that its metadata decides.
void ApplyMetadata(const LogMetadata& metadata, Snapshot& snapshot);

}  // namespace caudal
