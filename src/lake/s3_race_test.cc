// 32 writers race for one version of a table, on a real server: tests/store/test_s3.py starts it and names it in
// CAUDAL_S3_SERVER. CAUDAL_S3_ROUNDS says how often (100 is what a release is tried with).
#include <gmock/gmock.h>

#include <thread>

#include "base/ids.h"
#include "lake/lake_fixture.h"
#include "lake/whole_fixture.h"
#include "store/atomic_probe.h"
#include "store/s3.h"

namespace caudal {
namespace {

constexpr int kWriters = 32;

std::vector<std::string> Servers() {
  const auto name = ProcessEnvironment()("CAUDAL_S3_SERVER");
  return name ? std::vector<std::string>{*name} : std::vector<std::string>{};
}

int Rounds() { return std::stoi(ProcessEnvironment()("CAUDAL_S3_ROUNDS").value_or("1")); }

/// The store as writers see it whose locks keep nobody out: all that is left is the conditional put.
class Lockless final : public ObjectStore {
 public:
  explicit Lockless(ObjectStore& under) : x_under(under) {}
  Result<std::string> Get(std::string_view key) const override { return x_under.Get(key); }
  Result<std::string> GetRange(std::string_view key, std::int64_t offset, std::int64_t length) const override {
    return x_under.GetRange(key, offset, length);
  }
  Result<ObjectInfo> Head(std::string_view key) const override { return x_under.Head(key); }
  Result<std::vector<ObjectInfo>> List(std::string_view prefix, std::string_view after) const override { return x_under.List(prefix, after); }
  Status Put(std::string_view key, std::string_view bytes) override { return x_under.Put(key, bytes); }
  Status PutIfAbsent(std::string_view key, std::string_view bytes) override { return x_under.PutIfAbsent(key, bytes); }
  Status PutFileIfAbsent(std::string_view key, const std::string& path) override { return x_under.PutFileIfAbsent(key, path); }
  Status CopyIfAbsent(std::string_view key, std::string_view from) override { return x_under.CopyIfAbsent(key, from); }
  Status Delete(std::string_view key) override { return x_under.Delete(key); }
  Result<std::string> ReadLocation(std::string_view key) const override { return x_under.ReadLocation(key); }
  std::string Url() const override { return x_under.Url(); }
  Result<std::shared_ptr<void>> Lock(std::string_view, std::chrono::milliseconds) override { return std::shared_ptr<void>(); }
  bool locks_expire() const override { return true; }

 private:
  ObjectStore& x_under;
};

class S3Race : public LakeFixture, public ::testing::WithParamInterface<std::string> {
 protected:
  void SetUp() override {
    LakeFixture::SetUp();
    x_s3 = std::move(MakeS3Store(*S3OptionsOf("s3://lake/race/" + NewToken(), ProcessEnvironment(), SystemClock()))).value();
  }

  void RaceIn(ObjectStore& store, const std::string& prefix, TableFormats formats) {
    ASSERT_TRUE(Table(store, prefix, SystemClock(), formats).Commit(Create(Orders())));
    std::vector<Change> changes;
    for (int writer = 0; writer < kWriters; ++writer) {
      changes.push_back(Append(0, {Stage(1 + writer)}));
      changes.back().task = "run/" + std::to_string(writer);
    }
    std::vector<std::int64_t> versions(kWriters, -1);
    std::vector<std::string> last_errors(kWriters);
    std::vector<std::thread> threads;
    for (std::size_t writer = 0; writer < kWriters; ++writer) {
      threads.emplace_back([&, writer] {
        Table table(store, prefix, SystemClock(), formats);
        for (int attempt = 0; attempt < 10 && versions[writer] < 0; ++attempt) {
          const auto outcome = table.Commit(changes[writer]);
          if (outcome) versions[writer] = outcome->version;
          if (!outcome) last_errors[writer] = outcome.error().ToString();
          if (!outcome && !outcome.error().retryable() && outcome.error().kind != ErrorKind::kCommitUnknown) {
            ADD_FAILURE() << outcome.error().ToString();
            return;
          }
        }
      });
    }
    for (auto& thread : threads) thread.join();
    for (std::size_t i = 0; i < kWriters; ++i) EXPECT_GE(versions[i], 0) << last_errors[i];
    std::sort(versions.begin(), versions.end());
    for (std::size_t i = 0; i < kWriters && versions[0] >= 0; ++i) EXPECT_EQ(versions[i], static_cast<std::int64_t>(i) + 1) << "each version has one winner";
    Table table(store, prefix, SystemClock(), formats);
    ASSERT_TRUE(table.Heal());
    EXPECT_EQ((*table.Latest())->version, kWriters);
    EXPECT_EQ((*table.Latest())->rows(), kWriters * (kWriters + 1) / 2) << "every writer's rows, once";
    ExpectWhole(store, table);
  }

  std::unique_ptr<S3Store> x_s3;
};

TEST_P(S3Race, EveryVersionHasOneWinnerByTheConditionalPutAlone) {
  Lockless store(*x_s3);
  for (int round = 0; round < Rounds(); ++round) {
    RaceIn(store, "silver/round" + std::to_string(round), TableFormats{});
    if (HasFailure()) break;
  }
}

TEST_P(S3Race, EveryWriterEndsRightUnderTheLock) {
  const std::int64_t before = x_s3->requests();
  RaceIn(*x_s3, "silver/locked", kAllFormats);
  std::printf("requests a commit, 32 writers under the lock: %lld\n", static_cast<long long>((x_s3->requests() - before) / kWriters));
}

TEST_P(S3Race, TheStoreIsAtomicOrRefused) {
  const Status status = RequireAtomic(*x_s3);
  const Status remembered = RequireAtomic(*x_s3);
  if (GetParam() != "versitygw") {
    EXPECT_TRUE(status) << status.error().ToString();
    const std::int64_t before = x_s3->requests();
    EXPECT_TRUE(RequireAtomic(*x_s3));
    EXPECT_EQ(x_s3->requests() - before, 1) << "the verdict is noted";
    return;
  }
  for (const Status& refused : {status, remembered}) {
    ASSERT_FALSE(refused) << "its conditions are looked at before the write";
    EXPECT_EQ(refused.error().kind, ErrorKind::kUnsupported);
    EXPECT_THAT(refused.error().message, ::testing::HasSubstr("is not atomic"));
    EXPECT_THAT(refused.error().next, ::testing::HasSubstr("caudal doctor --store s3://lake/"));
  }
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(S3Race);
INSTANTIATE_TEST_SUITE_P(Servers, S3Race, ::testing::ValuesIn(Servers()), [](const auto& test) { return test.param; });

}  // namespace
}  // namespace caudal
