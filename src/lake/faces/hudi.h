// Hudi's timeline (table version 6, copy-on-write) of a table, made of the log. Pure. Format: docs/formats/hudi.md.
#pragma once

#include <string>

#include "lake/faces/face.h"
#include "lake/log_entry.h"
#include "lake/snapshot.h"

namespace caudal {

inline constexpr const char* kHudiPropertiesKey = ".hoodie/hoodie.properties";

/// The table's properties as of its newest version.
FaceObject HudiProperties(const Snapshot& snapshot);

/// The completed instant of the version that `snapshot` and `entry` are.
FaceObject HudiCommit(const Snapshot& snapshot, const LogEntry& entry);
/// Its key: a replacecommit where a file group vanishes, else a commit.
std::string HudiCommitKey(const LogEntry& entry);

}  // namespace caudal
