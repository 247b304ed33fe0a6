#include "lake/table.h"

#include <gmock/gmock.h>

#include "base/json.h"
#include "lake/lake_fixture.h"
#include "lake/overwrite.h"

namespace caudal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class TableTest : public LakeFixture {
 protected:
  std::int64_t Commit(const Change& change) {
    auto outcome = x_table.Commit(change);
    EXPECT_TRUE(outcome) << outcome.error().ToString();
    x_clock.Advance(std::chrono::seconds{1});
    return outcome ? outcome->version : -1;
  }

  Error Refused(const Change& change) {
    auto before = x_table.Latest();
    auto outcome = x_table.Commit(change);
    EXPECT_FALSE(outcome);
    auto after = x_table.Latest();
    if (before) {
      EXPECT_EQ((*after)->version, (*before)->version);
    }
    return outcome ? Error{} : outcome.error();
  }

  std::shared_ptr<const Snapshot> Latest() { return std::move(x_table.Latest()).value(); }

  std::unique_ptr<ObjectStore> x_store = MakeMemoryStore();
  FakeClock x_clock{TestTime()};
  Table x_table{*x_store, "silver/orders", x_clock};
};

TEST_F(TableTest, LivesAndIsRead) {
  EXPECT_EQ(x_table.Latest().error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(Commit(Create(Orders({"region"}))), 0);
  Change first = Append(0, {Stage(10, {{"region", "us"}}), Stage(5, {{"region", ""}}), Stage(0, {{"region", "no rows"}})});
  first.task = "run-1/load";
  first.domains["cursor.orders"] = R"({"at":1})";
  first.note = R"({"seen": [1, 2]})";
  first.counts = RowCounts{16, 15, 1, 0};
  first.raw.push_back(RawObject{"raw/a", "abc", 5, 15, "a.csv", "{}"});
  EXPECT_EQ(Commit(first), 1);

  auto snapshot = Latest();
  ASSERT_EQ(snapshot->files.size(), 2U) << "a file without rows is not published";
  EXPECT_EQ(snapshot->rows(), 15);
  const LiveFile& null_file = snapshot->files[0];
  EXPECT_THAT(null_file.path, HasSubstr("region=__HIVE_DEFAULT_PARTITION__/"));
  EXPECT_EQ(null_file.partition.at("region"), std::nullopt) << "the empty string is NULL";
  EXPECT_EQ(StatsOf(*snapshot, null_file)->at("id").max, "5");
  EXPECT_EQ(null_file.added_version, 1);
  EXPECT_EQ(null_file.instant, "20260110101011101");
  EXPECT_THAT(null_file.path, HasSubstr("_1-0-"));
  EXPECT_TRUE(null_file.path.ends_with("_20260110101011101.parquet")) << null_file.path;
  EXPECT_EQ(snapshot->domains.at("cursor.orders"), R"({"at":1})");
  EXPECT_EQ(snapshot->key, std::vector<std::string>{"id"});
  EXPECT_TRUE(x_store->Get(x_table.KeyOf(null_file)));
  EXPECT_EQ(*x_store->Get("silver/orders/region=us/.hoodie_partition_metadata"),
            "#partition metadata\n#Sat Jan 10 10:10:11 UTC 2026\ncommitTime=20260110101011101\npartitionDepth=1\n");

  Change rewrite;
  rewrite.operation = "MERGE";
  rewrite.kind = ChangeKind::kUpsert;
  rewrite.base_version = 1;
  rewrite.removes = {snapshot->files[1].path};
  rewrite.adds = {AddFile{Stage(9, {{"region", "us"}}), snapshot->files[1].path}};
  rewrite.domains["cursor.orders"] = std::nullopt;
  EXPECT_EQ(Commit(rewrite), 2);
  auto after = Latest();
  EXPECT_EQ(after->rows(), 14);
  EXPECT_EQ(after->files[1].file_id, snapshot->files[1].file_id) << "the file group goes on";
  EXPECT_NE(after->files[1].path, snapshot->files[1].path);
  EXPECT_TRUE(after->domains.empty());
  EXPECT_TRUE(x_store->Get("silver/orders/" + snapshot->files[1].path)) << "older versions stay readable";

  EXPECT_EQ((*x_table.At(1))->rows(), 15);
  EXPECT_EQ((*x_table.At(0))->rows(), 0);
  EXPECT_EQ((*x_table.At(2))->files.size(), 2U);
  EXPECT_EQ(x_table.At(3).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(x_table.At(-1).error().kind, ErrorKind::kNotFound);

  auto history = *x_table.History(-1, 2);
  ASSERT_EQ(history.size(), 3U);
  EXPECT_EQ(history[0].operation, "CREATE");
  EXPECT_EQ(history[1].task, "run-1/load");
  EXPECT_EQ(history[1].change, ChangeKind::kAppend);
  EXPECT_EQ(history[1].rows_added, 15);
  EXPECT_EQ(history[1].counts->rejected, 1);
  EXPECT_EQ(history[1].raw[0].origin, "a.csv");
  EXPECT_EQ(history[1].note, R"({"seen":[1,2]})");
  EXPECT_THAT(history[1].partitions, ElementsAre(std::map<std::string, Cell>{{"region", std::nullopt}},
                                                 std::map<std::string, Cell>{{"region", "us"}}));
  EXPECT_EQ(history[2].rows_removed, 10);
  EXPECT_EQ(history[2].added_paths, std::vector<std::string>{after->files[1].path});
  EXPECT_EQ(x_table.History(1, 2)->size(), 1U);
  EXPECT_EQ(x_table.History(1, 9).error().kind, ErrorKind::kNotFound);

  // A second reader sees the same as the one that committed.
  Table fresh(*x_store, "silver/orders", x_clock);
  EXPECT_EQ((*fresh.Latest())->files.size(), 2U);
  EXPECT_EQ((*fresh.Latest())->files[1].path, after->files[1].path);
  EXPECT_EQ(StatsOf(**fresh.At(1), (*fresh.At(1))->files[1])->at("id").max, "10");
}

TEST_F(TableTest, VersionAtATime) {
  for (int i = 0; i < 20; ++i) Commit(i == 0 ? Create(Orders()) : Append(i - 1, {}));
  for (std::int64_t v : {0, 1, 7, 18, 19}) {
    EXPECT_EQ(*x_table.VersionAt(TestTime() + std::chrono::seconds{v}), v);
    EXPECT_EQ(*x_table.VersionAt(TestTime() + std::chrono::milliseconds{1000 * v + 999}), v);
  }
  EXPECT_EQ(*x_table.VersionAt(TestTime() + std::chrono::hours{1}), 19);
  EXPECT_EQ(x_table.VersionAt(TestTime() - std::chrono::milliseconds{1}).error().kind, ErrorKind::kInvalidArgument);
}

TEST_F(TableTest, TimesGrowEvenIfTheClockDoesNot) {
  FakeClock stopped(TestTime());
  Table table(*x_store, "silver/orders", stopped);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(table.Commit(i == 0 ? Create(Orders()) : Append(i - 1, {})));
  stopped.Advance(-std::chrono::hours{5});
  ASSERT_TRUE(table.Commit(Append(3, {})));
  auto history = *table.History(-1, 4);
  for (std::size_t i = 1; i < history.size(); ++i) {
    EXPECT_EQ(history[i].time - history[i - 1].time, std::chrono::milliseconds{1});
    EXPECT_LT(history[i - 1].instant, history[i].instant);
  }
}

TEST_F(TableTest, ATaskCommitsOnce) {
  Commit(Create(Orders()));
  Change change = Append(0, {Stage(3)});
  change.task = "run-1/a";
  EXPECT_EQ(Commit(change), 1);
  Commit(Append(1, {Stage(1)}));
  auto again = x_table.Commit(change);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->already_applied);
  EXPECT_EQ(again->version, 1);
  EXPECT_EQ(Latest()->rows(), 4);
  Change create = Create(Orders());
  EXPECT_EQ(Refused(create).kind, ErrorKind::kAlreadyExists);
}

TEST_F(TableTest, ConflictNamesTheWinner) {
  Commit(Create(Orders({"region"})));
  Commit(Append(0, {Stage(3, {{"region", "us"}})}));
  Change winner = *OverwritePartitions(*Latest(), {{{"region", "us"}}}, {Stage(2, {{"region", "us"}})});
  winner.task = "run-7/orders";
  Change loser = *OverwritePartitions(*Latest(), {{{"region", "us"}}}, {Stage(1, {{"region", "us"}})});
  Change elsewhere = *OverwritePartitions(*Latest(), {{{"region", "fr"}}}, {Stage(8, {{"region", "fr"}})});
  Commit(winner);
  Error error = Refused(loser);
  EXPECT_EQ(error.kind, ErrorKind::kConflict);
  EXPECT_THAT(error.message, HasSubstr("version 2"));
  EXPECT_THAT(error.message, HasSubstr("OVERWRITE PARTITIONS by run-7/orders"));
  EXPECT_EQ(Commit(elsewhere), 3) << "disjoint partitions pass";
  EXPECT_EQ(Latest()->rows(), 10);
  EXPECT_FALSE(OverwritePartitions(*Latest(), {{{"region", "fr"}}}, {Stage(8, {{"region", "us"}})})) << "files elsewhere";
}

TEST_F(TableTest, TheSameDefinitionIsNoConflict) {
  Commit(Create(Orders()));
  Change change = Append(0, {Stage(1)});
  change.definition = Orders();
  Commit(Append(0, {Stage(2)}));
  EXPECT_EQ(Commit(change), 2);
  Change widened = Append(1, {});
  widened.definition = Orders();
  widened.definition->schema.fields.push_back(Field{"more", *ParseType("VARCHAR"), 0});
  EXPECT_EQ(Refused(widened).kind, ErrorKind::kConflict);
  widened.base_version = 2;
  EXPECT_EQ(Commit(widened), 3);
  EXPECT_NE(Latest()->schema.Find("more"), nullptr);
  EXPECT_EQ((*x_table.At(2))->schema.Find("more"), nullptr);
}

TEST_F(TableTest, RefusesChangesThatBreakTheRules) {
  Commit(Create(Orders({"region"})));
  Commit(Append(0, {Stage(3, {{"region", "us"}}), Stage(4, {{"region", "fr"}})}));
  std::string fr = Latest()->files[0].path, us = Latest()->files[1].path;
  auto base = [&] {
    Change change;
    change.operation = "TEST";
    change.kind = ChangeKind::kUpsert;
    change.base_version = 1;
    return change;
  };
  WrittenFile staged = Stage(1, {{"region", "us"}}), other = Stage(1, {{"region", "us"}});
  struct Case {
    const char* why;
    std::function<void(Change&)> change;
    ErrorKind kind;
  };
  const Case cases[] = {
      {"no operation", [](Change& c) { c.operation = ""; }, ErrorKind::kInvalidArgument},
      {"a version of the future", [](Change& c) { c.base_version = 99; }, ErrorKind::kInvalidArgument},
      {"no version at all", [](Change& c) { c.base_version = -2; }, ErrorKind::kInvalidArgument},
      {"an unknown file goes", [](Change& c) { c.removes = {"region=us/none.parquet"}; }, ErrorKind::kNotFound},
      {"a file goes twice", [&](Change& c) { c.removes = {us, us}; }, ErrorKind::kInvalidArgument},
      {"a file comes twice", [&](Change& c) { c.adds = {{staged, ""}, {staged, ""}}; }, ErrorKind::kInvalidArgument},
      {"no partition value", [&](Change& c) { c.adds = {{Stage(1), ""}}; }, ErrorKind::kInvalidArgument},
      {"a value of another column", [&](Change& c) { c.adds = {{Stage(1, {{"day", "x"}}), ""}}; }, ErrorKind::kInvalidArgument},
      {"carries on what stays", [&](Change& c) { c.adds = {{staged, us}}; }, ErrorKind::kInvalidArgument},
      {"carries on in another partition", [&](Change& c) { c.removes = {fr}; c.adds = {{staged, fr}}; }, ErrorKind::kInvalidArgument},
      {"two carry on one", [&](Change& c) { c.removes = {us}; c.adds = {{staged, us}, {other, us}}; }, ErrorKind::kInvalidArgument},
      {"an append that removes", [&](Change& c) { c.kind = ChangeKind::kAppend; c.removes = {us}; }, ErrorKind::kInvalidArgument},
      {"a blind removal", [&](Change& c) { c.blind = true; c.removes = {us}; }, ErrorKind::kInvalidArgument},
      {"a compaction that loses rows", [&](Change& c) { c.kind = ChangeKind::kNone; c.removes = {us}; c.adds = {{staged, ""}}; }, ErrorKind::kInvalidArgument},
      {"a note that is no object", [](Change& c) { c.note = "[1]"; }, ErrorKind::kInvalidArgument},
      {"a note that is no JSON", [](Change& c) { c.note = "{"; }, ErrorKind::kInvalidArgument},
      {"a domain that is no JSON", [](Change& c) { c.domains["cursor.a"] = "x"; }, ErrorKind::kInvalidArgument},
      {"the domain of the rejects", [](Change& c) { c.domains["rejects"] = "{}"; }, ErrorKind::kInvalidArgument},
      {"a column of another type", [](Change& c) { c.definition = Orders({"region"}); c.definition->schema.fields[0].type = *ParseType("DATE"); }, ErrorKind::kInvalidArgument},
      {"a staged file that is not there", [&](Change& c) { WrittenFile gone = Stage(1, {{"region", "us"}}); std::filesystem::remove(gone.path); c.adds = {{gone, ""}}; }, ErrorKind::kNotFound},
  };
  auto objects = x_store->List("", "")->size();
  for (const Case& c : cases) {
    Change change = base();
    c.change(change);
    EXPECT_EQ(Refused(change).kind, c.kind) << c.why;
    EXPECT_EQ(x_store->List("", "")->size(), objects) << c.why << ": nothing is left behind";
  }
  EXPECT_EQ(Refused(Create(Orders())).kind, ErrorKind::kAlreadyExists);
  Table absent(*x_store, "silver/none", x_clock);
  EXPECT_EQ(absent.Commit(Append(0, {})).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(absent.Commit(Append(-1, {})).error().kind, ErrorKind::kInvalidArgument);
}

TEST_F(TableTest, OverwriteOfEverythingMayChangeEverything) {
  Commit(Create(Orders()));
  Commit(Append(0, {Stage(3), Stage(4)}));
  Change change = OverwriteTable(*Latest(), {Stage(5, {{"day", "2026-01-01"}})});
  change.definition = TableDefinition{"silver.orders", Columns({{"id", "VARCHAR"}, {"day", "DATE"}}), {"day"}, {}, {}};
  Commit(change);
  EXPECT_EQ(Latest()->rows(), 5);
  EXPECT_EQ(Latest()->schema.Find("id")->id, 4) << "another type is another column";
  EXPECT_EQ(Latest()->partition_columns, std::vector<std::string>{"day"});
  EXPECT_EQ((*x_table.At(1))->schema.Find("id")->id, 1);
}

TEST_F(TableTest, RejectsBecomeATable) {
  Commit(Create(Orders()));
  EXPECT_EQ(x_table.Rejects().Latest().error().kind, ErrorKind::kNotFound);
  for (int i = 1; i <= 3; ++i) {
    Change change = Append(i - 1, {Stage(10)});
    change.task = "run/" + std::to_string(i);
    if (i != 2) change.rejects = {Stage(i), Stage(0)};
    Commit(change);
  }
  Table rejects = x_table.Rejects();
  auto snapshot = *rejects.Latest();
  EXPECT_EQ(snapshot->version, 1) << "commits without rejects leave no version";
  EXPECT_EQ(snapshot->rows(), 4);
  EXPECT_EQ(snapshot->name, "silver.orders__rejects");
  EXPECT_TRUE(snapshot->schema == RejectSchema());
  for (const LiveFile& file : snapshot->files) EXPECT_TRUE(x_store->Get(rejects.KeyOf(file)));
  auto history = *rejects.History(-1, 1);
  EXPECT_EQ(history[1].task, "run/3");
  EXPECT_EQ(history[1].time, (*x_table.History(2, 3))[0].time);
  EXPECT_EQ(rejects.Commit(Append(1, {Stage(1)})).error().kind, ErrorKind::kUnsupported);

  // Lost versions of it come back as they were.
  std::map<std::string, std::string> before;
  auto objects = std::move(x_store->List("silver/orders__rejects/_delta_log/", "")).value();
  for (const ObjectInfo& object : objects) {
    before[object.key] = *x_store->Get(object.key);
    ASSERT_TRUE(x_store->Delete(object.key));
  }
  ASSERT_EQ(before.size(), 2U);
  ASSERT_TRUE(x_table.Heal());
  for (const auto& [key, bytes] : before) EXPECT_EQ(*x_store->Get(key), bytes) << key;
}

TEST_F(TableTest, RejectedRowsAreTakenOutOnceAndComeBackWithARollback) {
  Commit(Create(Orders()));
  Change load = Append(0, {Stage(10)});
  load.rejects = {Stage(3)};
  Commit(load);
  auto rejects = std::move(x_table.RejectsAt(*Latest())).value();
  ASSERT_EQ(rejects->rows(), 3);
  Change replay = Append(1, {Stage(2)});
  replay.operation = "REPLAY";
  replay.reject_removes = rejects->files;
  replay.rejects = {Stage(1)};
  Change twice = replay;
  twice.adds = {AddFile{Stage(2), ""}};
  twice.rejects = {Stage(1)};
  twice.blind = replay.blind = true;
  Commit(replay);
  EXPECT_EQ(Refused(twice).kind, ErrorKind::kConflict) << "the same rows would be written twice";
  EXPECT_EQ(Latest()->rows(), 12);
  rejects = std::move(x_table.RejectsAt(*Latest())).value();
  EXPECT_EQ(rejects->rows(), 1);
  EXPECT_EQ((*x_table.Rejects().History(0, 1))[0].operation, "REPLAY");

  // A killed writer's version of the rejects is written by whoever asks for it.
  auto objects = std::move(x_store->List("silver/orders__rejects/_delta_log/", "")).value();
  const std::string bytes = *x_store->Get(objects.back().key);
  ASSERT_TRUE(x_store->Delete(objects.back().key));
  Table reopened(*x_store, "silver/orders", x_clock);
  auto healed = reopened.RejectsAt(*Latest());
  ASSERT_TRUE(healed) << healed.error().message;
  EXPECT_EQ((*healed)->rows(), 1);
  EXPECT_EQ(*x_store->Get(objects.back().key), bytes);

  const auto then = std::move(x_table.At(1)).value();
  Change back = RollbackTo(*Latest(), then);
  RollbackRejects(**healed, std::move(x_table.RejectsAt(*then)).value().get(), back);
  Commit(back);
  EXPECT_EQ(Latest()->rows(), 10);
  rejects = std::move(x_table.RejectsAt(*Latest())).value();
  EXPECT_EQ(rejects->rows(), 3);
  for (const LiveFile& file : rejects->files) EXPECT_TRUE(x_store->Get(x_table.Rejects().KeyOf(file))) << file.path;
  back = RollbackTo(*Latest(), std::move(x_table.At(0)).value());
  RollbackRejects(*rejects, nullptr, back);
  Commit(back);
  EXPECT_EQ(std::move(x_table.RejectsAt(*Latest())).value()->rows(), 0);
}

TEST_F(TableTest, AGapOrABrokenEntryIsCorruption) {
  for (int i = 0; i < 4; ++i) Commit(i == 0 ? Create(Orders()) : Append(i - 1, {Stage(1)}));
  std::string key = "silver/orders/_delta_log/00000000000000000002.json";
  std::string bytes = *x_store->Get(key);
  auto open = [&] { return Table(*x_store, "silver/orders", x_clock).Latest(); };
  ASSERT_TRUE(x_store->Delete(key));
  EXPECT_EQ(open().error().kind, ErrorKind::kCorruption);
  EXPECT_THAT(open().error().message, HasSubstr(key));
  ASSERT_TRUE(x_store->Put(key, bytes.substr(0, bytes.size() / 2)));
  EXPECT_EQ(open().error().kind, ErrorKind::kCorruption);
  ASSERT_TRUE(x_store->Put(key, *x_store->Get("silver/orders/_delta_log/00000000000000000001.json")));
  EXPECT_EQ(open().error().kind, ErrorKind::kCorruption) << "a file cannot be added twice";
  ASSERT_TRUE(x_store->Put(key, bytes));
  ASSERT_TRUE(x_store->Put("silver/orders/_delta_log/00000000000000000001.checkpoint.parquet", "PAR1"));
  ASSERT_TRUE(x_store->Put("silver/orders/_delta_log/_last_checkpoint", "{}"));
  EXPECT_TRUE(open()) << "other files of the folder do not matter";
}

}  // namespace
}  // namespace caudal
