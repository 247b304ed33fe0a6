// Iceberg's manifests and the list of them, as bytes and back. Pure. Format: docs/formats/iceberg.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "lake/delta_stats.h"
#include "lake/faces/avro.h"
#include "lake/faces/iceberg_schema.h"
#include "lake/log_entry.h"
#include "lake/snapshot.h"

namespace caudal {

/// A record of a manifest list.
struct IcebergManifest {
  struct Summary {
    bool contains_null = false;
    std::optional<bool> contains_nan;  // of floating point alone
    std::optional<std::string> lower, upper;
  };

  std::string path;  // absolute, with scheme
  std::int64_t length = 0;
  std::int32_t spec_id = 0;
  std::int64_t sequence_number = 0;
  std::int64_t min_sequence_number = 0;
  std::int64_t snapshot_id = 0;
  std::int64_t added_files = 0, existing_files = 0, deleted_files = 0;
  std::int64_t added_rows = 0, existing_rows = 0, deleted_rows = 0;
  std::vector<Summary> partitions;
};

/// Snapshot id of a version: never negative, the same for everybody who renders.
std::int64_t IcebergSnapshotId(const std::string& table_id, std::int64_t version);
/// A UUID that follows from `text`.
std::string DerivedUuid(std::string_view text);

/// One manifest of one version.
class ManifestWriter {
 public:
  /// `snapshot` is the version that writes it. `location`: the table's root as URL.
  ManifestWriter(const Snapshot& snapshot, const PartitionSpec& spec, const std::string& location);

  /// A file that the version added, or that was there before. Errors: kCorruption (statistics, partition values).
  Status Live(const LiveFile& file);
  Status Deleted(const LogRemove& file);

  /// The bytes; `manifest` gets everything but its path and length.
  std::string Finish(IcebergManifest& manifest) const;

 private:
  struct Metrics;
  Status Entry(int status, std::int64_t added_version, const std::string& path, const std::map<std::string, Cell>& partition,
               std::int64_t rows, std::int64_t size, const std::string* stats);
  void Summarize(const std::map<std::string, Cell>& partition);

  const Snapshot& x_snapshot;
  const PartitionSpec& x_spec;
  const std::string& x_location;
  const std::map<std::string, Field> x_columns;
  const DeltaStatsReader x_stats;
  AvroEncoder x_records;
  std::int64_t x_count = 0;
  IcebergManifest x_manifest;
  std::vector<std::pair<std::optional<std::string>, std::optional<std::string>>> x_ranges;  // text, by partition column
};

std::string ManifestListBytes(const std::vector<IcebergManifest>& manifests, const Snapshot& snapshot);
/// Errors: kCorruption.
Result<std::vector<IcebergManifest>> ReadManifestList(std::string_view bytes);

}  // namespace caudal
