// The rejects table of a table: each commit with rejects becomes one version of it, a pure function of that commit's
// log entry. So whoever finds a version missing writes the same one. Format: docs/formats/table.md, "Rejects".
#pragma once

#include <string>

#include "lake/log.h"

namespace caudal {

/// Writes the versions of the rejects table that the commits up to `snapshot` owe. Does nothing where none is missing.
Status PublishRejects(ObjectStore& store, const std::string& prefix, Log& log, const Snapshot& snapshot);

/// The log entry of the rejects table that `source`, an entry with rejects of the table `name`, becomes.
LogEntry RenderRejects(const LogEntry& source, const std::string& table_id, const std::string& name);

/// The text of `.hoodie_partition_metadata` in `folder` ("" = the root) of a table.
std::string PartitionMetadataText(const std::string& folder, Timestamp time);

}  // namespace caudal
