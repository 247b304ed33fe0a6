// Iceberg's metadata of one version of a table, made of the log and of the version before it.
// Pure; one thread at a time. Format: docs/formats/iceberg.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "lake/faces/face.h"
#include "lake/faces/iceberg_manifest.h"
#include "lake/log_entry.h"
#include "lake/snapshot.h"

namespace caudal {

/// What stays reachable from the newest metadata.json: versions as snapshots, and earlier metadata.json.
inline constexpr std::int64_t kIcebergSnapshots = 100;
inline constexpr std::int64_t kIcebergMetadataFiles = 10;

/// The face of one version as the next one builds on it.
struct IcebergVersion {
  std::vector<IcebergManifest> manifests;
  std::string metadata;  // text of v<version+1>.metadata.json
};

struct IcebergRendering {
  IcebergVersion version;
  /// In the order in which they are put: manifests, their list, metadata.json. The hint comes after all of them.
  std::vector<FaceObject> objects;
  /// Keys of the manifest lists of snapshots that the version before names and this one does not: purged, or one too many.
  std::vector<std::string> expired_lists;
  /// Of the snapshots that are still named, the lists next to those on either side.
  std::vector<std::string> neighbour_lists;
};

/// `before` is the version before it, absent for version 0. `location`: the table's root as URL. Errors: kCorruption.
Result<IcebergRendering> RenderIceberg(const Snapshot& snapshot, const LogEntry& entry,
                                       const std::optional<IcebergVersion>& before, const std::string& location);

inline constexpr const char* kIcebergHintKey = "metadata/version-hint.text";
/// "metadata/v8.metadata.json" for version 7.
std::string IcebergMetadataKey(std::int64_t version);
/// Key of the manifest list of a version.
std::string IcebergListKeyOf(const std::string& table_id, std::int64_t version, const std::string& location);
/// Key of the manifest list of the newest snapshot that `metadata` names. Errors: kCorruption.
Result<std::string> IcebergListKey(const std::string& metadata, const std::string& location);

}  // namespace caudal
