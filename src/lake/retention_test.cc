// Savepoints and purges, as a user meets them; random lives of tables are in table_life_test.cc.
#include "lake/retention.h"

#include <gmock/gmock.h>

#include "base/json.h"
#include "lake/lake_fixture.h"
#include "lake/whole_fixture.h"

namespace caudal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Retention : public LakeFixture {
 protected:
  void SetUp() override {
    LakeFixture::SetUp();
    Publish(Create(Orders()));
  }

  std::shared_ptr<const Snapshot> Latest() { return std::move(x_table.Latest()).value(); }

  void Publish(const Change& change) {
    auto outcome = x_table.Commit(change);
    ASSERT_TRUE(outcome) << outcome.error().ToString();
  }

  /// A version that replaces all files by one of so many rows.
  void Replace(std::int64_t rows) {
    Change change = Append(Latest()->version, {Stage(rows)});
    change.kind = ChangeKind::kOverwrite;
    change.blind = false;
    for (const LiveFile& file : Latest()->files) change.removes.push_back(file.path);
    Publish(change);
  }

  Json Metadata() {
    auto text = x_store->Get("silver/orders/metadata/v" + std::to_string(Latest()->version + 1) + ".metadata.json");
    return text ? Json::parse(*text) : Json();
  }

  std::vector<std::int64_t> IcebergVersions() {
    std::vector<std::int64_t> versions;
    const Json metadata = Metadata();
    for (const Json& snapshot : metadata["snapshots"]) versions.push_back(snapshot["sequence-number"].get<std::int64_t>() - 1);
    return versions;
  }

  std::size_t Count(const std::string& prefix, const std::string& ending) {
    std::size_t count = 0;
    for (const ObjectInfo& object : Objects(*x_store, prefix)) count += object.key.ends_with(ending) ? 1 : 0;
    return count;
  }

  FakeClock x_clock{TestTime()};
  std::unique_ptr<ObjectStore> x_store = MakeMemoryStore();
  Table x_table{*x_store, "silver/orders", x_clock, kAllFormats};
};

TEST_F(Retention, PurgedVersionsAreGoneInEveryFormat) {
  for (int rows = 1; rows <= 6; ++rows) Replace(rows);
  auto foreseen = x_table.Purge(4, true);
  ASSERT_TRUE(foreseen);
  EXPECT_EQ(foreseen->files, 3);
  EXPECT_EQ(Count("silver/orders/", ".parquet"), 6U) << "a dry run deletes nothing";
  auto purged = x_table.Purge(4, false);
  ASSERT_TRUE(purged) << purged.error().ToString();
  EXPECT_EQ(purged->files, 3);
  EXPECT_EQ(purged->bytes, foreseen->bytes);
  EXPECT_EQ(Count("silver/orders/", ".parquet"), 3U);
  auto old = x_table.At(3);
  ASSERT_FALSE(old);
  EXPECT_THAT(old.error().message, HasSubstr("was purged"));
  EXPECT_THAT(old.error().next, HasSubstr("4"));
  EXPECT_EQ((*x_table.At(4))->rows(), 4);
  EXPECT_THAT(IcebergVersions(), ElementsAre(4, 5, 6, 7));
  EXPECT_EQ(Count("silver/orders/metadata/snap-", ".avro"), 4U);
  EXPECT_EQ(Count("silver/orders/.hoodie/", "commit"), 4U) << "Hudi's timeline begins at version 4";
  ExpectWhole(*x_store, x_table);
}

TEST_F(Retention, SavepointOutlivesPurgeAndIsATagOfIceberg) {
  for (int rows = 1; rows <= 3; ++rows) Replace(rows);
  Publish(*AddSavepoint(*Latest(), {"month-end", 2, "closed"}));
  for (int rows = 4; rows <= 6; ++rows) Replace(rows);
  ASSERT_TRUE(x_table.Purge(6, false));
  EXPECT_THAT(*KeptVersions(*Latest()), ElementsAre(2, 6, 7, 8));
  EXPECT_EQ((*x_table.At(2))->rows(), 2);
  EXPECT_FALSE(x_table.At(1));
  EXPECT_FALSE(x_table.At(3));
  EXPECT_THAT(IcebergVersions(), ElementsAre(2, 6, 7, 8));
  EXPECT_EQ(Metadata()["refs"]["month-end"]["type"], "tag");
  EXPECT_EQ(Metadata()["refs"]["month-end"]["snapshot-id"], Metadata()["snapshots"][0]["snapshot-id"]);
  ExpectWhole(*x_store, x_table);

  Publish(RollbackTo(*Latest(), *x_table.At(2)));
  EXPECT_EQ(Latest()->rows(), 2);
  EXPECT_EQ(SavepointsOf(*Latest())->size(), 1U) << "a rollback keeps the savepoints that came after";

  Publish(*DropSavepoint(*Latest(), "month-end"));
  EXPECT_THAT(IcebergVersions(), ElementsAre(6, 7, 8, 9, 10));
  ASSERT_TRUE(x_table.Purge(9, false));
  EXPECT_EQ(Count("silver/orders/", ".parquet"), 1U) << "what only the savepoint had is gone, too";
  ExpectWhole(*x_store, x_table);
}

TEST_F(Retention, RefusesWhatCannotBe) {
  Replace(1);
  EXPECT_THAT(AddSavepoint(*Latest(), {"9th", 1, ""}).error().next, HasSubstr("letters"));
  EXPECT_FALSE(AddSavepoint(*Latest(), {"main", 1, ""}));
  EXPECT_FALSE(AddSavepoint(*Latest(), {"future", 2, ""}));
  Publish(*AddSavepoint(*Latest(), {"a", 0, ""}));
  EXPECT_THAT(AddSavepoint(*Latest(), {"a", 1, ""}).error().message, HasSubstr("already"));
  EXPECT_THAT(DropSavepoint(*Latest(), "b").error().next, HasSubstr("it has a"));
  EXPECT_FALSE(x_table.Purge(3, false));
  ASSERT_TRUE(x_table.Purge(2, false));
  EXPECT_FALSE(x_table.Purge(1, false)) << "what is purged does not come back";
  EXPECT_FALSE(AddSavepoint(*Latest(), {"late", 1, ""}));
}

TEST_F(Retention, PurgeThatDiedIsFinishedByTheNextWriter) {
  for (int rows = 1; rows <= 6; ++rows) Replace(rows);
  Table dying = x_table;
  struct Death {};
  dying.set_probe([](std::string_view step) {
    if (step == "purged") throw Death();
  });
  EXPECT_THROW((void)dying.Purge(4, false), Death);
  EXPECT_EQ(Count("silver/orders/", ".parquet"), 5U);
  EXPECT_FALSE(x_table.At(3)) << "given up in the log before a file goes";
  ASSERT_TRUE(x_table.Heal());
  EXPECT_EQ(Count("silver/orders/", ".parquet"), 3U) << "whoever comes next finishes it";
  ASSERT_TRUE(x_table.Purge(5, false));
  EXPECT_EQ(Count("silver/orders/", ".parquet"), 2U);
  ExpectWhole(*x_store, x_table);
}

TEST_F(Retention, OrphansGoByAgeAndNothingElseDoes) {
  Replace(1);
  ASSERT_TRUE(x_store->Put("silver/orders/stray_0-0-0_20250101000000000.parquet", "x"));
  EXPECT_TRUE(x_table.PurgeOrphans(FromMilliseconds(0), false)->empty()) << "too young";
  const Timestamp later = TestTime() + std::chrono::hours(24 * 365 * 100);
  EXPECT_THAT(*x_table.PurgeOrphans(later, true), ElementsAre(HasSubstr("stray")));
  EXPECT_THAT(*x_table.PurgeOrphans(later, false), ElementsAre(HasSubstr("stray")));
  EXPECT_TRUE(x_table.PurgeOrphans(later, false)->empty());
  ExpectWhole(*x_store, x_table);
}

/// What an open reads does not grow with the history.
TEST_F(Retention, OpeningReadsFewObjectsHoweverLongTheHistory) {
  std::map<std::string, int> calls;
  auto counting = MakeFaultyStore(*x_store, [&](std::string_view operation, std::string_view) {
    ++calls[std::string(operation)];
    return Status();
  });
  std::vector<int> gets;
  for (const std::int64_t versions : {100, 1000}) {
    while (Latest()->version < versions) Replace(Latest()->version + 1);
    calls.clear();
    auto opened = Table(*counting, "silver/orders", x_clock).Latest();
    ASSERT_TRUE(opened);
    EXPECT_EQ((*opened)->version, versions);
    EXPECT_EQ((*opened)->rows(), versions);
    EXPECT_EQ((*opened)->configuration, Latest()->configuration);
    gets.push_back(calls["get"]);
  }
  EXPECT_LE(gets[1], 40);
  EXPECT_LE(gets[0], 40);
}

TEST_F(Retention, KeptSnapshotThatLiesIsNotBelieved) {
  for (int rows = 1; rows <= 40; ++rows) Replace(rows);
  const auto kept = Objects(*x_store, "silver/orders/.hoodie/.caudal/");
  ASSERT_EQ(kept.size(), 1U);
  std::string bytes = *x_store->Get(kept[0].key);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  ASSERT_TRUE(x_store->Put(kept[0].key, bytes));
  EXPECT_EQ((*Table(*x_store, "silver/orders", x_clock).Latest())->rows(), 40);
  ASSERT_TRUE(x_store->Put(kept[0].key, ""));
  EXPECT_EQ((*Table(*x_store, "silver/orders", x_clock).Latest())->rows(), 40);
}

}  // namespace
}  // namespace caudal
