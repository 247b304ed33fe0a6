#include "lake/faces/faces.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <tuple>
#include <utility>

#include "base/ids.h"
#include "base/json.h"
#include "lake/faces/hudi.h"
#include "lake/faces/iceberg.h"
#include "lake/retention.h"

namespace caudal {
namespace {

using SharedSnapshot = std::shared_ptr<const Snapshot>;

bool Missing(const Error& error) { return error.kind == ErrorKind::kNotFound; }

/// The object's bytes, or nothing where there is none.
Result<std::optional<std::string>> Read(const ObjectStore& store, const std::string& key) {
  auto bytes = store.Get(key);
  if (bytes) return std::optional(*std::move(bytes));
  if (Missing(bytes.error())) return std::optional<std::string>();
  return std::move(bytes).error();
}

Result<bool> Exists(const ObjectStore& store, const std::string& key) {
  auto head = store.Head(key);
  if (head) return true;
  if (Missing(head.error())) return false;
  return std::move(head).error();
}

/// Makes the object hold these bytes, whatever it held.
Status PutExactly(ObjectStore& store, const std::string& key, const std::string& bytes) {
  auto put = store.PutIfAbsent(key, bytes);
  if (put || put.error().kind != ErrorKind::kAlreadyExists) return put;
  TRY_ASSIGN(auto there, Read(store, key));
  if (there == bytes) return {};
  return store.Put(key, bytes);
}

class HudiKeeper {
 public:
  HudiKeeper(const ObjectStore& store, const std::string& prefix, Log& log, const Snapshot& newest)
      : x_store(store), x_root(prefix + "/"), x_log(log), x_newest(newest) {}

  /// The oldest version that is missing, or the newest one: from there on everything is put.
  Result<std::int64_t> First() const {
    std::int64_t first = x_newest.version;
    TRY_ASSIGN(const std::int64_t oldest, OldestKept(x_newest));
    while (first > oldest) {
      TRY_ASSIGN(auto entry, x_log.Entry(first - 1));
      TRY_ASSIGN(bool there, Exists(x_store, x_root + HudiCommitKey(*entry)));
      if (there) break;
      --first;
    }
    return first;
  }

  Result<FaceObject> Of(std::int64_t version) const {
    TRY_ASSIGN(auto entry, x_log.Entry(version));
    if (version == x_newest.version) return HudiCommit(x_newest, *entry);
    TRY_ASSIGN(SharedSnapshot snapshot, x_log.At(version));
    return HudiCommit(*snapshot, *entry);
  }

 private:
  const ObjectStore& x_store;
  const std::string x_root;
  Log& x_log;
  const Snapshot& x_newest;
};

class IcebergKeeper {
 public:
  IcebergKeeper(const ObjectStore& store, const std::string& prefix, Log& log, const Snapshot& newest)
      : x_store(store), x_root(prefix + "/"), x_location(store.Url() + "/" + prefix), x_log(log), x_newest(newest) {}

  /// The version as it lies in the store, or nothing where it is not whole.
  Result<std::optional<IcebergVersion>> Load(std::int64_t version) const {
    TRY_ASSIGN(auto metadata, Read(x_store, x_root + IcebergMetadataKey(version)));
    if (!metadata) return std::optional<IcebergVersion>();
    auto key = IcebergListKey(*metadata, x_location);
    if (!key) return std::optional<IcebergVersion>();
    TRY_ASSIGN(auto list, Read(x_store, x_root + *key));
    if (!list) return std::optional<IcebergVersion>();
    auto manifests = ReadManifestList(*list);
    if (!manifests) return std::optional<IcebergVersion>();
    return std::optional(IcebergVersion{*std::move(manifests), *std::move(metadata)});
  }

  /// Calls `each` with the rendering of every version from the first after `done` to the newest; where `done` is not whole,
  /// from the first after the latest version before it that is, else from version 0.
  template <typename Each>
  Status ForEach(std::int64_t done, const Each& each) const {
    std::optional<IcebergVersion> before;
    std::int64_t version = done;
    for (const auto last = done - kIcebergMetadataFiles; version >= 0 && version > last; --version) {
      TRY_ASSIGN(before, Load(version));
      if (before) break;
    }
    version = before ? version + 1 : 0;
    for (; version <= x_newest.version; ++version) {
      TRY_ASSIGN(IcebergRendering rendering, Render(version, before));
      TRY(each(version, rendering));
      before = std::move(rendering.version);
    }
    return {};
  }

 private:
  Result<IcebergRendering> Render(std::int64_t version, const std::optional<IcebergVersion>& before) const {
    TRY_ASSIGN(auto entry, x_log.Entry(version));
    SharedSnapshot older;
    if (version != x_newest.version) {
      TRY_ASSIGN(older, x_log.At(version));
    }
    return RenderIceberg(older ? *older : x_newest, *entry, before, x_location);
  }

  const ObjectStore& x_store;
  const std::string x_root;
  const std::string x_location;
  Log& x_log;
  const Snapshot& x_newest;
};

/// Iceberg's paths are absolute: the face of a lake that was moved or copied names files elsewhere.
Result<bool> IcebergIsAt(const ObjectStore& store, const std::string& prefix, std::int64_t version) {
  constexpr std::int64_t kHead = 4096;  // the location is among the first members
  auto head = store.GetRange(prefix + "/" + IcebergMetadataKey(version), 0, kHead);
  if (!head && Missing(head.error())) return false;
  if (!head) return std::move(head).error();
  return head->find("\"location\":" + DumpJson(store.Url() + "/" + prefix) + ",") != std::string::npos;
}

/// The version that the hint names, -1 where it names none.
std::int64_t VersionOfHint(std::string_view hint) {
  std::int64_t number = 0;
  auto [end, error] = std::from_chars(hint.data(), hint.data() + hint.size(), number);
  return error == std::errc() && end == hint.data() + hint.size() && number > 0 ? number - 1 : -1;
}

/// True for the name of a completed instant of the timeline.
bool IsHudiInstant(std::string_view name) {
  return name.find('/') == std::string_view::npos && (name.ends_with(".commit") || name.ends_with(".replacecommit"));
}

Status DropHudi(ObjectStore& store, const std::string& root) {
  TRY_ASSIGN(bool there, Exists(store, root + kHudiPropertiesKey));
  if (!there) return {};
  const std::string folder = root + ".hoodie/";
  TRY_ASSIGN(auto objects, store.List(folder, ""));
  // The newest first: what is left by a death in between has no gap, so a later rendering sees where it ends.
  for (auto object = objects.rbegin(); object != objects.rend(); ++object) {
    if (IsHudiInstant(std::string_view(object->key).substr(folder.size()))) TRY(store.Delete(object->key));
  }
  return store.Delete(root + kHudiPropertiesKey);  // last: while it is there, dropping goes on
}

/// Objects in metadata/ that have names of ours; what a foreign writer put beside them is not touched.
bool IsIcebergName(std::string_view name) {
  static const std::regex kOurs(R"((v\d+\.metadata\.json|snap-\d+-1-[0-9a-f-]{36}\.avro|[0-9a-f-]{36}-m\d+\.avro))");
  return std::regex_match(name.begin(), name.end(), kOurs);
}

Status DropIceberg(ObjectStore& store, const std::string& root) {
  std::string folder = root + "metadata/";
  TRY_ASSIGN(bool there, Exists(store, root + kIcebergHintKey));
  if (!there) return {};
  TRY_ASSIGN(auto objects, store.List(folder, ""));
  std::erase_if(objects, [&](const ObjectInfo& object) { return !IsIcebergName(std::string_view(object.key).substr(folder.size())); });
  // What names others goes first, the newest before the older ones: a rendering that comes after a death in between builds
  // on a version that lacks nothing.
  auto rank = [](const ObjectInfo& object) { return std::tuple(object.key.ends_with(".json"), object.key.size(), object.key); };
  std::sort(objects.begin(), objects.end(), [&](const ObjectInfo& a, const ObjectInfo& b) { return rank(a) > rank(b); });
  for (const ObjectInfo& object : objects) TRY(store.Delete(object.key));
  return store.Delete(root + kIcebergHintKey);  // last: while it is there, dropping goes on
}

Status RenderHudi(ObjectStore& store, const std::string& prefix, Log& log, const Snapshot& newest, RenderExtent extent) {
  std::string root = prefix + "/";
  HudiKeeper keeper(store, prefix, log, newest);
  TRY_ASSIGN(std::int64_t first, extent == RenderExtent::kMissing ? keeper.First() : OldestKept(newest));
  for (std::int64_t version = first; version <= newest.version; ++version) {
    TRY_ASSIGN(FaceObject object, keeper.Of(version));
    TRY(PutExactly(store, root + object.key, object.bytes));
  }
  return PutExactly(store, root + kHudiPropertiesKey, HudiProperties(newest).bytes);
}

/// The lists that this version gives up go, and the manifests that no list beside them names. (A manifest is listed by
/// consecutive versions: one that is still needed stands in a list next to those that go.)
Status Expire(ObjectStore& store, const std::string& root, const std::string& location, const IcebergRendering& rendering) {
  if (rendering.expired_lists.empty()) return {};
  auto manifests_of = [&](const std::string& list) -> Result<std::optional<std::vector<IcebergManifest>>> {
    TRY_ASSIGN(auto bytes, Read(store, root + list));
    auto manifests = bytes ? ReadManifestList(*bytes) : Result<std::vector<IcebergManifest>>(std::vector<IcebergManifest>());
    if (bytes && manifests) return std::optional(*std::move(manifests));
    return std::optional<std::vector<IcebergManifest>>();
  };
  std::set<std::string> needed;
  for (const std::string& list : rendering.neighbour_lists) {
    TRY_ASSIGN(auto manifests, manifests_of(list));
    if (!manifests) return {};  // doctor names it; until then nothing goes
    for (const IcebergManifest& manifest : *manifests) needed.insert(manifest.path);
  }
  for (const std::string& list : rendering.expired_lists) {
    TRY_ASSIGN(auto manifests, manifests_of(list));
    for (const IcebergManifest& manifest : manifests ? *manifests : std::vector<IcebergManifest>()) {
      bool ours = manifest.path.starts_with(location + "/");
      if (ours && !needed.contains(manifest.path)) TRY(store.Delete(root + manifest.path.substr(location.size() + 1)));
    }
    TRY(store.Delete(root + list));
  }
  return {};
}

Status RenderIcebergUpTo(ObjectStore& store, const std::string& prefix, Log& log, const Snapshot& newest, RenderExtent extent) {
  std::string root = prefix + "/";
  TRY_ASSIGN(auto hint, Read(store, root + kIcebergHintKey));
  std::int64_t done = -1;  // the newest version of which nothing is left to do
  if (hint) {
    done = VersionOfHint(*hint);
    TRY_ASSIGN(bool here, IcebergIsAt(store, prefix, done));
    if (!here) TRY(DropIceberg(store, root));
    if (!here) done = -1;
  }
  IcebergKeeper keeper(store, prefix, log, newest);
  auto put = [&](std::int64_t version, const IcebergRendering& rendering) -> Status {
    for (const FaceObject& object : rendering.objects) TRY(PutExactly(store, root + object.key, object.bytes));
    if (version > kIcebergMetadataFiles) TRY(store.Delete(root + IcebergMetadataKey(version - kIcebergMetadataFiles - 1)));
    return Expire(store, root, store.Url() + "/" + prefix, rendering);
  };
  TRY(keeper.ForEach(extent == RenderExtent::kAll ? -1 : std::min(done, newest.version - 1), put));
  return PutExactly(store, root + kIcebergHintKey, std::to_string(newest.version + 1));
}

class Checker {
 public:
  Checker(const ObjectStore& store, std::string root) : x_store(store), x_root(std::move(root)) {}

  Status Compare(const FaceObject& object) {
    TRY_ASSIGN(auto there, Read(x_store, x_root + object.key));
    if (!there) x_wrong.push_back(object.key + " is missing");
    if (there && *there != object.bytes) x_wrong.push_back(object.key + " does not hold what the log says");
    return {};
  }

  Status CompareDigest(const std::string& key, const std::string& sha256) {
    TRY_ASSIGN(auto there, Read(x_store, x_root + key));
    if (!there) x_wrong.push_back(key + " is missing");
    if (there && Sha256Hex(*there) != sha256) x_wrong.push_back(key + " does not hold what the log says");
    return {};
  }

  std::vector<std::string> x_wrong;

 private:
  const ObjectStore& x_store;
  const std::string x_root;
};

/// Memory holds the bytes of one version, and the digests of what the named snapshots have.
Status CheckIceberg(const IcebergKeeper& keeper, const std::string& location, const Snapshot& newest, Checker& checker) {
  std::map<std::string, std::string> digests;  // key of a manifest or a list -> SHA-256
  std::map<std::string, std::vector<std::string>> named;  // list -> its manifests
  auto look = [&](std::int64_t version, const IcebergRendering& rendering) -> Status {
    for (const FaceObject& object : rendering.objects) {
      const bool metadata = object.key == IcebergMetadataKey(version);
      if (!metadata) digests[object.key] = Sha256Hex(object.bytes);
      if (metadata && version + kIcebergMetadataFiles >= newest.version) TRY(checker.Compare(object));
    }
    auto& manifests = named[IcebergListKeyOf(newest.table_id, version, location)];
    for (const IcebergManifest& manifest : rendering.version.manifests) manifests.push_back(manifest.path.substr(location.size() + 1));
    for (const std::string& list : rendering.expired_lists) named.erase(list);
    return {};
  };
  TRY(keeper.ForEach(-1, look));
  std::set<std::string> keys;
  for (const auto& [list, manifests] : named) {
    keys.insert(list);
    keys.insert(manifests.begin(), manifests.end());
  }
  for (const std::string& key : keys) TRY(checker.CompareDigest(key, digests[key]));
  return {};
}

}  // namespace

Status RenderFormats(ObjectStore& store, const std::string& prefix, Log& log, const Snapshot& newest, TableFormats formats,
                     RenderExtent extent) {
  Status hudi = formats.hudi ? RenderHudi(store, prefix, log, newest, extent) : DropHudi(store, prefix + "/");
  Status iceberg = formats.iceberg ? RenderIcebergUpTo(store, prefix, log, newest, extent) : DropIceberg(store, prefix + "/");
  return hudi ? iceberg : hudi;
}

Status TrimFormats(ObjectStore& store, const std::string& prefix, Log& log, const Snapshot& newest) {
  const std::string folder = prefix + "/.hoodie/";
  TRY_ASSIGN(const std::int64_t version, OldestKept(newest));
  TRY_ASSIGN(const auto oldest, log.Entry(version));
  TRY_ASSIGN(const auto objects, store.List(folder, ""));
  for (const ObjectInfo& object : objects) {
    const std::string_view name = std::string_view(object.key).substr(folder.size());
    const bool instant = IsHudiInstant(name);
    if (instant && name.substr(0, oldest->instant.size()) < oldest->instant) TRY(store.Delete(object.key));
  }
  return {};
}

Result<std::string> FormatsBehind(const ObjectStore& store, const std::string& prefix, const LogEntry& newest, TableFormats formats) {
  std::string root = prefix + "/";
  TRY_ASSIGN(bool properties, Exists(store, root + kHudiPropertiesKey));
  TRY_ASSIGN(bool instant, Exists(store, root + HudiCommitKey(newest)));
  TRY_ASSIGN(auto hint, Read(store, root + kIcebergHintKey));
  if (!formats.hudi && properties) return std::string("readers of Hudi still find it, though `formats` leaves hudi out");
  if (!formats.iceberg && hint) return std::string("readers of Iceberg still find it, though `formats` leaves iceberg out");
  if (formats.hudi && !(properties && instant)) return std::string("readers of Hudi see an older version");
  if (!formats.iceberg) return std::string();
  if (hint != std::to_string(newest.version + 1)) return std::string("readers of Iceberg see an older version");
  TRY_ASSIGN(bool here, IcebergIsAt(store, prefix, newest.version));
  return std::string(here ? "" : "readers of Iceberg are sent to another place, where the lake was before");
}

Result<std::vector<std::string>> CheckFormats(const ObjectStore& store, const std::string& prefix, Log& log,
                                            const Snapshot& newest, TableFormats formats) {
  Checker checker(store, prefix + "/");
  if (formats.hudi) {
    HudiKeeper keeper(store, prefix, log, newest);
    TRY_ASSIGN(std::int64_t version, OldestKept(newest));
    for (; version <= newest.version; ++version) {
      TRY_ASSIGN(FaceObject object, keeper.Of(version));
      TRY(checker.Compare(object));
    }
    TRY(checker.Compare(HudiProperties(newest)));
  }
  if (formats.iceberg) {
    TRY(CheckIceberg(IcebergKeeper(store, prefix, log, newest), store.Url() + "/" + prefix, newest, checker));
    TRY(checker.Compare(FaceObject{kIcebergHintKey, std::to_string(newest.version + 1)}));
  }
  return std::move(checker.x_wrong);
}

}  // namespace caudal
