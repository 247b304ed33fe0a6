// A store that fails at its Nth call, for every N: a commit is before or after, never between, and says which.
#include <gmock/gmock.h>

#include "lake/lake_fixture.h"
#include "lake/whole_fixture.h"

namespace caudal {
namespace {

class CommitFault : public LakeFixture {
 protected:
  /// Version 0 with a row file and rejects, and what is needed for the next commit, which `Next` makes.
  void Prepare(ObjectStore& store) {
    Table table(store, "silver/orders", x_clock, kAllFormats);
    Change create = Create(Orders({"region"}));
    create.kind = ChangeKind::kAppend;
    create.adds = {AddFile{Stage(10, {{"region", "us"}}), ""}};
    create.rejects = {Stage(1)};
    ASSERT_TRUE(table.Commit(create));
  }

  Change Next() {
    Change change = Append(0, {Stage(5, {{"region", "us"}}), Stage(6, {{"region", "fr"}})});
    change.rejects = {Stage(2)};
    change.domains["cursor.orders"] = "{}";
    change.task = "run/next";
    return change;
  }

  void ExpectBeforeOrAfter(ObjectStore& store, const Result<CommitOutcome>& outcome, const std::string& where) {
    Table healer(store, "silver/orders", x_clock, kAllFormats);
    ASSERT_TRUE(healer.Heal()) << where;
    auto snapshot = std::move(healer.Latest()).value();
    bool after = snapshot->version == 1;
    EXPECT_EQ(snapshot->rows(), after ? 21 : 10) << where;
    EXPECT_EQ(snapshot->domains.contains("cursor.orders"), after) << where;
    EXPECT_EQ((*healer.Rejects().Latest())->rows(), after ? 3 : 1) << where;
    ExpectWhole(store, healer);
    if (outcome) {
      EXPECT_TRUE(after) << where << ": a success must be there";
    } else if (outcome.error().kind != ErrorKind::kCommitUnknown) {
      EXPECT_FALSE(after) << where << ": " << outcome.error().ToString() << " says that nothing was committed";
    }
    // Whatever it was: the task is repeated, and is in exactly once.
    auto again = healer.Commit(Next());
    ASSERT_TRUE(again) << where << ": " << again.error().ToString();
    EXPECT_EQ(again->already_applied, after) << where;
    EXPECT_EQ((*healer.Latest())->rows(), 21) << where;
    EXPECT_EQ((*healer.Rejects().Latest())->rows(), 3) << where;
    ExpectWhole(store, healer);
  }

  /// How many points failed before one run was clean.
  int TryEveryPoint(ErrorKind kind, bool for_good) {
    for (int point = 1; point < 1000; ++point) {
      auto under = MakeMemoryStore();
      Prepare(*under);
      int calls = 0;
      std::string failed;
      auto store = MakeFaultyStore(*under, [&](std::string_view operation, std::string_view key) -> Status {
        ++calls;
        if (calls == point || (for_good && calls > point)) {
          if (failed.empty()) failed = std::string(operation) + " " + std::string(key);
          return Error{kind, "injected", "", ""};
        }
        return {};
      });
      Table writer(*store, "silver/orders", x_clock, kAllFormats);
      auto outcome = writer.Commit(Next());
      if (failed.empty()) {
        EXPECT_TRUE(outcome);
        return point - 1;
      }
      ExpectBeforeOrAfter(*under, outcome, "call " + std::to_string(point) + " (" + failed + ")");
      if (HasFailure()) return point;
    }
    return 1000;
  }

  FakeClock x_clock{TestTime()};
};

TEST_F(CommitFault, OnceAtEveryCall) {
  for (ErrorKind kind : {ErrorKind::kUnavailable, ErrorKind::kTimeout, ErrorKind::kCommitUnknown, ErrorKind::kInternal}) {
    EXPECT_GT(TryEveryPoint(kind, false), 20) << KindName(kind);
  }
}

TEST_F(CommitFault, ForGoodFromEveryCallOn) {
  for (ErrorKind kind : {ErrorKind::kUnavailable, ErrorKind::kCommitUnknown}) {
    EXPECT_GT(TryEveryPoint(kind, true), 20) << KindName(kind);
  }
}

TEST_F(CommitFault, LostAnswerOfTheDecidingPutIsResolvedByReading) {
  auto under = MakeMemoryStore();
  Prepare(*under);
  int lost = 0;
  auto store = MakeFaultyStore(*under, [&](std::string_view operation, std::string_view key) -> Status {
    if (operation != "put_if_absent:after" || key.find("_delta_log/00000000000000000001") == std::string_view::npos) return {};
    ++lost;
    return Error{ErrorKind::kCommitUnknown, "connection reset", "", ""};
  });
  Table writer(*store, "silver/orders", x_clock, kAllFormats);
  auto outcome = writer.Commit(Next());
  ASSERT_TRUE(outcome) << outcome.error().ToString();
  EXPECT_EQ(lost, 2) << "of the table's log and of the rejects'";
  EXPECT_EQ(outcome->version, 1);
  EXPECT_EQ((*writer.Latest())->version, 1) << "exactly one commit";
  ExpectWhole(*under, writer);
}

TEST_F(CommitFault, AFailedSyncIsNeverASuccess) {
  auto under = MakeMemoryStore();
  Prepare(*under);
  auto store = MakeFaultyStore(*under, [&](std::string_view operation, std::string_view key) -> Status {
    if (operation != "put_if_absent:after" || key != "silver/orders/_delta_log/00000000000000000001.json") return {};
    return Error{ErrorKind::kInternal, "fsync failed", "", ""};
  });
  Table writer(*store, "silver/orders", x_clock, kAllFormats);
  EXPECT_EQ(writer.Commit(Next()).error().kind, ErrorKind::kCommitUnknown);
  EXPECT_EQ(NamedFiles(*under, writer).size(), 3U) << "and nothing is cleaned up";
}

TEST_F(CommitFault, AWriterWithoutOurLockMayWinTheVersion) {
  auto under = MakeMemoryStore();
  Prepare(*under);
  Change theirs = Append(0, {Stage(7, {{"region", "us"}})});
  int raced = 0;
  auto store = MakeFaultyStore(*under, [&](std::string_view operation, std::string_view key) -> Status {
    if (operation != "put_if_absent" || key != "silver/orders/_delta_log/00000000000000000001.json") return {};
    // Another host: it does not see our lock, and commits between our look and our put.
    ++raced;
    auto elsewhere = MakeFaultyStore(*under, [](std::string_view, std::string_view) -> Status { return {}; });
    auto entry = under->Get("silver/orders/_delta_log/00000000000000000000.json");
    std::string text = *entry;
    text = text.substr(0, text.find('\n') + 1);
    text.replace(text.find("\"txnId\":\"") + 9, 4, "0000");
    text.replace(text.find("\"hudiInstant\":\"") + 15, 17, "20260110101010100");
    return under->PutIfAbsent(key, text);
  });
  Table writer(*store, "silver/orders", x_clock, kAllFormats);
  auto outcome = writer.Commit(Next());
  ASSERT_TRUE(outcome) << outcome.error().ToString();
  EXPECT_EQ(raced, 1);
  EXPECT_EQ(outcome->version, 2) << "the loser tries the next version";
  EXPECT_EQ((*writer.Latest())->rows(), 21);
  ExpectWhole(*under, writer);
}

}  // namespace
}  // namespace caudal
