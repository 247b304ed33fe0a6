#include <utility>

#include "lake/table.h"

namespace caudal {

Change RollbackTo(const Snapshot& newest, std::shared_ptr<const Snapshot> then) {
  Change change;
  change.operation = "ROLLBACK";
  change.kind = ChangeKind::kOverwrite;
  change.base_version = newest.version;
  for (const LiveFile& file : newest.files) {
    if (then->Find(file.path) == nullptr) change.removes.push_back(file.path);
  }
  change.note = "{\"restores\":" + std::to_string(then->version) + "}";
  change.restores = std::move(then);
  return change;
}

void RollbackRejects(const Snapshot& now, const Snapshot* then, Change& rollback) {
  for (const LiveFile& file : now.files) {
    if (then == nullptr || then->Find(file.path) == nullptr) rollback.reject_removes.push_back(file);
  }
  if (then == nullptr) return;
  for (const LiveFile& file : then->files) {
    if (now.Find(file.path) == nullptr) rollback.reject_returns.push_back(file);
  }
}

}  // namespace caudal
