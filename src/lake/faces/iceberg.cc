#include "lake/faces/iceberg.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <map>
#include <set>
#include <utility>

#include "base/json.h"
#include "lake/retention.h"
#include "lake/table_config.h"

namespace caudal {
namespace {

constexpr std::uint32_t kFilesPerManifest = 64;
constexpr std::int64_t kLastColumnId = 1000005;
constexpr const char* kVersionKey = "caudal.delta-version";
constexpr const char* kSpecKey = "caudal.spec-id";

/// Live files lie in buckets, a manifest each, so that a commit writes the manifests of the files that it changes and
/// re-lists the others. Their number follows the number of files one by one (linear hashing): a step splits or joins one.
std::uint32_t BucketsOf(std::size_t files) {
  return std::max<std::uint32_t>(1, static_cast<std::uint32_t>((files + kFilesPerManifest - 1) / kFilesPerManifest));
}

std::uint32_t BucketOf(std::string_view file_id, std::uint32_t buckets) {
  std::uint32_t hash = 2166136261U;  // FNV-1a
  for (char c : file_id) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  std::uint32_t half = std::bit_floor(buckets);
  std::uint32_t bucket = hash % (2 * half);
  return bucket < buckets ? bucket : hash % half;
}

/// ".../<uuid>-m12.avro" -> 12.
std::optional<std::uint32_t> BucketInPath(std::string_view path) {
  auto mark = path.rfind("-m");
  if (mark == std::string_view::npos) return std::nullopt;
  std::uint32_t bucket = 0;
  auto [end, error] = std::from_chars(path.data() + mark + 2, path.data() + path.size(), bucket);
  return error == std::errc() && std::string_view(end) == ".avro" ? std::optional(bucket) : std::nullopt;
}

/// Names differ where the bytes do: readers cache lists and manifests by path.
std::string UuidOf(const std::string& table_id, std::int64_t version, const std::string& location, const std::string& what) {
  return DerivedUuid(fmt::format("{}/{}/{}/{}", table_id, version, location, what));
}

Result<std::string> KeyBelow(const std::string& location, const std::string& path) {
  if (path.starts_with(location + "/")) return path.substr(location.size() + 1);
  return Error{ErrorKind::kCorruption, "Iceberg metadata of another place: '" + path + "'", "", ""};
}

class Renderer {
 public:
  Renderer(const Snapshot& snapshot, const LogEntry& entry, const std::string& location)
      : x_snapshot(snapshot),
        x_entry(entry),
        x_spec(SpecOf(snapshot)),
        x_location(location),
        x_buckets(BucketsOf(snapshot.files.size())) {}

  Result<IcebergRendering> Render(const std::optional<IcebergVersion>& before) {
    // A version that is partitioned in another way holds none of the files before it.
    x_respecified = before && std::any_of(before->manifests.begin(), before->manifests.end(),
                                          [&](const IcebergManifest& manifest) { return manifest.spec_id != x_spec.id; });
    FindTouched();
    TRY(WriteManifests());
    if (before) Relist(before->manifests);
    std::sort(x_done.version.manifests.begin(), x_done.version.manifests.end(),
              [](const IcebergManifest& a, const IcebergManifest& b) { return a.path < b.path; });
    WriteList();
    return WriteMetadata(before ? before->metadata : "");
  }

 private:
  void FindTouched() {
    auto live_before = x_snapshot.files.size() + x_entry.removes.size() - x_entry.adds.size();
    auto buckets_before = BucketsOf(live_before);
    for (const LiveFile& file : x_entry.adds) x_touched.insert(BucketOf(file.file_id, x_buckets));
    for (const LogRemove& file : x_entry.removes) x_touched.insert(BucketOf(file.file_id, x_buckets));
    for (auto i = std::min(buckets_before, x_buckets); i < std::max(buckets_before, x_buckets); ++i) {
      x_touched.insert(i);
      x_touched.insert(i - std::bit_floor(i));
    }
  }

  Status WriteManifests() {
    std::map<std::uint32_t, ManifestWriter> writers;
    auto writer = [&](std::uint32_t bucket) -> ManifestWriter& {
      return writers.try_emplace(bucket, x_snapshot, x_spec, x_location).first->second;
    };
    for (const LiveFile& file : x_snapshot.files) {
      auto bucket = BucketOf(file.file_id, x_buckets);
      if (x_touched.contains(bucket)) TRY(writer(bucket).Live(file));
    }
    if (!x_respecified) {  // else they would need the old way to partition, whose column may be gone: no reader scans them
      for (const LogRemove& file : x_entry.removes) TRY(writer(BucketOf(file.file_id, x_buckets)).Deleted(file));
    }
    for (const auto& [bucket, written] : writers) Keep(written, "m" + std::to_string(bucket));
    return {};
  }

  void Keep(const ManifestWriter& writer, const std::string& name) {
    IcebergManifest manifest;
    std::string bytes = writer.Finish(manifest);
    std::string key = "metadata/" + UuidOf(x_snapshot.table_id, x_snapshot.version, x_location, name) + "-" + name + ".avro";
    manifest.path = x_location + "/" + key;
    manifest.length = static_cast<std::int64_t>(bytes.size());
    x_done.version.manifests.push_back(std::move(manifest));
    x_done.objects.push_back(FaceObject{std::move(key), std::move(bytes)});
  }

  /// The manifests that this version leaves as they are. One without live files is listed by its own version alone.
  void Relist(const std::vector<IcebergManifest>& before) {
    for (const IcebergManifest& manifest : before) {
      if (manifest.added_files + manifest.existing_files == 0) continue;
      auto bucket = BucketInPath(manifest.path);
      if (!bucket || x_touched.contains(*bucket) || x_respecified) continue;
      x_done.version.manifests.push_back(manifest);
    }
  }

  void WriteList() {
    x_list_key = IcebergListKeyOf(x_snapshot.table_id, x_snapshot.version, x_location);
    x_done.objects.push_back(FaceObject{x_list_key, ManifestListBytes(x_done.version.manifests, x_snapshot)});
  }

  const char* OperationName() const {
    if (x_entry.kind == ChangeKind::kNone && !x_entry.adds.empty()) return "replace";
    if (x_entry.removes.empty()) return "append";
    return x_entry.adds.empty() ? "delete" : "overwrite";
  }

  Json SummaryJson() const {
    std::int64_t added = 0, deleted = 0;
    for (const LiveFile& file : x_entry.adds) added += file.rows;
    for (const LogRemove& file : x_entry.removes) deleted += file.rows;
    return Json{{"operation", OperationName()},
                {"added-data-files", std::to_string(x_entry.adds.size())},
                {"deleted-data-files", std::to_string(x_entry.removes.size())},
                {"added-records", std::to_string(added)},
                {"deleted-records", std::to_string(deleted)},
                {"total-records", std::to_string(x_snapshot.rows())},
                {"total-data-files", std::to_string(x_snapshot.files.size())},
                {"total-delete-files", "0"},
                {"total-position-deletes", "0"},
                {"total-equality-deletes", "0"},
                {kVersionKey, std::to_string(x_snapshot.version)},
                {kSpecKey, std::to_string(x_spec.id)}};
  }

  Json SnapshotJson() const {
    Json snapshot{{"sequence-number", x_snapshot.version + 1},
                  {"snapshot-id", IcebergSnapshotId(x_snapshot.table_id, x_snapshot.version)},
                  {"timestamp-ms", MillisecondsOf(x_snapshot.time)},
                  {"summary", SummaryJson()},
                  {"manifest-list", x_location + "/" + x_list_key},
                  {"schema-id", SchemaId(x_snapshot.configuration)}};
    if (x_snapshot.version > 0) {
      snapshot["parent-snapshot-id"] = IcebergSnapshotId(x_snapshot.table_id, x_snapshot.version - 1);
    }
    return snapshot;
  }

  Result<IcebergRendering> WriteMetadata(const std::string& before) {
    Json old = Json::object();
    if (!before.empty()) {
      TRY_ASSIGN(old, ParseJson(before, "Iceberg metadata"));
    }
    for (const char* name : {"snapshots", "snapshot-log", "metadata-log", "schemas", "partition-specs"}) {
      if (!old.contains(name) || !old[name].is_array()) old[name] = Json::array();
    }
    auto id = IcebergSnapshotId(x_snapshot.table_id, x_snapshot.version);
    auto time = MillisecondsOf(x_snapshot.time);
    Json snapshots = std::move(old["snapshots"]), log = std::move(old["snapshot-log"]), files = std::move(old["metadata-log"]);
    if (x_snapshot.version > 0) {
      files.push_back(Json{{"timestamp-ms", JsonInt(old, "last-updated-ms", 0)},
                           {"metadata-file", x_location + "/" + IcebergMetadataKey(x_snapshot.version - 1)}});
    }
    snapshots.push_back(SnapshotJson());
    log.push_back(Json{{"timestamp-ms", time}, {"snapshot-id", id}});
    TRY(Retain(snapshots));
    RetainLog(log, snapshots);
    KeepLast(files, kIcebergMetadataFiles);
    TRY_ASSIGN(Json refs, RefsOf(snapshots));
    Json metadata{{"format-version", 2},
                  {"table-uuid", x_snapshot.table_id},
                  {"location", x_location},
                  {"last-sequence-number", x_snapshot.version + 1},
                  {"last-updated-ms", time},
                  {"last-column-id", kLastColumnId},
                  {"current-schema-id", SchemaId(x_snapshot.configuration)},
                  {"schemas", SchemasOf(std::move(old["schemas"]), snapshots)},
                  {"default-spec-id", x_spec.id},
                  {"partition-specs", SpecsOf(std::move(old["partition-specs"]), snapshots)},
                  {"last-partition-id", LastPartitionId(x_spec)},
                  {"default-sort-order-id", 0},
                  {"sort-orders", Json::array({Json{{"order-id", 0}, {"fields", Json::array()}}})},
                  {"properties", PropertiesJson()},
                  {"current-snapshot-id", id},
                  {"refs", std::move(refs)},
                  {"snapshots", std::move(snapshots)},
                  {"statistics", Json::array()},
                  {"snapshot-log", std::move(log)},
                  {"metadata-log", std::move(files)}};
    x_done.version.metadata = DumpJson(metadata);
    x_done.objects.push_back(FaceObject{IcebergMetadataKey(x_snapshot.version), x_done.version.metadata});
    return std::move(x_done);
  }

  static std::int64_t VersionOf(const Json& snapshot) { return JsonInt(snapshot, "sequence-number", 0) - 1; }

  /// Keeps the newest snapshots down to the horizon, and those with a name.
  Status Retain(Json& snapshots) {
    TRY_ASSIGN(const auto savepoints, SavepointsOf(x_snapshot));
    const std::int64_t oldest = std::max(HorizonOf(x_snapshot), x_snapshot.version - kIcebergSnapshots + 1);
    std::vector<bool> keeps;
    for (const Json& snapshot : snapshots) {
      const std::int64_t version = VersionOf(snapshot);
      keeps.push_back(version >= oldest || std::any_of(savepoints.begin(), savepoints.end(), [&](const Savepoint& s) { return s.version == version; }));
    }
    for (std::size_t at = 0; at < keeps.size(); ++at) {
      const bool beside = (at > 0 && !keeps[at - 1]) || (at + 1 < keeps.size() && !keeps[at + 1]);
      if (keeps[at] && !beside) continue;
      TRY_ASSIGN(std::string list, KeyBelow(x_location, JsonString(snapshots[at], "manifest-list", "")));
      (keeps[at] ? x_done.neighbour_lists : x_done.expired_lists).push_back(std::move(list));
    }
    Json kept = Json::array();
    for (std::size_t at = 0; at < keeps.size(); ++at) {
      if (keeps[at]) kept.push_back(std::move(snapshots[at]));
    }
    snapshots = std::move(kept);
    return {};
  }

  static void RetainLog(Json& log, const Json& snapshots) {
    std::set<long long> ids;
    for (const Json& snapshot : snapshots) ids.insert(JsonInt(snapshot, "snapshot-id", 0));
    Json kept = Json::array();
    for (Json& line : log) {
      if (ids.contains(JsonInt(line, "snapshot-id", 0))) kept.push_back(std::move(line));
    }
    log = std::move(kept);
  }

  /// The newest version, and a tag for each savepoint whose snapshot is still named.
  Result<Json> RefsOf(const Json& snapshots) const {
    Json refs{{"main", {{"snapshot-id", IcebergSnapshotId(x_snapshot.table_id, x_snapshot.version)}, {"type", "branch"}}}};
    TRY_ASSIGN(const auto savepoints, SavepointsOf(x_snapshot));
    for (const Savepoint& savepoint : savepoints) {
      const bool named = std::any_of(snapshots.begin(), snapshots.end(), [&](const Json& s) { return VersionOf(s) == savepoint.version; });
      if (named) refs[savepoint.name] = {{"snapshot-id", IcebergSnapshotId(x_snapshot.table_id, savepoint.version)}, {"type", "tag"}};
    }
    return refs;
  }

  static void KeepLast(Json& list, std::int64_t count) {
    auto over = static_cast<std::int64_t>(list.size()) - count;
    if (over > 0) list.erase(list.begin(), list.begin() + over);
  }

  /// Those that a retained snapshot names, ordered by id.
  Json SchemasOf(Json schemas, const Json& snapshots) const {
    std::set<long long> used;
    for (const Json& snapshot : snapshots) used.insert(JsonInt(snapshot, "schema-id", 0));
    auto current = SchemaId(x_snapshot.configuration);
    Json kept = Json::array();
    for (Json& schema : schemas) {
      auto id = JsonInt(schema, "schema-id", -1);
      if (id != current && used.contains(id)) kept.push_back(std::move(schema));
    }
    kept.push_back(IcebergSchema(x_snapshot.schema, current));
    return kept;
  }

  /// Those of the retained snapshots.
  Json SpecsOf(Json specs, const Json& snapshots) const {
    long long oldest = x_spec.id;
    for (const Json& snapshot : snapshots) {
      auto summary = snapshot.find("summary");
      if (summary == snapshot.end()) continue;
      const std::string id = JsonString(*summary, kSpecKey, "");
      long long number = 0;
      std::from_chars(id.data(), id.data() + id.size(), number);
      oldest = std::min(oldest, number);
    }
    Json kept = Json::array();
    for (Json& spec : specs) {
      auto id = JsonInt(spec, "spec-id", -1);
      if (id != x_spec.id && id >= oldest) kept.push_back(std::move(spec));
    }
    kept.push_back(Json{{"spec-id", x_spec.id}, {"fields", SpecFields(x_spec)}});
    return kept;
  }

  Json PropertiesJson() const {
    return Json{{"schema.name-mapping.default", IcebergNameMapping(x_snapshot.schema)},
                {"write.data.path", x_location + "/metadata/foreign"},
                {"gc.enabled", "false"}};
  }

  const Snapshot& x_snapshot;
  const LogEntry& x_entry;
  const PartitionSpec x_spec;
  const std::string& x_location;
  const std::uint32_t x_buckets;
  std::set<std::uint32_t> x_touched;
  bool x_respecified = false;
  std::string x_list_key;
  IcebergRendering x_done;
};

}  // namespace

Result<IcebergRendering> RenderIceberg(const Snapshot& snapshot, const LogEntry& entry,
                                       const std::optional<IcebergVersion>& before, const std::string& location) {
  return Renderer(snapshot, entry, location).Render(before);
}

std::string IcebergMetadataKey(std::int64_t version) { return fmt::format("metadata/v{}.metadata.json", version + 1); }

std::string IcebergListKeyOf(const std::string& table_id, std::int64_t version, const std::string& location) {
  return fmt::format("metadata/snap-{}-1-{}.avro", IcebergSnapshotId(table_id, version), UuidOf(table_id, version, location, "list"));
}

Result<std::string> IcebergListKey(const std::string& metadata, const std::string& location) {
  TRY_ASSIGN(Json json, ParseJson(metadata, "Iceberg metadata"));
  auto snapshots = json.find("snapshots");
  std::string list;
  if (snapshots != json.end() && snapshots->is_array() && !snapshots->empty()) {
    list = JsonString(snapshots->back(), "manifest-list", "");
  }
  return KeyBelow(location, list);
}

}  // namespace caudal
