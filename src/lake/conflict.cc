#include "lake/conflict.h"

#include <algorithm>
#include <set>

namespace caudal {
namespace {

std::string Describe(const PartitionValues& partition) {
  std::string text;
  for (const auto& [column, value] : partition) text += (text.empty() ? "" : ", ") + column + "=" + value.value_or("NULL");
  return text.empty() ? "the table" : "partition " + text;
}

/// Why `entry` may not come before `change`, or "".
std::string Obstacle(const Change& change, const ChangeFacts& facts, const LogEntry& entry) {
  if (entry.metadata) return "it changed the definition of the table";
  if (facts.redefines && (!entry.adds.empty() || !entry.removes.empty())) {
    return "it changed files of the table whose definition this commit changes";
  }
  for (const LogRemove& remove : entry.removes) {
    if (std::find(change.removes.begin(), change.removes.end(), remove.path) != change.removes.end()) {
      return "it removed or rewrote " + remove.path + ", which this commit removes or rewrites, too";
    }
  }
  for (const LiveFile& file : change.reject_removes) {
    if (!entry.rejects) break;
    const auto same = [&](const LogRemove& remove) { return remove.path == file.path; };
    if (std::any_of(entry.rejects->removes.begin(), entry.rejects->removes.end(), same)) {
      return "it took rejected rows out that this commit takes out, too";
    }
  }
  for (const auto& [domain, value] : change.domains) {
    if (entry.domains.contains(domain)) return "it moved " + domain + ", which this commit moves, too";
  }
  // None: the same rows in other files, whatever came beside them.
  if (change.blind || change.kind == ChangeKind::kNone || entry.kind == ChangeKind::kNone) return "";
  auto was_read = [&](const PartitionValues& partition) {
    return !facts.read || std::find(facts.read->begin(), facts.read->end(), partition) != facts.read->end();
  };
  for (const LiveFile& add : entry.adds) {
    if (was_read(add.partition)) return "it added rows to " + Describe(add.partition) + ", which was read for this commit";
  }
  for (const LogRemove& remove : entry.removes) {
    if (was_read(remove.partition)) return "it removed rows of " + Describe(remove.partition) + ", which was read for this commit";
  }
  return "";
}

}  // namespace

Decision Decide(const Change& change, const ChangeFacts& facts,
                const std::vector<std::shared_ptr<const LogEntry>>& later) {
  if (!change.task.empty()) {
    for (const auto& entry : later) {
      if (entry->task == change.task) return {Decision::Kind::kAlreadyApplied, entry->version, "the task committed before"};
    }
  }
  for (const auto& entry : later) {
    std::string why = Obstacle(change, facts, *entry);
    if (!why.empty()) return {Decision::Kind::kConflict, entry->version, std::move(why)};
  }
  return {};
}

}  // namespace caudal
