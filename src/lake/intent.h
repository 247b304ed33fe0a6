// What a commit is about to put into the table's folders, on record before it does, so that whoever comes after a
// killed writer knows what to remove. Needs the table's lock.
#pragma once

#include <string>
#include <vector>

#include "lake/change_plan.h"
#include "store/object_store.h"

namespace caudal {

/// Puts `<prefix>/.hoodie/.temp/<transaction>.intent.json`.
Status PutIntent(ObjectStore& store, const std::string& prefix, const CommitPlan& plan);

/// After the commit. Errors are for the next healer.
void DropIntent(ObjectStore& store, const std::string& prefix, const CommitPlan& plan);

/// A commit that certainly did not happen: removes its files, then the intent. What cannot be removed is left to the
/// next healer, with the intent.
void UndoIntent(ObjectStore& store, const std::string& prefix, const CommitPlan& plan);

/// Finishes all intents: those whose version carries their transaction are done, and the files that they gave up go; the
/// files of the others go. Where locks
/// expire, an intent whose version nobody took yet stays: its writer may be asleep, not dead, and could still commit files
/// that were removed; once the version is another's it cannot. Returns how many stayed.
/// Errors: kUnavailable and the like where the log cannot be read now; then nothing was removed.
Result<std::size_t> HealIntents(ObjectStore& store, const std::string& prefix);

}  // namespace caudal
