#include "base/error.h"

#include <array>
#include <utility>

namespace caudal {
namespace {

constexpr std::array<std::pair<ErrorKind, std::string_view>, 13> kNames{{
    {ErrorKind::kInvalidArgument, "invalid_argument"},
    {ErrorKind::kNotFound, "not_found"},
    {ErrorKind::kAlreadyExists, "already_exists"},
    {ErrorKind::kPermission, "permission"},
    {ErrorKind::kUnsupported, "unsupported"},
    {ErrorKind::kConflict, "conflict"},
    {ErrorKind::kUnavailable, "unavailable"},
    {ErrorKind::kTimeout, "timeout"},
    {ErrorKind::kCancelled, "cancelled"},
    {ErrorKind::kCorruption, "corruption"},
    {ErrorKind::kCommitUnknown, "commit_unknown"},
    {ErrorKind::kCheckFailed, "check_failed"},
    {ErrorKind::kInternal, "internal"},
}};

}  // namespace

std::string_view KindName(ErrorKind kind) {
  for (const auto& [k, name] : kNames) {
    if (k == kind) return name;
  }
  return "internal";
}

ErrorKind KindFromName(std::string_view name) {
  for (const auto& [k, n] : kNames) {
    if (n == name) return k;
  }
  return ErrorKind::kInternal;
}

bool Error::retryable() const {
  return kind == ErrorKind::kUnavailable || kind == ErrorKind::kTimeout || kind == ErrorKind::kConflict;
}

std::string Error::ToString() const {
  std::string text = where.empty() ? message : where + ": " + message;
  if (!next.empty()) text += "; " + next;
  return text;
}

}  // namespace caudal
