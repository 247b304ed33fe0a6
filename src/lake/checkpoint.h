// Delta's checkpoints: Parquet that stands for the log up to a version, for foreign readers; ours keep snapshots of their own
// (lake/snapshot_file.h). Pure functions. Format: docs/formats/table.md, "Checkpoints".
#pragma once

#include <string>

#include "lake/snapshot.h"

namespace caudal {

/// The actions of the checkpoint of `snapshot`, one JSON object a line.
std::string CheckpointText(const Snapshot& snapshot);

/// DuckDB's statement that makes the Parquet file of a file of those actions.
std::string CheckpointSql(const std::string& actions_path, const std::string& parquet_path);

}  // namespace caudal
