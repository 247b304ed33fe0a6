#include "state/process_lock.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

namespace caudal {
namespace {

TEST(ProcessLock, IsHeldByOneAndGoneWithItHoweverItEnds) {
  const std::string path = ::testing::TempDir() + "lock" + std::to_string(::getpid());
  EXPECT_FALSE(ProcessLock::Holder(path));
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto lock = ProcessLock::Take(path);
    const char said = lock ? 'y' : 'n';
    [[maybe_unused]] const ssize_t written = ::write(ready[1], &said, 1);
    ::pause();
    ::_exit(0);
  }
  char said = 'n';
  ASSERT_EQ(::read(ready[0], &said, 1), 1);
  ASSERT_EQ(said, 'y');
  EXPECT_EQ(ProcessLock::Holder(path), std::to_string(child));
  const auto second = ProcessLock::Take(path);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::kConflict);
  EXPECT_NE(second.error().message.find(std::to_string(child)), std::string::npos);
  ASSERT_EQ(::kill(child, SIGKILL), 0);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_FALSE(ProcessLock::Holder(path)) << "the file is still there, and nobody holds it";
  EXPECT_TRUE(ProcessLock::Take(path));
  std::remove(path.c_str());
}

}  // namespace
}  // namespace caudal
