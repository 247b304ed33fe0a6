// Where bytes live: keys with '/' below one root, and whole objects. The only place where bytes move.
// Implementations: MakeLocalStore (a folder), MakeS3Store (s3.h), MakeMemoryStore (tests), MakeFaultyStore (tests); nothing
// here promises a POSIX rename. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace caudal {

struct ObjectInfo {
  std::string key;
  std::int64_t size_bytes = 0;
  Timestamp modified;
};

class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  /// The whole object. Errors: kNotFound, kUnavailable.
  virtual Result<std::string> Get(std::string_view key) const = 0;
  /// Bytes [offset, offset+length) of the object; shorter at its end.
  virtual Result<std::string> GetRange(std::string_view key, std::int64_t offset, std::int64_t length) const = 0;
  /// Errors: kNotFound.
  virtual Result<ObjectInfo> Head(std::string_view key) const = 0;
  /// Objects whose key begins with `prefix`, in byte order of the key, folders walked. Only keys > `after`.
  virtual Result<std::vector<ObjectInfo>> List(std::string_view prefix, std::string_view after) const = 0;

  /// Creates or replaces the object; durable and whole when it returns.
  virtual Status Put(std::string_view key, std::string_view bytes) = 0;
  /// Creates the object, durable and whole when it returns. Of several callers exactly one succeeds.
  /// Errors: kAlreadyExists (somebody else's, or an earlier own one), kCommitUnknown (read to find out).
  virtual Status PutIfAbsent(std::string_view key, std::string_view bytes) = 0;
  /// Takes over a local file that nobody else writes; afterwards the file may or may not remain at its old place.
  /// Durable when it returns. Errors: kAlreadyExists.
  virtual Status PutFileIfAbsent(std::string_view key, const std::string& local_path) = 0;
  /// Creates the object with the bytes of another one, which stays. Durable when it returns.
  /// Errors: kAlreadyExists; kNotFound where there is none at `from`.
  virtual Status CopyIfAbsent(std::string_view key, std::string_view from) = 0;
  /// Deleting what is not there succeeds.
  virtual Status Delete(std::string_view key) = 0;

  /// Where workers read the object: an absolute path here, a presigned URL on S3.
  virtual Result<std::string> ReadLocation(std::string_view key) const = 0;
  /// "file:///lake" or "s3://bucket/prefix": absolute, with scheme, no slash at the end; the same by whatever link it was opened.
  virtual std::string Url() const = 0;

  /// Holds the lock named `key` until the returned guard dies (kernel-released if the process dies). Waits up to
  /// `wait`. It saves work and protects intents; correctness of a commit rests on PutIfAbsent alone.
  /// Errors: kConflict where another holder keeps it that long.
  virtual Result<std::shared_ptr<void>> Lock(std::string_view key, std::chrono::milliseconds wait) = 0;
  /// True: a holder that sleeps long enough loses its lock without knowing (a lease), so whoever holds it next must leave
  /// what the first one may still need.
  virtual bool locks_expire() const { return false; }
};

/// A folder; created if absent. `root` is absolute. Keys with "..", an empty segment or a NUL are refused.
Result<std::unique_ptr<ObjectStore>> MakeLocalStore(const std::string& root);

/// Nothing outlives it. ReadLocation is kUnsupported.
std::unique_ptr<ObjectStore> MakeMemoryStore();

/// Asks `fault` before every call ("put", "put_if_absent", ... and the key) and once more after a writing one
/// ("put_if_absent:after"); a Status with an error is returned instead of the result. `under` outlives it.
std::unique_ptr<ObjectStore> MakeFaultyStore(
    ObjectStore& under, std::function<Status(std::string_view operation, std::string_view key)> fault);

}  // namespace caudal
