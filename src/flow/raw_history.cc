#include "flow/raw_history.h"

namespace caudal {

std::vector<RawObject> RawObjectsOf(const std::vector<CommitRecord>& history, bool replaces) {
  std::vector<RawObject> objects;
  for (const CommitRecord& commit : history) {
    const bool emptied = commit.raw.empty() && commit.operation == "REPLACE";
    if (commit.raw.empty() && !emptied) continue;
    if (commit.change == ChangeKind::kOverwrite && replaces) objects.clear();
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
