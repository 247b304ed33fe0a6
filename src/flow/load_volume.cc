#include "flow/load_volume.h"

#include <algorithm>

#include "quality/volume.h"

namespace caudal {
namespace {

constexpr std::size_t kLoads = 10, kFiles = 30;
constexpr std::int64_t kVersions = 100;  // how far back loads are looked for

/// A load that can be compared with: not one that made the table anew, nor rows that came again as they were.
bool IsUsual(const CommitRecord& commit, bool replaces) {
  if (!commit.counts || commit.change == ChangeKind::kNone) return false;
  return commit.operation != "REBUILD" && (replaces || commit.operation != "REPLACE");
}

Result<std::vector<std::int64_t>> RowsBefore(const LoadAtHand& load, bool replaces) {
  std::vector<std::int64_t> rows;
  if (load.base == nullptr) return rows;
  const std::int64_t newest = load.base->version;
  TRY_ASSIGN(const auto commits, load.table.History(std::max<std::int64_t>(newest - kVersions, -1), newest));
  for (auto commit = commits.rbegin(); commit != commits.rend(); ++commit) {
    if (!IsUsual(*commit, replaces)) continue;
    if (!load.expected.volume->per_file) {
      rows.push_back(commit->counts->read);
      if (rows.size() == kLoads) return rows;
      continue;
    }
    for (const RawObject& object : commit->raw) {
      if (rows.size() < kFiles) rows.push_back(object.rows);
    }
  }
  return rows;
}

CheckResult NotCounted(const Volume& volume) {
  CheckResult result;
  result.id = result.check.name = "volume";
  result.check.place = volume.place;
  result.verdict = Verdict::kWarn;
  result.message = result.observed = "rows of Parquet files are not counted one by one: write per: load";
  return result;
}

}  // namespace

Result<std::optional<CheckResult>> CheckVolume(const LoadAtHand& load) {
  if (!load.expected.volume) return std::optional<CheckResult>();
  const Volume& volume = *load.expected.volume;
  const bool replaces = load.stream.write_disposition == WriteDisposition::kReplace;
  if (!volume.per_file && !replaces && (load.base == nullptr || load.anew)) return std::optional<CheckResult>();
  VolumeFacts facts;
  if (volume.per_file) {
    const bool parquet = std::any_of(load.extracted.objects.begin(), load.extracted.objects.end(),
                                     [](const RawObject& object) { return object.key.ends_with(".parquet"); });
    if (parquet) return std::optional(NotCounted(volume));
    for (const RawObject& object : load.extracted.objects) facts.parts.push_back({object.origin, object.rows});
  } else {
    facts.parts.push_back({"", load.rows_read});
  }
  // A history that was purged or cannot be read is none to compare with: the band's own ends still hold.
  Result<std::vector<std::int64_t>> before = RowsBefore(load, replaces);
  if (before) facts.usual = *std::move(before);
  if (!before && before.error().kind != ErrorKind::kNotFound) return std::move(before).error();
  return std::optional(JudgeVolume(volume, facts));
}

}  // namespace caudal
