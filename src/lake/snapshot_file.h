// A Snapshot as bytes: what a table's folder keeps now and then, so that opening it does not read its whole log. Derived
// from the log and never trusted against it. Pure functions. Format: docs/formats/table.md, "Kept snapshots".
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "lake/snapshot.h"

namespace caudal {

/// The same bytes for the same snapshot.
std::string SnapshotBytes(const Snapshot& snapshot);

/// Errors: kCorruption for anything but whole bytes of SnapshotBytes.
Result<Snapshot> ReadSnapshot(std::string_view bytes);

}  // namespace caudal
