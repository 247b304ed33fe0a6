#include "store/posix_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cerrno>

namespace caudal {
namespace {

TEST(PosixFile, EveryErrorSaysWhatTheCallerMayDo) {
  struct Case {
    int code;
    ErrorKind kind;
    const char* why;
  };
  for (const Case& c : {Case{ENOENT, ErrorKind::kNotFound, "nothing there"},
                        Case{EEXIST, ErrorKind::kAlreadyExists, "a race was lost"},
                        Case{ENOSPC, ErrorKind::kUnavailable, "space may come back"},
                        Case{EDQUOT, ErrorKind::kUnavailable, "quota may come back"},
                        Case{EROFS, ErrorKind::kPermission, "somebody must change rights"},
                        Case{EACCES, ErrorKind::kPermission, "somebody must change rights"},
                        Case{ENAMETOOLONG, ErrorKind::kInvalidArgument, "the key is at fault"},
                        Case{ENOTDIR, ErrorKind::kInvalidArgument, "the key is at fault"},
                        Case{EMFILE, ErrorKind::kUnavailable, "descriptors may come back"},
                        Case{EBADF, ErrorKind::kInternal, "a bug of ours"}}) {
    EXPECT_EQ(PosixError(c.code, "write", "/tmp/x").kind, c.kind) << c.code << " " << c.why;
  }
}

TEST(PosixFile, FullDiskNamesTheFreeBytesAndTheNextStep) {
  Fd full(open("/dev/full", O_WRONLY | O_CLOEXEC));
  if (!full) GTEST_SKIP() << "no /dev/full here";
  auto status = WriteAll(full.get(), "x", "/dev/full/not/yet/there");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kUnavailable);
  EXPECT_NE(status.error().message.find("disk full"), std::string::npos) << status.error().message;
  EXPECT_NE(status.error().message.find("free bytes there: "), std::string::npos) << status.error().message;
  EXPECT_FALSE(status.error().next.empty());
}

TEST(PosixFile, FailedSyncIsNeverRetried) {
  Fd pipe_like(open("/dev/null", O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(pipe_like);
  auto status = SyncFd(pipe_like.get(), "/dev/null");  // EINVAL: a device that cannot be synced
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kInternal);
  EXPECT_FALSE(status.error().retryable());
}

}  // namespace
}  // namespace caudal
