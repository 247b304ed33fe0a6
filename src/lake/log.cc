#include "lake/log.h"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <utility>
#include <vector>

#include "lake/replay.h"
#include "lake/snapshot_file.h"

namespace caudal {
namespace {

constexpr std::size_t kRecentEntries = 64;
constexpr std::size_t kOlderSnapshots = 4;
constexpr std::string_view kKeptName = ".snapshot";
constexpr std::size_t kKeptSnapshots = 2;

/// Versions between two kept snapshots: the more files a table has, the more a snapshot costs.
std::int64_t KeptEvery(const Snapshot& snapshot) {
  constexpr std::size_t kLeast = 32, kFilesAVersion = 64;
  return static_cast<std::int64_t>(std::bit_ceil(std::max(kLeast, snapshot.files.size() / kFilesAVersion)));
}

/// The version in "00000000000000000012.json", or -1 for other objects of the folder (checkpoints, checksums).
std::int64_t VersionOf(std::string_view name) {
  constexpr std::size_t kDigits = 20;
  if (name.size() != kDigits + 5 || name.substr(kDigits) != ".json") return -1;
  std::int64_t version = -1;
  auto [end, error] = std::from_chars(name.data(), name.data() + kDigits, version);
  return error == std::errc() && end == name.data() + kDigits ? version : -1;
}

/// "silver.orders" of "silver/orders".
std::string TableOf(std::string prefix) {
  if (auto slash = prefix.rfind('/'); slash != std::string::npos) prefix[slash] = '.';
  return prefix;
}

Error OfTable(const std::string& prefix, const std::string& key, Error error) {
  error.message = TableOf(prefix) + ": " + error.message;
  if (error.kind == ErrorKind::kCorruption) error.next = "restore " + key + " from a backup, then run `caudal doctor`";
  return error;
}

Error Gap(const std::string& prefix, const std::string& key) {
  return OfTable(prefix, key, Error{ErrorKind::kCorruption, "a log entry is missing: " + key, "", ""});
}

}  // namespace

std::string Log::KeyOfVersion(std::int64_t version) const { return x_prefix + "/_delta_log/" + LogFileName(version); }

Result<std::shared_ptr<const LogEntry>> Log::Load(std::int64_t version) {
  if (auto it = x_recent.find(version); it != x_recent.end()) return it->second;
  TRY_ASSIGN(std::string text, x_store.Get(KeyOfVersion(version)));
  auto entry = ReadLogText(version, text);
  if (!entry) return OfTable(x_prefix, KeyOfVersion(version), std::move(entry).error());
  std::shared_ptr<const LogEntry> shared = std::make_shared<LogEntry>(*std::move(entry));
  x_recent[version] = shared;
  if (x_recent.size() > kRecentEntries) x_recent.erase(x_recent.begin());
  return shared;
}

std::shared_ptr<const Snapshot> Log::Kept() {
  auto objects = x_store.List(KeptFolder(), "");
  if (!objects) return nullptr;
  for (auto object = objects->rbegin(); object != objects->rend(); ++object) {
    auto bytes = x_store.Get(object->key);
    auto snapshot = bytes ? ReadSnapshot(*bytes) : Result<Snapshot>(std::move(bytes).error());
    if (!snapshot) continue;
    auto entry = Load(snapshot->version);
    if (entry && (*entry)->instant == snapshot->instant) return std::make_shared<const Snapshot>(*std::move(snapshot));
  }
  return nullptr;
}

Status Log::Keep(const Snapshot& snapshot) {
  if (snapshot.version == 0 || snapshot.version % KeptEvery(snapshot) != 0) return {};
  TRY_ASSIGN(auto older, x_store.List(KeptFolder(), ""));
  TRY(x_store.Put(fmt::format("{}{:020}{}", KeptFolder(), snapshot.version, kKeptName), SnapshotBytes(snapshot)));
  for (std::size_t i = 0; i + kKeptSnapshots <= older.size(); ++i) TRY(x_store.Delete(older[i].key));
  return {};
}

Status Log::ReadAll() {
  x_latest = Kept();
  if (x_latest) return ReadOn();
  std::string folder = x_prefix + "/_delta_log/";
  TRY_ASSIGN(auto objects, x_store.List(folder, ""));
  Replay replay(nullptr);
  for (const ObjectInfo& object : objects) {
    std::int64_t version = VersionOf(std::string_view(object.key).substr(folder.size()));
    if (version < 0) continue;
    if (version != replay.version() + 1) return Gap(x_prefix, KeyOfVersion(replay.version() + 1));
    TRY_ASSIGN(auto entry, Load(version));
    TRY(replay.Apply(*entry));
  }
  if (replay.version() < 0) {
    return Error{ErrorKind::kNotFound, "there is no table at " + x_store.Url() + "/" + x_prefix,
                 "`caudal run -s +" + TableOf(x_prefix) + "` builds it", ""};
  }
  TRY_ASSIGN(x_latest, replay.Finish());
  return {};
}

Status Log::ReadOn() {
  Replay replay(x_latest);
  for (;;) {
    auto entry = Load(replay.version() + 1);
    if (!entry && entry.error().kind == ErrorKind::kNotFound) break;
    if (!entry) return std::move(entry).error();
    TRY(replay.Apply(**entry));
  }
  TRY_ASSIGN(x_latest, replay.Finish());
  return {};
}

Result<std::shared_ptr<const Snapshot>> Log::Latest() {
  std::lock_guard lock(x_mutex);
  if (x_latest) {
    TRY(ReadOn());
  } else {
    TRY(ReadAll());
  }
  return x_latest;
}

Result<std::shared_ptr<const Snapshot>> Log::At(std::int64_t version) {
  TRY_ASSIGN(auto latest, Latest());
  if (version == latest->version) return latest;
  if (version < 0 || version > latest->version) {
    return Error{ErrorKind::kNotFound,
                 x_prefix + " has no version " + std::to_string(version) + "; it has 0 to " +
                     std::to_string(latest->version),
                 "", ""};
  }
  std::lock_guard lock(x_mutex);
  std::shared_ptr<const Snapshot> base;
  if (auto after = x_older.upper_bound(version); after != x_older.begin()) base = std::prev(after)->second;
  if (base && base->version == version) return base;
  Replay replay(base);
  while (replay.version() < version) {
    TRY_ASSIGN(auto entry, Load(replay.version() + 1));
    TRY(replay.Apply(*entry));
  }
  TRY_ASSIGN(auto snapshot, replay.Finish());
  if (x_older.size() >= kOlderSnapshots) x_older.erase(x_older.begin());
  x_older[version] = snapshot;
  return snapshot;
}

Result<std::shared_ptr<const LogEntry>> Log::Entry(std::int64_t version) {
  std::lock_guard lock(x_mutex);
  return Load(version);
}

}  // namespace caudal
