#include "flow/raw_history.h"

#include "base/json.h"

namespace caudal {
namespace {

/// The version that a rollback went back to; -1 for another commit.
std::int64_t RestoredBy(const CommitRecord& commit) {
  if (commit.operation != "ROLLBACK" || commit.note.empty()) return -1;
  const auto note = ParseJson(commit.note, "the note of a rollback");
  return note ? JsonInt(*note, "restores", -1) : -1;
}

}  // namespace

std::vector<RawObject> RawObjectsOf(const std::vector<CommitRecord>& history, bool replaces) {
  std::vector<RawObject> objects;
  for (const CommitRecord& commit : history) {
    if (const std::int64_t restored = RestoredBy(commit); restored >= 0) {
      std::vector<CommitRecord> then;
      for (const CommitRecord& earlier : history) {
        if (earlier.version <= restored) then.push_back(earlier);
      }
      objects = RawObjectsOf(then, replaces);
      continue;
    }
    const bool anew = commit.operation == "REPLACE" || commit.operation == "REBUILD";
    if (commit.raw.empty() && commit.operation != "REPLACE") continue;
    if (anew || (commit.change == ChangeKind::kOverwrite && replaces)) objects.clear();
    const bool repairs = commit.operation == "REPAIR";
    for (const RawObject& object : commit.raw) {
      std::erase_if(objects, [&](const RawObject& o) {
        return o.key == object.key || (repairs && o.origin == object.origin);
      });
      objects.push_back(object);
    }
  }
  return objects;
}

}  // namespace caudal
