#include "lake/replay.h"

#include <utility>

#include "lake/table_config.h"

namespace caudal {
namespace {

Error Broken(std::int64_t version, const std::string& why) {
  return Error{ErrorKind::kCorruption, "the log entry " + LogFileName(version) + " does not follow: " + why,
               "restore the table's _delta_log from a backup", ""};
}

}  // namespace

void ApplyMetadata(const LogMetadata& metadata, Snapshot& snapshot) {
  snapshot.table_id = metadata.id;
  snapshot.created = FromMilliseconds(metadata.created_ms);
  snapshot.name = metadata.name;
  snapshot.schema = metadata.schema;
  snapshot.partition_columns = metadata.partition_columns;
  snapshot.configuration = metadata.configuration;
  snapshot.key = KeyColumns(metadata.configuration);
}

Status Replay::Apply(LogEntry entry) {
  if (entry.version != version() + 1) return Broken(entry.version, "the version before it is " + std::to_string(version()));
  for (LogRemove& remove : entry.removes) {
    auto it = x_files.find(remove.path);
    bool live = it != x_files.end() ? it->second.has_value() : x_base && x_base->Find(remove.path) != nullptr;
    if (!live) return Broken(entry.version, "it removes " + remove.path + ", which is not there");
    x_files[std::move(remove.path)] = std::nullopt;
  }
  for (LiveFile& add : entry.adds) {
    std::string path = add.path;
    auto it = x_files.find(path);
    bool live = it != x_files.end() ? it->second.has_value() : x_base && x_base->Find(path) != nullptr;
    if (live) return Broken(entry.version, "it adds " + path + ", which is there already");
    x_files[std::move(path)] = std::move(add);
  }
  for (auto& [domain, configuration] : entry.domains) x_domains[domain] = std::move(configuration);
  if (entry.metadata) x_metadata = std::move(entry.metadata);
  x_version = entry.version;
  x_time = entry.time;
  x_instant = entry.instant;
  return {};
}

Result<std::shared_ptr<const Snapshot>> Replay::Finish() {
  if (!x_version) return std::move(x_base);
  auto next = std::make_shared<Snapshot>();
  if (x_base) {
    next->created = x_base->created;
    next->table_id = x_base->table_id;
    next->name = x_base->name;
    next->schema = x_base->schema;
    next->partition_columns = x_base->partition_columns;
    next->key = x_base->key;
    next->configuration = x_base->configuration;
    next->domains = x_base->domains;
  }
  next->version = *x_version;
  next->time = x_time;
  next->instant = x_instant;
  if (x_metadata) ApplyMetadata(*x_metadata, *next);
  for (auto& [domain, configuration] : x_domains) {
    if (configuration) {
      next->domains[domain] = std::move(*configuration);
    } else {
      next->domains.erase(domain);
    }
  }
  auto changed = x_files.begin();
  static const std::vector<LiveFile> kNone;
  const auto& before = x_base ? x_base->files : kNone;
  next->files.reserve(before.size() + x_files.size());
  for (const LiveFile& file : before) {
    for (; changed != x_files.end() && changed->first < file.path; ++changed) {
      if (changed->second) next->files.push_back(std::move(*changed->second));
    }
    if (changed != x_files.end() && changed->first == file.path) {
      if (changed->second) next->files.push_back(std::move(*changed->second));
      ++changed;
    } else {
      next->files.push_back(file);
    }
  }
  for (; changed != x_files.end(); ++changed) {
    if (changed->second) next->files.push_back(std::move(*changed->second));
  }
  x_files.clear();
  return std::shared_ptr<const Snapshot>(std::move(next));
}

}  // namespace caudal
