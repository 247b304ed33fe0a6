// A table on S3: what a commit and an open cost in requests, and that a connection cut at any of them is settled by reading.
// On the stub of store; the races on real servers are started by tests/store/test_s3.py.
#include <gmock/gmock.h>

#include <thread>

#include "base/ids.h"
#include "lake/lake_fixture.h"
#include "lake/whole_fixture.h"
#include "store/s3_stub_testing.h"

namespace caudal {
namespace {

using Kind = StubFault::Kind;

// Stated in docs/s3.md, "What it costs".
constexpr std::size_t kMostOfACommit = 24;
constexpr std::size_t kMostOfADeltaCommit = 12;
constexpr std::size_t kMostOfALookAgain = 1;

StubS3::Faults None() {
  return [](const StubRequest&, int) { return StubFault{}; };
}

class S3Commit : public LakeFixture {
 protected:
  std::unique_ptr<S3Store> StoreOf(const StubS3& stub) {
    S3Options options = stub.Options();
    options.tries = 3;
    options.first_pause = std::chrono::milliseconds(1);
    options.longest_pause = std::chrono::milliseconds(1);
    return std::move(MakeS3Store(options)).value();
  }

  void Prepare(ObjectStore& store) {
    Table table(store, "silver/orders", x_clock, kAllFormats);
    Change create = Create(Orders({"region"}));
    create.kind = ChangeKind::kAppend;
    create.adds = {AddFile{Stage(10, {{"region", "us"}}), ""}};
    ASSERT_TRUE(table.Commit(create));
  }

  Change Next() {
    Change change = Append(0, {Stage(5, {{"region", "us"}}), Stage(6, {{"region", "fr"}})});
    change.task = "run/next";
    return change;
  }

  void ExpectBeforeOrAfter(ObjectStore& store, const Result<CommitOutcome>& outcome, const std::string& where) {
    Table healer(store, "silver/orders", x_clock, kAllFormats);
    ASSERT_TRUE(healer.Heal()) << where;
    const bool after = (*healer.Latest())->version == 1;
    EXPECT_EQ((*healer.Latest())->rows(), after ? 21 : 10) << where;
    if (outcome) {
      EXPECT_TRUE(after) << where << ": a success must be there";
    } else if (outcome.error().kind != ErrorKind::kCommitUnknown) {
      EXPECT_FALSE(after) << where << ": " << outcome.error().ToString() << " says that nothing was committed";
    }
    const auto again = healer.Commit(Next());
    ASSERT_TRUE(again) << where << ": " << again.error().ToString();
    EXPECT_EQ(again->already_applied, after) << where;
    EXPECT_EQ((*healer.Latest())->rows(), 21) << where;
    ExpectWhole(store, healer);
  }

  /// At the n-th request of the commit, for every n. How many there were.
  int TryEveryRequest(Kind kind, bool for_good) {
    for (int point = 1; point < 500; ++point) {
      StubS3 stub(None());
      Prepare(*StoreOf(stub));
      bool met = false;
      stub.Meet([&met, kind, for_good, point](const StubRequest&, int number) {
        if (number != point && !(for_good && number > point)) return StubFault{};
        met = true;
        return StubFault{kind, 500, "InternalError", ""};
      });
      auto store = StoreOf(stub);
      Table writer(*store, "silver/orders", x_clock, kAllFormats);
      const auto outcome = writer.Commit(Next());
      stub.Meet(None());
      if (!met) return point - 1;
      if (!for_good) {
        EXPECT_TRUE(outcome) << "request " << point << ": " << outcome.error().ToString();
      }
      ExpectBeforeOrAfter(*store, outcome, "request " + std::to_string(point));
      if (HasFailure()) return point;
    }
    return 500;
  }

  FakeClock x_clock{TestTime()};
};

TEST_F(S3Commit, OneCutConnectionIsNoFailure) {
  for (const Kind kind : {Kind::kCutBefore, Kind::kCutAfter, Kind::kAnswerAfter}) EXPECT_GT(TryEveryRequest(kind, false), 20);
}

TEST_F(S3Commit, AStoreThatGoesAwayLeavesBeforeOrAfter) {
  for (const Kind kind : {Kind::kCutBefore, Kind::kCutAfter}) EXPECT_GT(TryEveryRequest(kind, true), 20);
}

TEST_F(S3Commit, CostsAStatedNumberOfRequests) {
  StubS3 stub(None());
  auto store = StoreOf(stub);
  for (const TableFormats formats : {kAllFormats, TableFormats{}}) {
    const std::string name = formats.hudi ? "silver/all" : "silver/delta";
    Table table(*store, name, x_clock, formats);
    ASSERT_TRUE(table.Commit(Create(Orders())));
    for (int version = 0; version < 4; ++version) {
      stub.Meet(None());
      ASSERT_TRUE(table.Commit(Append(version, {Stage(5)})));
    }
    std::string all;
    for (const std::string& request : stub.Requests()) all += request + "\n";
    EXPECT_LE(stub.Requests().size(), formats.hudi ? kMostOfACommit : kMostOfADeltaCommit) << all;
    RecordProperty(name, std::to_string(stub.Requests().size()));
  }
  stub.Meet(None());
  Table reader(*store, "silver/all", x_clock, kAllFormats);
  ASSERT_TRUE(reader.Latest());
  EXPECT_LE(stub.Requests().size(), 2 + 5U) << "listings of kept snapshots and of the log, and each entry once";
  stub.Meet(None());
  ASSERT_TRUE(reader.Latest());
  EXPECT_LE(stub.Requests().size(), kMostOfALookAgain) << "again: only what is new";
}

TEST_F(S3Commit, AWriterThatSleptThroughItsLockLosesNothing) {
  StubS3 stub(None());
  auto store = StoreOf(stub);
  Prepare(*store);
  // While the sleeper is between its files and its log entry, another writer takes its lock and finishes whole.
  Table sleeper(*store, "silver/orders", x_clock, kAllFormats);
  std::optional<Result<CommitOutcome>> other;
  sleeper.set_probe([&](std::string_view step) {
    if (step != "placed" || other) return;
    Table healer(*store, "silver/orders", x_clock, kAllFormats);
    ASSERT_TRUE(healer.Heal()) << "the healer holds the lock, and leaves what may still be committed";
    other = healer.Commit(Append(0, {Stage(7, {{"region", "us"}})}));
  });
  const auto outcome = sleeper.Commit(Next());
  ASSERT_TRUE(outcome) << outcome.error().ToString();
  ASSERT_TRUE(other && *other);
  EXPECT_EQ((*other)->version, 1);
  EXPECT_EQ(outcome->version, 2);
  EXPECT_EQ((*sleeper.Latest())->rows(), 28);
  ExpectWhole(*store, sleeper);
}

TEST_F(S3Commit, FilesThatAHealerSawAreThereWhenTheirWriterWakesUp) {
  StubS3 stub(None());
  auto store = StoreOf(stub);
  Prepare(*store);
  Table sleeper(*store, "silver/orders", x_clock, kAllFormats);
  bool healed = false;
  sleeper.set_probe([&](std::string_view step) {
    if (step != "placed" || healed) return;
    healed = true;
    ASSERT_TRUE(Table(*store, "silver/orders", x_clock, kAllFormats).Heal());
  });
  ASSERT_TRUE(sleeper.Commit(Next()));
  EXPECT_TRUE(healed);
  EXPECT_EQ((*sleeper.Latest())->rows(), 21);
  ExpectWhole(*store, sleeper);
}

}  // namespace
}  // namespace caudal
