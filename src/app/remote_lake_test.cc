#include "app/remote_lake.h"

#include <gtest/gtest.h>

#include "store/s3_stub_testing.h"

namespace caudal {
namespace {

/// Keeps the last job, and answers as it is told.
class Witness final : public Engine {
 public:
  Result<JobResult> Run(const Job& job, const RunOptions&, JobCost*) override {
    seen = job;
    if (!error.message.empty()) return error;
    return JobResult(ComputeResult{});
  }
  Job seen;
  Error error{ErrorKind::kInternal, "", "", ""};
};

class RemoteLake : public ::testing::Test {
 protected:
  RemoteLake() : x_stub([](const StubRequest&, int) { return StubFault{}; }) {
    S3Options options = x_stub.Options();
    options.prefix = "shop one";
    x_store = std::move(MakeS3Store(options)).value();
    x_engine = MakeRemoteLakeEngine(x_witness, *x_store);
  }

  StubS3 x_stub;
  Witness x_witness;
  std::unique_ptr<S3Store> x_store;
  std::unique_ptr<Engine> x_engine;
};

TEST_F(RemoteLake, SignsForExactlyTheFilesOfAJob) {
  ComputeJob job;
  job.inputs.push_back({"s", "t", {}, {"s3://lake/shop one/s/t/p=a b/f.parquet", "/staging/new.parquet"}, true});
  ASSERT_TRUE(x_engine->Run(job, {}, nullptr));
  const auto& sent = std::get<ComputeJob>(x_witness.seen);
  EXPECT_EQ(sent.inputs[0].files, job.inputs[0].files) << "names stay";
  ASSERT_EQ(sent.remote.urls.size(), 1U);
  EXPECT_TRUE(sent.remote.urls.begin()->second.starts_with(x_stub.Endpoint() + "/lake/shop%20one/s/t/p%3Da%20b/f.parquet?X-Amz-"));
  EXPECT_EQ(sent.remote.url_root, x_stub.Endpoint() + "/lake/shop%20one/");
  EXPECT_EQ(std::to_string(sent.remote.tcp_port), x_stub.Endpoint().substr(x_stub.Endpoint().rfind(':') + 1));
  EXPECT_TRUE(x_stub.Requests().empty()) << "signing asks nobody";
}

TEST_F(RemoteLake, JobsWithoutItsFilesPassThrough) {
  ComputeJob job;
  job.inputs.push_back({"s", "t", {}, {"/staging/new.parquet"}, false});
  ASSERT_TRUE(x_engine->Run(job, {}, nullptr));
  EXPECT_TRUE(std::get<ComputeJob>(x_witness.seen).remote.urls.empty());
}

TEST_F(RemoteLake, NoErrorQuotesASignature) {
  x_witness.error.message = "HTTP Error: GET 'http://h/b/f.parquet?X-Amz-Algorithm=A&X-Amz-Credential=K&X-Amz-Signature=5' (HTTP 404), and "
                            "http://h/g?X-Amz-Signature=6";
  ComputeJob job;
  job.inputs.push_back({"s", "t", {}, {"s3://lake/shop one/f"}, false});
  EXPECT_EQ(x_engine->Run(job, {}, nullptr).error().message, "HTTP Error: GET 'http://h/b/f.parquet' (HTTP 404), and http://h/g");
}

TEST_F(RemoteLake, MovesAreUploadsOfThisProcess) {
  MoveJob job;
  job.store_url = x_store->Url();
  for (int i = 0; i < 20; ++i) {
    const std::string path = ::testing::TempDir() + "/moved-" + std::to_string(::getpid()) + "-" + std::to_string(i);
    std::FILE* file = std::fopen(path.c_str(), "w");
    ASSERT_NE(file, nullptr);
    std::fputs("bytes", file);
    std::fclose(file);
    job.items.push_back({path, "raw/" + std::to_string(i)});
  }
  ASSERT_TRUE(x_engine->Run(job, {}, nullptr));
  EXPECT_EQ(x_stub.Objects().size(), 20U);
  EXPECT_FALSE(std::holds_alternative<MoveJob>(x_witness.seen)) << "no worker was asked";
  job.items.push_back({"/nonexistent", "raw/absent"});
  EXPECT_FALSE(x_engine->Run(job, {}, nullptr));
  for (const auto& item : job.items) ::unlink(item.local_path.c_str());
}

}  // namespace
}  // namespace caudal
