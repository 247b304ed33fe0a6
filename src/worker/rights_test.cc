#include "worker/rights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace caudal {
namespace {

using ::testing::Contains;
using ::testing::Not;

WorkOrder OrderOf(ComputeJob job) { return WorkOrder{std::move(job), JobLimits{}, ""}; }

TEST(Rights, AFolderNeedsNoNetwork) {
  ComputeJob job;
  job.inputs.push_back({"s", "t", {}, {"/lake/s/t/a.parquet"}, false});
  const Rights rights = *RightsOf(OrderOf(job), "/extensions");
  EXPECT_FALSE(rights.network);
  EXPECT_THAT(rights.read_paths, Contains("/lake/s/t/a.parquet"));
  EXPECT_THAT(rights.read_paths, Not(Contains("/extensions")));
}

TEST(Rights, RemoteFilesGiveOnePort) {
  ComputeJob job;
  job.inputs.push_back({"s", "t", {}, {"s3://b/s/t/a.parquet", "/staging/new.parquet"}, false});
  job.remote = RemoteFiles{"s3://b/", "https://h/b/", {{"s3://b/s/t/a.parquet", "https://h/b/s/t/a.parquet?X-Amz-Signature=1"}}, 443, "/ca"};
  const Rights rights = *RightsOf(OrderOf(job), "/extensions");
  EXPECT_TRUE(rights.network);
  EXPECT_EQ(rights.tcp_port, 443);
  for (const char* path : {"/staging/new.parquet", "/extensions", "/ca"}) EXPECT_THAT(rights.read_paths, Contains(path));
  EXPECT_THAT(rights.read_paths, Not(Contains("s3://b/s/t/a.parquet")));
  EXPECT_TRUE(rights.write_folders.empty());
}

}  // namespace
}  // namespace caudal
