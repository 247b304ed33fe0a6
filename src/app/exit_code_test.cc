#include "app/exit_code.h"

#include <gtest/gtest.h>

namespace caudal {
namespace {

TaskRecord Failed(const char* kind) {
  TaskRecord task;
  task.status = TaskStatus::kFailed;
  task.error_kind = kind;
  return task;
}

TEST(ExitCodeTest, EveryKindHasTheCodeOfThePage) {
  const std::pair<ErrorKind, int> cases[] = {
      {ErrorKind::kInvalidArgument, 2}, {ErrorKind::kNotFound, 3},  {ErrorKind::kAlreadyExists, 2},
      {ErrorKind::kPermission, 4},      {ErrorKind::kUnsupported, 2}, {ErrorKind::kConflict, 6},
      {ErrorKind::kUnavailable, 5},     {ErrorKind::kTimeout, 5},   {ErrorKind::kCancelled, 130},
      {ErrorKind::kCorruption, 7},      {ErrorKind::kCommitUnknown, 5}, {ErrorKind::kCheckFailed, 1},
      {ErrorKind::kInternal, 8}};
  for (const auto& [kind, code] : cases) EXPECT_EQ(ExitCodeOf(kind), code) << KindName(kind);
}

TEST(ExitCodeTest, ARunEndsWithWhatItsFailuresHaveInCommon) {
  EXPECT_EQ(ExitCodeOf(RunStatus::kSucceeded, {}), 0);
  EXPECT_EQ(ExitCodeOf(RunStatus::kFailed, {Failed("check_failed")}), 1);
  EXPECT_EQ(ExitCodeOf(RunStatus::kFailed, {Failed("unavailable"), Failed("timeout")}), 5);
  EXPECT_EQ(ExitCodeOf(RunStatus::kFailed, {Failed("unavailable"), Failed("check_failed")}), 1);
  EXPECT_EQ(ExitCodeOf(RunStatus::kFailed, {Failed("corruption")}), 1);
  EXPECT_EQ(ExitCodeOf(RunStatus::kFailed, {Failed("invalid_argument")}), 1);
  EXPECT_EQ(ExitCodeOf(RunStatus::kCancelled, {}), 130);
}

}  // namespace
}  // namespace caudal
