#include "lake/faces/iceberg_manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/ids.h"
#include "base/json.h"
#include "lake/faces/iceberg_value.h"
#include "lake/table_config.h"
#include "lake/value_text.h"

namespace caudal {
namespace {

constexpr int kExisting = 0, kAdded = 1, kDeleted = 2;  // status of an entry
constexpr std::int64_t kDataFiles = 0;

Json Required(const char* name, Json type, int id) { return Json{{"name", name}, {"type", std::move(type)}, {"field-id", id}}; }

Json Optional(const char* name, Json type, int id) {
  return Json{{"name", name}, {"type", Json::array({"null", std::move(type)})}, {"default", nullptr}, {"field-id", id}};
}

Json Record(const std::string& name, Json fields) {
  return Json{{"type", "record"}, {"name", name}, {"fields", std::move(fields)}};
}

/// A map with number keys, which Avro has not: an array of pairs.
Json MapOf(int key, int value, const char* type) {
  return Json{{"type", "array"},
              {"logicalType", "map"},
              {"items", Record(fmt::format("k{}_v{}", key, value),
                               Json::array({Required("key", "int", key), Required("value", type, value)}))}};
}

Json ListOf(Json items, int id) { return Json{{"type", "array"}, {"items", std::move(items)}, {"element-id", id}}; }

Json EntrySchema(const PartitionSpec& spec) {
  Json partition = Json::array();
  for (const Json& field : SpecFields(spec)) {
    std::size_t i = partition.size();
    auto id = static_cast<int>(JsonInt(field, "field-id", 0));
    // Only ids count; a column's name need not be one in Avro.
    partition.push_back(Optional(fmt::format("f{}", id).c_str(), IcebergAvroType(spec.columns[i].type, id), id));
  }
  Json file = Json::array({Required("content", "int", 134),
                           Required("file_path", "string", 100),
                           Required("file_format", "string", 101),
                           Required("partition", Record("r102", std::move(partition)), 102),
                           Required("record_count", "long", 103),
                           Required("file_size_in_bytes", "long", 104),
                           Optional("column_sizes", MapOf(117, 118, "long"), 108),
                           Optional("value_counts", MapOf(119, 120, "long"), 109),
                           Optional("null_value_counts", MapOf(121, 122, "long"), 110),
                           Optional("nan_value_counts", MapOf(138, 139, "long"), 137),
                           Optional("lower_bounds", MapOf(126, 127, "bytes"), 125),
                           Optional("upper_bounds", MapOf(129, 130, "bytes"), 128),
                           Optional("key_metadata", "bytes", 131),
                           Optional("split_offsets", ListOf("long", 133), 132),
                           Optional("equality_ids", ListOf("int", 136), 135),
                           Optional("sort_order_id", "int", 140)});
  return Record("manifest_entry",
                Json::array({Required("status", "int", 0), Optional("snapshot_id", "long", 1),
                             Optional("sequence_number", "long", 3), Optional("file_sequence_number", "long", 4),
                             Required("data_file", Record("r2", std::move(file)), 2)}));
}

Json ListSchema() {
  Json summary = Record("r508", Json::array({Required("contains_null", "boolean", 509), Optional("contains_nan", "boolean", 518),
                                             Optional("lower_bound", "bytes", 510), Optional("upper_bound", "bytes", 511)}));
  return Record("manifest_file",
                Json::array({Required("manifest_path", "string", 500), Required("manifest_length", "long", 501),
                             Required("partition_spec_id", "int", 502), Required("content", "int", 517),
                             Required("sequence_number", "long", 515), Required("min_sequence_number", "long", 516),
                             Required("added_snapshot_id", "long", 503), Required("added_files_count", "int", 504),
                             Required("existing_files_count", "int", 505), Required("deleted_files_count", "int", 506),
                             Required("added_rows_count", "long", 512), Required("existing_rows_count", "long", 513),
                             Required("deleted_rows_count", "long", 514),
                             Optional("partitions", ListOf(std::move(summary), 508), 507)}));
}

bool IsFloating(const Type& type) { return type.kind == TypeKind::kFloat || type.kind == TypeKind::kDouble; }

/// Order of two partition values; infinities have theirs, and NaN is not asked about.
bool IsLess(const Type& type, const std::string& a, const std::string& b) {
  if (IsFloating(type)) return FloatingValue(a).value_or(0) < FloatingValue(b).value_or(0);
  auto order = CompareValues(type, a, b);
  return order && *order < 0;
}

AvroSync SyncOf(std::string_view text) {
  std::string hex = Sha256Hex(text);
  AvroSync sync;
  for (std::size_t i = 0; i < sync.size(); ++i) sync[i] = static_cast<char>(std::stoi(hex.substr(2 * i, 2), nullptr, 16));
  return sync;
}


}  // namespace

struct ManifestWriter::Metrics {
  std::vector<std::pair<std::int32_t, std::int64_t>> values, nulls;
  std::vector<std::pair<std::int32_t, std::string>> lower, upper;

  static void Counts(const std::vector<std::pair<std::int32_t, std::int64_t>>& counts, AvroEncoder& out) {
    out.Branch(1).Items(static_cast<std::int64_t>(counts.size()));
    for (const auto& [id, count] : counts) out.Long(id).Long(count);
    out.End();
  }
  static void Bounds(const std::vector<std::pair<std::int32_t, std::string>>& bounds, AvroEncoder& out) {
    out.Branch(1).Items(static_cast<std::int64_t>(bounds.size()));
    for (const auto& [id, bytes] : bounds) out.Long(id).Bytes(bytes);
    out.End();
  }
  /// Never null where nothing is known: pyiceberg's inspection stumbles over null.
  void Encode(AvroEncoder& out) const {
    Counts({}, out);  // column_sizes
    Counts(values, out);
    Counts(nulls, out);
    Counts({}, out);  // nan_value_counts
    Bounds(lower, out);
    Bounds(upper, out);
  }
};

std::int64_t IcebergSnapshotId(const std::string& table_id, std::int64_t version) {
  auto bits = std::stoull(Sha256Hex(table_id + "/" + std::to_string(version)).substr(0, 16), nullptr, 16);
  return static_cast<std::int64_t>(bits & 0x7fffffffffffffffULL);
}

std::string DerivedUuid(std::string_view text) {
  std::string hex = Sha256Hex(text);
  return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4), hex.substr(16, 4),
                     hex.substr(20, 12));
}

ManifestWriter::ManifestWriter(const Snapshot& snapshot, const PartitionSpec& spec, const std::string& location)
    : x_snapshot(snapshot), x_spec(spec), x_location(location), x_columns(StatisticsColumns(snapshot.schema)), x_stats(snapshot.schema) {
  x_manifest.spec_id = spec.id;
  x_manifest.sequence_number = snapshot.version + 1;
  x_manifest.min_sequence_number = snapshot.version + 1;
  x_manifest.snapshot_id = IcebergSnapshotId(snapshot.table_id, snapshot.version);
  x_manifest.partitions.resize(spec.columns.size());
  x_ranges.resize(spec.columns.size());
}

Status ManifestWriter::Live(const LiveFile& file) {
  bool added = file.added_version == x_snapshot.version;
  (added ? x_manifest.added_files : x_manifest.existing_files) += 1;
  (added ? x_manifest.added_rows : x_manifest.existing_rows) += file.rows;
  return Entry(added ? kAdded : kExisting, file.added_version, file.path, file.partition, file.rows, file.size_bytes,
               file.stats.get());
}

Status ManifestWriter::Deleted(const LogRemove& file) {
  x_manifest.deleted_files += 1;
  x_manifest.deleted_rows += file.rows;
  return Entry(kDeleted, file.added_version, file.path, file.partition, file.rows, file.size_bytes, nullptr);
}

Status ManifestWriter::Entry(int status, std::int64_t added_version, const std::string& path,
                             const std::map<std::string, Cell>& partition, std::int64_t rows, std::int64_t size,
                             const std::string* stats) {
  std::int64_t sequence = added_version + 1;
  x_manifest.min_sequence_number = std::min(x_manifest.min_sequence_number, sequence);
  std::int64_t snapshot = status == kExisting ? added_version : x_snapshot.version;
  x_records.Long(status).Branch(1).Long(IcebergSnapshotId(x_snapshot.table_id, snapshot));
  if (status == kAdded) {
    x_records.Branch(0).Branch(0);  // inherited from the manifest
  } else {
    x_records.Branch(1).Long(sequence).Branch(1).Long(sequence);
  }
  x_records.Long(kDataFiles).Bytes(x_location + "/" + path).Bytes("PARQUET");
  for (const Field& column : x_spec.columns) {
    auto value = partition.find(column.name);
    if (value == partition.end() || !EncodePartitionValue(column.type, value->second, x_records)) {
      return Error{ErrorKind::kCorruption, "the log has no proper value of partition column '" + column.name + "' for " + path, "", ""};
    }
  }
  x_records.Long(rows).Long(size);
  Metrics metrics;
  if (stats != nullptr) {
    TRY_ASSIGN(DeltaStats known, x_stats.Read(*stats));
    for (const auto& [column, facts] : known.columns) {
      const Field& field = x_columns.at(column);
      metrics.values.emplace_back(field.id, rows);
      if (facts.null_count) metrics.nulls.emplace_back(field.id, *facts.null_count);
      auto lower = facts.min ? IcebergBytes(field.type, *facts.min) : std::nullopt;
      auto upper = facts.max ? IcebergBytes(field.type, *facts.max) : std::nullopt;
      if (lower) metrics.lower.emplace_back(field.id, *std::move(lower));
      if (upper) metrics.upper.emplace_back(field.id, *std::move(upper));
    }
  }
  metrics.Encode(x_records);
  x_records.Branch(0).Branch(0).Branch(0).Branch(1).Long(0);  // no key, offsets, equality ids; not sorted
  Summarize(partition);
  ++x_count;
  return {};
}

void ManifestWriter::Summarize(const std::map<std::string, Cell>& partition) {
  for (std::size_t i = 0; i < x_spec.columns.size(); ++i) {
    const Field& column = x_spec.columns[i];
    const Cell& value = partition.at(column.name);
    auto& [lower, upper] = x_ranges[i];
    IcebergManifest::Summary& summary = x_manifest.partitions[i];
    if (!value) {
      summary.contains_null = true;
      continue;
    }
    if (IsFloating(column.type)) {
      bool nan = std::isnan(FloatingValue(*value).value_or(0));
      summary.contains_nan = summary.contains_nan.value_or(false) || nan;
      if (nan) continue;
    }
    if (!lower || IsLess(column.type, *value, *lower)) lower = *value;
    if (!upper || IsLess(column.type, *upper, *value)) upper = *value;
  }
}

std::string ManifestWriter::Finish(IcebergManifest& manifest) const {
  manifest = x_manifest;
  for (std::size_t i = 0; i < x_spec.columns.size(); ++i) {
    const auto& [lower, upper] = x_ranges[i];
    if (lower) manifest.partitions[i].lower = IcebergBytes(x_spec.columns[i].type, *lower);
    if (upper) manifest.partitions[i].upper = IcebergBytes(x_spec.columns[i].type, *upper);
  }
  auto schema_id = SchemaId(x_snapshot.configuration);
  std::map<std::string, std::string> metadata{{"schema", DumpJson(IcebergSchema(x_snapshot.schema, schema_id))},
                                              {"schema-id", std::to_string(schema_id)},
                                              {"partition-spec", DumpJson(SpecFields(x_spec))},
                                              {"partition-spec-id", std::to_string(x_spec.id)},
                                              {"format-version", "2"},
                                              {"content", "data"}};
  return AvroContainer(DumpJson(EntrySchema(x_spec)), metadata, SyncOf(x_records.bytes()), x_count, x_records.bytes());
}

std::string ManifestListBytes(const std::vector<IcebergManifest>& manifests, const Snapshot& snapshot) {
  AvroEncoder out;
  for (const IcebergManifest& m : manifests) {
    out.Bytes(m.path).Long(m.length).Long(m.spec_id).Long(kDataFiles).Long(m.sequence_number).Long(m.min_sequence_number);
    out.Long(m.snapshot_id).Long(m.added_files).Long(m.existing_files).Long(m.deleted_files);
    out.Long(m.added_rows).Long(m.existing_rows).Long(m.deleted_rows);
    out.Branch(1).Items(static_cast<std::int64_t>(m.partitions.size()));
    for (const auto& part : m.partitions) {
      out.Boolean(part.contains_null);
      part.contains_nan ? out.Branch(1).Boolean(*part.contains_nan) : out.Branch(0);
      part.lower ? out.Branch(1).Bytes(*part.lower) : out.Branch(0);
      part.upper ? out.Branch(1).Bytes(*part.upper) : out.Branch(0);
    }
    out.End();
  }
  std::int64_t id = IcebergSnapshotId(snapshot.table_id, snapshot.version);
  std::string parent = snapshot.version > 0 ? std::to_string(IcebergSnapshotId(snapshot.table_id, snapshot.version - 1)) : "null";
  std::map<std::string, std::string> metadata{{"snapshot-id", std::to_string(id)},
                                              {"parent-snapshot-id", parent},
                                              {"sequence-number", std::to_string(snapshot.version + 1)},
                                              {"format-version", "2"}};
  return AvroContainer(DumpJson(ListSchema()), metadata, SyncOf(out.bytes()), static_cast<std::int64_t>(manifests.size()),
                       out.bytes());
}

Result<std::vector<IcebergManifest>> ReadManifestList(std::string_view bytes) {
  TRY_ASSIGN(AvroFile file, ReadAvroContainer(bytes));
  std::vector<IcebergManifest> manifests;
  for (const Json& record : file.records) {
    auto number = [&](const char* name) { return std::int64_t{JsonInt(record, name, 0)}; };
    IcebergManifest m;
    m.path = JsonString(record, "manifest_path", "");
    m.length = number("manifest_length");
    m.spec_id = static_cast<std::int32_t>(number("partition_spec_id"));
    m.sequence_number = number("sequence_number");
    m.min_sequence_number = number("min_sequence_number");
    m.snapshot_id = number("added_snapshot_id");
    m.added_files = number("added_files_count");
    m.existing_files = number("existing_files_count");
    m.deleted_files = number("deleted_files_count");
    m.added_rows = number("added_rows_count");
    m.existing_rows = number("existing_rows_count");
    m.deleted_rows = number("deleted_rows_count");
    auto parts = record.find("partitions");
    if (m.path.empty() || parts == record.end() || !parts->is_array()) {
      return Error{ErrorKind::kCorruption, "not a manifest list of ours", "", ""};
    }
    for (const Json& part : *parts) {
      auto bound = [&](const char* name) -> std::optional<std::string> {
        auto it = part.find(name);
        return it != part.end() && it->is_string() ? std::optional(it->get<std::string>()) : std::nullopt;
      };
      auto nan = part.find("contains_nan");
      m.partitions.push_back({JsonBool(part, "contains_null", false),
                              nan != part.end() && nan->is_boolean() ? std::optional(nan->get<bool>()) : std::nullopt,
                              bound("lower_bound"), bound("upper_bound")});
    }
    manifests.push_back(std::move(m));
  }
  return manifests;
}

}  // namespace caudal
