// Keeps a table's faces, Hudi's timeline and Iceberg's metadata, at the newest version of its log.
// Format: docs/formats/{hudi,iceberg}.md.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "lake/log.h"
#include "lake/snapshot.h"
#include "lake/table.h"
#include "store/object_store.h"

namespace caudal {

/// Renders what is missing of the chosen faces up to `newest`, compares what is there of that version with what it has
/// to be and mends it, and drops the faces that are not chosen. Safe to repeat; a death in between leaves readers of a
/// face at an older version. Only under the table's lock. Errors: kCorruption of the log, those of the store.
Status RenderFormats(ObjectStore& store, const std::string& prefix, Log& log, const Snapshot& newest, TableFormats formats);

/// True where each chosen face shows `newest`, and no other is there: by existence alone, a few small reads.
Result<bool> FormatsAreCurrent(const ObjectStore& store, const std::string& prefix, const LogEntry& newest, TableFormats formats);

/// What is wrong with the faces, object by object, compared with what the log says they hold. Reads much.
Result<std::vector<std::string>> CheckFormats(const ObjectStore& store, const std::string& prefix, Log& log,
                                            const Snapshot& newest, TableFormats formats);

}  // namespace caudal
