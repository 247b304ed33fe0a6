#include "lake/snapshot.h"

#include <algorithm>
#include <utility>

#include "lake/delta_stats.h"

namespace caudal {

std::int64_t Snapshot::rows() const {
  std::int64_t sum = 0;
  for (const LiveFile& file : files) sum += file.rows;
  return sum;
}

std::int64_t Snapshot::size_bytes() const {
  std::int64_t sum = 0;
  for (const LiveFile& file : files) sum += file.size_bytes;
  return sum;
}

const LiveFile* Snapshot::Find(std::string_view path) const {
  auto it = std::lower_bound(files.begin(), files.end(), path,
                             [](const LiveFile& file, std::string_view wanted) { return file.path < wanted; });
  return it != files.end() && it->path == path ? &*it : nullptr;
}

Result<std::map<std::string, ColumnStats>> StatsOf(const Snapshot& snapshot, const LiveFile& file) {
  if (!file.stats) return std::map<std::string, ColumnStats>{};
  TRY_ASSIGN(DeltaStats stats, DeltaStatsReader(snapshot.schema).Read(*file.stats));
  return std::move(stats.columns);
}

std::string_view ChangeKindName(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::kNone: return "none";
    case ChangeKind::kAppend: return "append";
    case ChangeKind::kUpsert: return "upsert";
    case ChangeKind::kDelete: return "delete";
    case ChangeKind::kOverwrite: return "overwrite";
  }
  return "none";
}

}  // namespace caudal
