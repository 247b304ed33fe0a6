#include "app/exit_code.h"

#include <optional>

namespace caudal {

int ExitCodeOf(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalidArgument:
    case ErrorKind::kAlreadyExists:
    case ErrorKind::kUnsupported: return kExitUsage;
    case ErrorKind::kNotFound: return kExitNotFound;
    case ErrorKind::kPermission: return kExitPermission;
    case ErrorKind::kUnavailable:
    case ErrorKind::kTimeout:
    case ErrorKind::kCommitUnknown: return kExitUnavailable;
    case ErrorKind::kConflict: return kExitConflict;
    case ErrorKind::kCancelled: return kExitCancelled;
    case ErrorKind::kCorruption: return kExitCorruption;
    case ErrorKind::kCheckFailed: return kExitData;
    case ErrorKind::kInternal: break;
  }
  return kExitInternal;
}

int ExitCodeOf(RunStatus status, const std::vector<TaskRecord>& tasks) {
  if (status == RunStatus::kSucceeded) return kExitOk;
  std::optional<int> common;
  for (const TaskRecord& task : tasks) {
    if (task.status != TaskStatus::kFailed) continue;
    int code = ExitCodeOf(KindFromName(task.error_kind));
    // The command itself was right: what is wrong or broken now is what the task met.
    if (code == kExitUsage || code == kExitCorruption) code = kExitData;
    if (common && *common != code) return kExitData;
    common = code;
  }
  if (common) return *common;
  return status == RunStatus::kCancelled ? kExitCancelled : kExitData;
}

}  // namespace caudal
