// S3Store on a real server: what is S3's own, beside the conformance suite. tests/store/test_s3.py starts the servers and
// names them in CAUDAL_S3_SERVER; the usual AWS variables say where each is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "base/ids.h"
#include "store/s3.h"
#include "store/wire.h"

namespace caudal {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::vector<std::string> Servers() {
  const auto name = ProcessEnvironment()("CAUDAL_S3_SERVER");
  return name ? std::vector<std::string>{*name} : std::vector<std::string>{};
}

class S3Server : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    x_url = "s3://lake/server/" + NewToken();
  }
  S3Options Options() const { return *S3OptionsOf(x_url, ProcessEnvironment(), SystemClock()); }
  std::unique_ptr<S3Store> Store() const { return std::move(MakeS3Store(Options())).value(); }

  std::string x_url;
};

std::string Numbered(std::size_t size) {
  std::string bytes;
  for (std::size_t i = 0; bytes.size() < size; ++i) bytes += std::to_string(i) + ",";
  bytes.resize(size);
  return bytes;
}

TEST_P(S3Server, SendsLargeFilesInParts) {
  S3Options options = Options();
  options.part_bytes = std::int64_t{5} << 20;
  auto store = std::move(MakeS3Store(options)).value();
  const std::string bytes = Numbered((std::size_t{11} << 20) + 17);
  const std::string file = ::testing::TempDir() + "/parts-" + NewToken();
  std::ofstream(file, std::ios::binary) << bytes;
  ASSERT_TRUE(store->PutFileIfAbsent("t/big", file));
  EXPECT_EQ(Sha256Hex(*store->Get("t/big")), Sha256Hex(bytes));
  EXPECT_EQ(*store->GetRange("t/big", (std::int64_t{5} << 20) - 3, 6), bytes.substr((std::size_t{5} << 20) - 3, 6));
  EXPECT_EQ(store->PutFileIfAbsent("t/big", file).error().kind, ErrorKind::kAlreadyExists);
  const Status copied = store->CopyIfAbsent("t/day=1 é/copy", "t/big");
  ASSERT_TRUE(copied) << copied.error().message;
  EXPECT_EQ(Sha256Hex(*store->Get("t/day=1 é/copy")), Sha256Hex(bytes));
  EXPECT_EQ(store->CopyIfAbsent("t/day=1 é/copy", "t/big").error().kind, ErrorKind::kAlreadyExists);
  std::filesystem::remove(file);
}

TEST_P(S3Server, ListsMoreThanOnePage) {
  auto store = Store();
  std::vector<std::thread> threads;
  constexpr int kKeys = 1'030;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = t; i < kKeys; i += 8) ASSERT_TRUE(store->Put("many/" + std::to_string(10'000 + i), "x"));
    });
  }
  for (auto& thread : threads) thread.join();
  const std::int64_t before = store->requests();
  const auto all = store->List("many/", "");
  ASSERT_TRUE(all) << all.error().message;
  EXPECT_EQ(all->size(), std::size_t{kKeys});
  EXPECT_EQ(store->requests() - before, 2);
  EXPECT_EQ(store->List("many/", "many/11000")->size(), 29U);
}

TEST_P(S3Server, AReadLocationNeedsNoKeys) {
  auto store = Store();
  ASSERT_TRUE(store->Put("p=a b+c/x", "0123456789"));
  const std::string url = *store->ReadLocation("p=a b+c/x");
  EXPECT_TRUE(url.starts_with(store->ReadRoot() + "/p%3Da%20b%2Bc/x?")) << store->ReadRoot();
  EXPECT_THAT(url, Not(HasSubstr("testsecret")));
  Wire wire(WireOptions{});
  const WireOutcome got = wire.Send({"GET", url, {{"range", "bytes=2-4"}}, {}});
  EXPECT_EQ(got.reply.status, 206);
  EXPECT_EQ(got.reply.body, "234");
  if (GetParam() == "moto") return;  // looks at no signature
  EXPECT_EQ(wire.Send({"GET", url.substr(0, url.size() - 1) + (url.back() == '0' ? "1" : "0"), {}, {}}).reply.status, 403);
  EXPECT_EQ(wire.Send({"PUT", url, {}, "mine"}).reply.status, 403) << "it is good for reading alone";
}

TEST_P(S3Server, TheLockOfADeadHolderIsFreeAfterItsTime) {
  S3Options options = Options();
  options.lease = std::chrono::seconds(1);
  auto dead = std::move(MakeS3Store(options)).value();
  ASSERT_TRUE(dead->Put("t/lock", "process 1 on elsewhere\n"));  // nobody renews it
  auto store = std::move(MakeS3Store(options)).value();
  const auto refused = store->Lock("t/lock", std::chrono::milliseconds(0));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("process 1 on elsewhere"));
  EXPECT_TRUE(store->Lock("t/lock", std::chrono::seconds(30)));
  EXPECT_TRUE(store->locks_expire());
}

TEST_P(S3Server, ALivingHolderKeepsItsLock) {
  S3Options options = Options();
  options.lease = std::chrono::seconds(1);
  auto store = std::move(MakeS3Store(options)).value();
  const auto held = store->Lock("t/lock", std::chrono::milliseconds(0));
  ASSERT_TRUE(held);
  EXPECT_EQ(store->Lock("t/lock", std::chrono::seconds(5)).error().kind, ErrorKind::kConflict) << "it is renewed";
}

TEST_P(S3Server, SaysWhatIsWrong) {
  S3Options options = Options();
  options.bucket = "no-such-bucket";
  auto store = std::move(MakeS3Store(options)).value();
  EXPECT_EQ(store->CheckBucket().error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(store->Get("a").error().kind, ErrorKind::kInvalidArgument) << "not: the object is absent";
  EXPECT_TRUE(Store()->CheckBucket());
  if (GetParam() == "moto") return;
  options = Options();
  options.credentials = MakeFixedCredentials({"test", "wrong-secret", "", {}});
  const Error error = (*MakeS3Store(options))->Get("a").error();
  EXPECT_EQ(error.kind, ErrorKind::kPermission) << error.message;
  EXPECT_THAT(error.ToString(), Not(HasSubstr("wrong-secret")));
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(S3Server);
INSTANTIATE_TEST_SUITE_P(Servers, S3Server, ::testing::ValuesIn(Servers()), [](const auto& test) { return test.param; });

}  // namespace
}  // namespace caudal
