#include "flow/decide.h"

#include <gtest/gtest.h>

namespace caudal {
namespace {

CommitRecord Commit(ChangeKind kind, std::vector<std::string> days) {
  CommitRecord c;
  c.change = kind;
  for (const std::string& day : days) {
    c.partitions.push_back({{"d", day == "NULL" ? Cell{} : Cell{day}}});
    c.added_paths.push_back("d=" + day + "/f.parquet");
  }
  return c;
}

class DecideTest : public ::testing::Test {
 protected:
  DecideTest() {
    x_model.schema = "gold";
    x_model.name = "daily";
    x_model.materialize = Materialize::kPartitions;
    x_model.partition_by = {"day"};
    x_model.analysis.partition_wise = true;
    x_model.analysis.partition_inputs = {{"silver.orders", "d"}};
    x_model.analysis.tables = {"silver.orders", "silver.customers"};
    x_built.definition = "h";
    x_built.inputs = {{"silver.orders", {"id1", 3}}, {"silver.customers", {"id2", 1}}};
    x_orders.table = "silver.orders";
    x_orders.table_id = "id1";
    x_orders.partition_columns = {"d"};
    x_orders.newest_partition = {{"d", "2010-12-10"}};
    x_customers.table = "silver.customers";
    x_customers.table_id = "id2";
  }
  Decision Now() { return Decide(x_model, "h", x_built, {x_orders, x_customers}, x_options); }

  ModelConfig x_model;
  BuildRecord x_built;
  InputState x_orders, x_customers;
  DecideOptions x_options;
};

TEST_F(DecideTest, NothingChangedMeansNothingRuns) {
  EXPECT_EQ(Now().action, Decision::Action::kSkip);
  x_orders.commits = {Commit(ChangeKind::kNone, {"2010-12-01"})};
  EXPECT_EQ(Now().action, Decision::Action::kSkip) << "compaction changes no row";
}

TEST_F(DecideTest, ExactlyTheTouchedPartitionsInOrder) {
  x_orders.commits = {Commit(ChangeKind::kAppend, {"2010-12-10", "2010-12-03"}),
                      Commit(ChangeKind::kUpsert, {"2010-12-03", "NULL"})};
  Decision d = Now();
  EXPECT_EQ(d.action, Decision::Action::kPartitions);
  EXPECT_EQ(d.partitions, (std::vector<Cell>{std::nullopt, "2010-12-03", "2010-12-10"}));
  EXPECT_TRUE(d.closed_partitions.empty());
}

TEST_F(DecideTest, AnInputThatWasStoredByAnotherColumnIsReadWhole) {
  CommitRecord before = Commit(ChangeKind::kAppend, {});
  before.partitions = {{{"country", Cell{"es"}}}};
  x_orders.commits = {before, Commit(ChangeKind::kOverwrite, {"2010-12-03"})};
  Decision d = Now();
  EXPECT_EQ(d.action, Decision::Action::kFull);
  EXPECT_EQ(d.reason, "silver.orders was not partitioned by d before");
}

TEST_F(DecideTest, AMergeOfALoadPassesOnOnlyTheRowsThatCame) {
  x_model.materialize = Materialize::kMerge;
  x_model.key = {"id"};
  x_model.analysis.row_wise = true;
  x_model.analysis.keeps_every_row = true;
  OutputColumn id;
  id.field.name = "id";
  id.straight = ColumnOrigin{"silver.orders", "id"};
  x_model.analysis.columns = {id};
  CommitRecord appended = Commit(ChangeKind::kAppend, {"2010-12-03"});
  appended.raw = {RawObject{"raw/a", "", 0, 0, "", ""}};
  x_orders.commits = {appended};
  EXPECT_TRUE(Now().raw_keys.empty()) << "every row of an appended file is new";
  CommitRecord merged = Commit(ChangeKind::kUpsert, {"2010-12-03"});
  merged.raw = {RawObject{"raw/b", "", 0, 0, "", ""}};
  x_orders.commits.push_back(merged);
  Decision d = Now();
  EXPECT_EQ(d.action, Decision::Action::kNewRows);
  EXPECT_EQ(d.raw_keys, (std::vector<std::string>{"raw/a", "raw/b"}));
  x_orders.commits.push_back(Commit(ChangeKind::kUpsert, {"2010-12-03"}));
  EXPECT_TRUE(Now().raw_keys.empty()) << "a commit without raw objects: its rows do not tell";
}

TEST_F(DecideTest, PartitionsOlderThanLateAreClosed) {
  x_model.late = std::chrono::hours{48};
  x_orders.commits = {Commit(ChangeKind::kAppend, {"2010-12-10", "2010-12-08", "2010-12-07"})};
  Decision d = Now();
  EXPECT_EQ(d.partitions, (std::vector<Cell>{"2010-12-08", "2010-12-10"}));
  EXPECT_EQ(d.closed_partitions, (std::vector<Cell>{"2010-12-07"}));
  x_orders.commits = {Commit(ChangeKind::kAppend, {"2010-12-01"})};
  EXPECT_EQ(Now().action, Decision::Action::kSkip);
}

TEST_F(DecideTest, WholeTablesBesideThePartitionsDecideByOnChange) {
  x_customers.commits = {Commit(ChangeKind::kUpsert, {})};
  EXPECT_EQ(Now().action, Decision::Action::kFull);
  EXPECT_NE(Now().reason.find("on_change: ignore"), std::string::npos);
  x_model.inputs["silver.customers"] = OnChange::kIgnore;
  EXPECT_EQ(Now().action, Decision::Action::kSkip);
  x_model.inputs["silver.customers"] = OnChange::kFull;
  EXPECT_EQ(Now().action, Decision::Action::kFull);
}

TEST_F(DecideTest, FullRebuildsSayWhy) {
  EXPECT_EQ(Decide(x_model, "other", x_built, {x_orders, x_customers}, {}).reason, "its definition changed");
  EXPECT_EQ(Decide(x_model, "h", std::nullopt, {x_orders, x_customers}, {}).reason, "first build");
  x_options.full_refresh = true;
  EXPECT_EQ(Now().reason, "asked for by --full-refresh");
  x_options.full_refresh = false;
  x_orders.table_id = "another";
  EXPECT_EQ(Now().reason, "silver.orders was created anew");
  x_orders.table_id = "id1";
  x_built.inputs.erase("silver.customers");
  EXPECT_EQ(Now().reason, "silver.customers is a new input");
}

TEST_F(DecideTest, AQueryThatIsNotPartitionWiseIsRebuilt) {
  x_model.analysis.partition_wise = false;
  x_model.analysis.partition_reason = "LIMIT looks at all partitions";
  x_orders.commits = {Commit(ChangeKind::kAppend, {"2010-12-10"})};
  EXPECT_EQ(Now().action, Decision::Action::kFull);
  EXPECT_EQ(Now().reason, "LIMIT looks at all partitions");
  x_model.analysis.partition_wise = true;
  x_orders.partition_columns = {"country"};
  EXPECT_EQ(Now().reason, "silver.orders is not partitioned by d");
}

TEST_F(DecideTest, AppendTakesNewRowsOnlyWhereTheInputOnlyGrew) {
  x_model.materialize = Materialize::kAppend;
  x_model.analysis.row_wise = true;
  x_orders.commits = {Commit(ChangeKind::kAppend, {"2010-12-10"}), Commit(ChangeKind::kNone, {"2010-12-01"})};
  Decision d = Now();
  EXPECT_EQ(d.action, Decision::Action::kNewRows);
  EXPECT_EQ(d.new_files, (std::vector<std::string>{"d=2010-12-10/f.parquet"}));
  x_orders.commits = {Commit(ChangeKind::kUpsert, {"2010-12-10"})};
  EXPECT_EQ(Now().action, Decision::Action::kFull);
  x_orders.commits = {Commit(ChangeKind::kAppend, {"2010-12-10"})};
  x_model.analysis.row_wise = false;
  EXPECT_EQ(Now().action, Decision::Action::kFull) << "an aggregate of new rows is not the aggregate";
}

TEST_F(DecideTest, NewFilesThatWereJoinedWithOthersAreNotMissed) {
  x_model.materialize = Materialize::kAppend;
  x_model.analysis.row_wise = true;
  CommitRecord joined = Commit(ChangeKind::kNone, {"2010-12-09"});
  joined.removed_paths = {"d=2010-12-01/old.parquet"};
  x_orders.commits = {Commit(ChangeKind::kAppend, {"2010-12-10"}), joined};
  EXPECT_EQ(Now().action, Decision::Action::kNewRows) << "files that were read before may be joined";
  x_orders.commits[1].removed_paths = {"d=2010-12-10/f.parquet"};
  Decision d = Now();
  EXPECT_EQ(d.action, Decision::Action::kFull);
  EXPECT_NE(d.reason.find("were joined"), std::string::npos) << d.reason;
}

TEST_F(DecideTest, MergeTakesUpsertsOnlyWhereNoRowCanDropOutAndTheKeyIsTheInputs) {
  x_model.materialize = Materialize::kMerge;
  x_model.key = {"id"};
  x_model.analysis.row_wise = x_model.analysis.keeps_every_row = true;
  OutputColumn id;
  id.field.name = "id";
  id.straight = ColumnOrigin{"silver.orders", "order_id"};
  x_model.analysis.columns = {id};
  x_orders.commits = {Commit(ChangeKind::kUpsert, {"2010-12-10"})};
  EXPECT_EQ(Now().action, Decision::Action::kNewRows);
  x_model.analysis.keeps_every_row = false;
  EXPECT_EQ(Now().action, Decision::Action::kFull) << "an updated row may no longer pass the filter";
  x_model.analysis.keeps_every_row = true;
  x_model.analysis.columns[0].straight.reset();
  EXPECT_EQ(Now().action, Decision::Action::kFull) << "an updated row may have another key now";
  x_orders.commits = {Commit(ChangeKind::kDelete, {"2010-12-10"})};
  EXPECT_EQ(Now().action, Decision::Action::kFull);
}

TEST_F(DecideTest, TwoChangedInputsOfAnAppendAreRebuilt) {
  x_model.materialize = Materialize::kAppend;
  x_model.analysis.row_wise = true;
  x_orders.commits = {Commit(ChangeKind::kAppend, {"2010-12-10"})};
  x_customers.commits = {Commit(ChangeKind::kAppend, {})};
  EXPECT_EQ(Now().action, Decision::Action::kFull);
}

TEST(BuildRecordTest, ReadsBackWhatItWrote) {
  BuildRecord record{"d", "c", {{"silver.orders", {"id", 7}}}, "2010-12-03"};
  auto back = BuildRecordFromJson(BuildRecordToJson(record));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->definition, "d");
  EXPECT_EQ(back->checks, "c");
  EXPECT_EQ(back->inputs.at("silver.orders").version, 7);
  EXPECT_FALSE(BuildRecordFromJson("{"));
}

TEST(DefinitionTest, ChangesWithSqlAndWithTheParametersItNames) {
  ModelConfig model;
  model.sql = "SELECT $n";
  std::map<std::string, Parameter> parameters{{"n", {Type{TypeKind::kBigint, 0, 0, {}}, "1"}},
                                              {"m", {Type{TypeKind::kBigint, 0, 0, {}}, "1"}}};
  model.analysis.parameters = {{"n", Type{TypeKind::kBigint, 0, 0, {}}}};
  std::string before = DefinitionOf(model, {}, parameters);
  parameters["m"].value = "2";
  EXPECT_EQ(DefinitionOf(model, {}, parameters), before);
  parameters["n"].value = "2";
  EXPECT_NE(DefinitionOf(model, {}, parameters), before);
  ModelConfig view;
  view.schema = "silver";
  view.name = "v";
  view.sql = "SELECT 1";
  std::string with_view = DefinitionOf(model, {&view}, parameters);
  view.sql = "SELECT 2";
  EXPECT_NE(DefinitionOf(model, {&view}, parameters), with_view) << "a view's rows are the model's";
  model.sql = "SELECT $n + 1";
  parameters["n"].value = "1";
  EXPECT_NE(DefinitionOf(model, {}, parameters), before);
}

}  // namespace
}  // namespace caudal
