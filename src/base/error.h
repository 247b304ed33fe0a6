// What went wrong, and what the caller may do about it. A value; copyable; no thread affinity.
#pragma once

#include <string>
#include <string_view>

namespace caudal {

/// The kind says what the caller may do, not where the failure came from.
enum class ErrorKind {
  // Fix the input: asking again with the same input fails again.
  kInvalidArgument,
  kNotFound,
  kAlreadyExists,
  kPermission,
  kUnsupported,
  // Read again, plan again, then try again.
  kConflict,
  // Back off, then try the same again.
  kUnavailable,
  kTimeout,
  // The caller itself asked to stop.
  kCancelled,
  // Bytes that we wrote, or were given, do not hold together. Never retried.
  kCorruption,
  // A commit may or may not have landed: look for it, never clean up, never commit again.
  kCommitUnknown,
  // A check said no to a candidate: nothing was published.
  kCheckFailed,
  // A bug of ours.
  kInternal,
};

/// "invalid_argument", "commit_unknown", ...: stable, used in JSON output and in the state store.
std::string_view KindName(ErrorKind kind);
/// The inverse of KindName; kInternal for a name nobody wrote.
ErrorKind KindFromName(std::string_view name);

struct Error {
  ErrorKind kind = ErrorKind::kInternal;
  /// Static part first, values last, valid values listed.
  std::string message;
  /// What to do or type next; may be empty.
  std::string next;
  /// "sources/erp.yaml:3:5" where the user's project is the place to mend; may be empty.
  std::string where;

  /// True for the kinds that a delay may cure: Unavailable, Timeout, Conflict.
  bool retryable() const;
  /// One line: "where: message; next".
  std::string ToString() const;
};

}  // namespace caudal
