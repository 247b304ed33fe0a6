// The Delta log of one table as it lies in the store, parsed once and kept. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "lake/log_entry.h"
#include "lake/snapshot.h"
#include "store/object_store.h"

namespace caudal {

class Log {
 public:
  /// `store` outlives it. `prefix` is the table's.
  Log(ObjectStore& store, std::string prefix) : x_store(store), x_prefix(std::move(prefix)) {}

  /// Looks for newer entries. Errors: kNotFound where there is no table, kCorruption (a gap is named).
  Result<std::shared_ptr<const Snapshot>> Latest();
  Result<std::shared_ptr<const Snapshot>> At(std::int64_t version);
  /// Errors: kNotFound.
  Result<std::shared_ptr<const LogEntry>> Entry(std::int64_t version);

  std::string KeyOfVersion(std::int64_t version) const;

  /// Puts `snapshot`, the newest one, where the next opener finds it, if its version is one of those at which that is done.
  /// Needs the table's lock. Errors: those of the store; the log stands without.
  Status Keep(const Snapshot& snapshot);

 private:
  Status ReadAll();
  /// The newest kept snapshot that the log agrees with, or null.
  std::shared_ptr<const Snapshot> Kept();
  std::string KeptFolder() const { return x_prefix + "/.hoodie/.caudal/"; }
  /// Replays `version` + 1 and later entries as long as there are some.
  Status ReadOn();
  Result<std::shared_ptr<const LogEntry>> Load(std::int64_t version);

  ObjectStore& x_store;
  const std::string x_prefix;
  std::mutex x_mutex;
  // All below: guarded by x_mutex. Shared with callers, who keep what they were given.
  std::shared_ptr<const Snapshot> x_latest;
  std::map<std::int64_t, std::shared_ptr<const Snapshot>> x_older;
  std::map<std::int64_t, std::shared_ptr<const LogEntry>> x_recent;
};

}  // namespace caudal
