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

enum class RenderExtent {
  kMissing,  // from the last version that is there on, and the newest in any case
  kAll,      // every version, to mend what was damaged
};

/// Renders the chosen faces up to `newest`: an object that holds other bytes than it has to is replaced. Drops the faces
/// that are not chosen. Safe to repeat; a death in between leaves readers of a face at an older version. One face that
/// fails does not stop the other. Only under the table's lock. Errors: kCorruption of the log, those of the store.
Status RenderFormats(ObjectStore& store, const std::string& prefix, Log& log, const Snapshot& newest, TableFormats formats,
                     RenderExtent extent);

/// Takes the versions out of Hudi's timeline that can no longer be read. Only after their files are deleted: files of a
/// group that a forgotten instant replaced would be seen again. Only under the table's lock.
Status TrimFormats(ObjectStore& store, const std::string& prefix, Log& log, const Snapshot& newest);

/// Why the faces are not at `newest`, in words; "" where each chosen one is, and no other is there. By existence and place
/// alone, a few small reads.
Result<std::string> FormatsBehind(const ObjectStore& store, const std::string& prefix, const LogEntry& newest, TableFormats formats);

/// What is wrong with the faces, object by object, compared with what the log says they hold. Reads much.
Result<std::vector<std::string>> CheckFormats(const ObjectStore& store, const std::string& prefix, Log& log,
                                            const Snapshot& newest, TableFormats formats);

}  // namespace caudal
