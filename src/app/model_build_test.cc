// Builds of models that follow one another in one small project: what each must leave in the table.
#include "app/small_project_testing.h"

namespace caudal {
namespace {

class ModelBuild : public SmallProject {
 protected:
  ModelBuild() { Source("    partition_by: d\n", "id: {type: BIGINT}, d: {type: DATE}, x: {type: BIGINT}"); }

  RunRequest Backfill(const std::string& from, const std::string& to) {
    RunRequest request;
    request.select = {"silver.m"};
    request.interval.emplace(from, to);
    return request;
  }
  RunRequest Only(const std::string& table) {
    RunRequest request;
    request.select = {table};
    return request;
  }

  void RunAll() {
    for (const auto& [table, said] : Run()) EXPECT_EQ(said.find("failed"), std::string::npos) << table << ": " << said;
  }
};

TEST_F(ModelBuild, TableOfAnotherColumnTypeKeepsItsValues) {
  File("in/a.csv", "id,d,x\n1,2010-12-01,7\n");
  Model("m", "materialize: table", "SELECT id, x FROM shop.rows");
  RunAll();
  Model("m", "materialize: table", "SELECT id, 'x' || x AS x FROM shop.rows");
  RunAll();
  EXPECT_EQ(Query("SELECT id, x FROM silver.m"), "1|x7");
  Model("m", "materialize: {table: true, partition_by: x}", "SELECT id, x FROM shop.rows");
  RunAll();
  EXPECT_EQ(Query("SELECT id, x + 1 FROM silver.m"), "1|8");
}

TEST_F(ModelBuild, TableBecomesASnapshotAndATableAgain) {
  File("in/a.csv", "id,d,x\n1,2010-12-01,7\n2,2010-12-01,8\n");
  Model("m", "materialize: {table: true, partition_by: d}", "SELECT id, d, x FROM shop.rows");
  RunAll();
  Model("m", "materialize: {snapshot: id, partition_by: d}", "SELECT id, d, x FROM shop.rows");
  RunAll();
  EXPECT_EQ(Query("SELECT id, x, is_current, valid_to FROM silver.m"), "1|7|true|NULL 2|8|true|NULL");
  File("in/b.csv", "id,d,x\n3,2010-12-02,9\n");
  RunAll();
  EXPECT_EQ(Query("SELECT id, x, is_current FROM silver.m"), "1|7|true 2|8|true 3|9|true");
  Model("m", "materialize: table", "SELECT id, x FROM shop.rows");
  RunAll();
  EXPECT_EQ(Query("SELECT * FROM silver.m"), "1|7 2|8 3|9");
}

TEST_F(ModelBuild, SnapshotKeepsItsHistoryWhenColumnsAndPartitionsChange) {
  File("in/a.csv", "id,d,x\n1,2010-12-01,7\n2,2010-12-01,8\n");
  Model("m", "materialize: {snapshot: id}", "SELECT id, x FROM shop.rows");
  RunAll();
  Model("m", "materialize: {snapshot: id}", "SELECT id, x, d FROM shop.rows");
  RunAll();
  EXPECT_EQ(Query("SELECT id, x, d, is_current FROM silver.m"),
            "1|7|2010-12-01|true 1|7|NULL|false 2|8|2010-12-01|true 2|8|NULL|false");
  Model("m", "materialize: {snapshot: id, partition_by: d}", "SELECT id, x, d FROM shop.rows");
  RunAll();
  EXPECT_EQ(Query("SELECT id, x, d, is_current FROM silver.m"),
            "1|7|2010-12-01|true 1|7|NULL|false 2|8|2010-12-01|true 2|8|NULL|false");
  Model("m", "materialize: {snapshot: id, partition_by: d}", "SELECT id, CAST(x AS VARCHAR) || '!' AS x, d FROM shop.rows");
  RunAll();
  EXPECT_EQ(Query("SELECT id, x, d, is_current FROM silver.m WHERE id = 1"),
            "1|7|2010-12-01|false 1|7|NULL|false 1|7!|2010-12-01|true");
}

TEST_F(ModelBuild, KeyThatDoesNotTellRowsApartPublishesNothing) {
  File("in/a.csv", "id,d,x\n1,2010-12-01,7\n2,2010-12-01,8\n1,2010-12-02,9\n");
  for (const char* how : {"{incremental: merge, key: id}", "{snapshot: id}"}) {
    Model("m", std::string("materialize: ") + how, "SELECT id, d, x FROM shop.rows");
    EXPECT_EQ(Run().at("silver.m"),
              "failed models/silver/m.sql:4:1: silver.m was not published: its key (id) does not tell the rows of the result "
              "apart: (1) in 2 rows");
  }
  Model("m", "materialize: {incremental: merge, key: [id, d]}", "SELECT id, d, x FROM shop.rows");
  RunAll();
  // New rows alone are looked at, and what is there stays as it was.
  File("in/b.csv", "id,d,x\n3,2010-12-03,1\n3,2010-12-03,2\n");
  EXPECT_NE(Run().at("silver.m").find("(3, 2010-12-03) in 2 rows"), std::string::npos);
  EXPECT_EQ(Query("SELECT count(*), max(id) FROM silver.m"), "3|2");
}

TEST_F(ModelBuild, KeyWithoutAValuePublishesNothing) {
  File("in/a.csv", "id,d,x\n1,2010-12-01,7\n,2010-12-01,8\n");
  Model("m", "materialize: {incremental: merge, key: id}", "SELECT id, d, x FROM shop.rows");
  EXPECT_NE(Run().at("silver.m").find("its key (id) is NULL in rows of the result: (NULL) in 1 row"), std::string::npos);
  Model("m", "materialize: {incremental: merge, key: id}", "SELECT id, d, x FROM shop.rows WHERE id IS NOT NULL");
  RunAll();
  EXPECT_EQ(Query("SELECT id FROM silver.m"), "1");
}

TEST_F(ModelBuild, ViewTakesTheProjectsParameters) {
  auto parameters = [&](const std::string& least) {
    File("caudal.yaml", "name: small\nlake: lake\ndefaults: {retries: []}\nparameters: {least: " + least + "}\n");
  };
  parameters("8");
  File("in/a.csv", "id,d,x\n1,2010-12-01,7\n2,2010-12-01,8\n3,2010-12-02,9\n");
  Model("v", "materialize: view", "SELECT id, d, x FROM shop.rows WHERE x >= $least");
  Model("m", "materialize: {incremental: partitions, partition_by: d}", "SELECT d, count(*) AS n FROM silver.v GROUP BY d");
  RunAll();
  EXPECT_EQ(Query("SELECT d, n FROM silver.m"), "2010-12-01|1 2010-12-02|1");
  EXPECT_EQ(Query("SELECT id FROM silver.v"), "2 3");
  File("in/b.csv", "id,d,x\n4,2010-12-02,10\n");
  EXPECT_EQ(Run().at("silver.m"), "succeeded shop.rows changed") << "the proof goes through the view";
  EXPECT_EQ(Query("SELECT d, n FROM silver.m"), "2010-12-01|1 2010-12-02|2");
  parameters("9");
  EXPECT_EQ(Run().at("silver.m"), "succeeded its definition changed");
  EXPECT_EQ(Query("SELECT d, n FROM silver.m"), "2010-12-02|2");
}

TEST_F(ModelBuild, BackfillLeavesWhatElseChangedToTheNextRun) {
  File("in/a.csv", "id,d,x\n1,2010-12-01,7\n2,2010-12-02,8\n");
  Model("m", "materialize: {incremental: partitions, partition_by: d}", "SELECT d, sum(x)::BIGINT AS x FROM shop.rows GROUP BY d");
  RunAll();
  File("in/b.csv", "id,d,x\n3,2010-12-01,1\n4,2010-12-02,1\n");
  Run(Only("shop.rows"));
  EXPECT_EQ(Run(Backfill("2010-12-01", "2010-12-02")).at("silver.m"), "succeeded backfill of 1 partitions");
  EXPECT_EQ(Query("SELECT x FROM silver.m"), "8 8");
  RunAll();
  EXPECT_EQ(Query("SELECT x FROM silver.m"), "8 9");
  Model("m", "materialize: {incremental: partitions, partition_by: d}", "SELECT d, -sum(x)::BIGINT AS x FROM shop.rows GROUP BY d");
  EXPECT_NE(Run(Backfill("2010-12-01", "2010-12-02")).at("silver.m").find("its definition changed"), std::string::npos);
}

TEST_F(ModelBuild, IntervalsFollowTheNewestDayOfTheInput) {
  Model("m", "materialize: {incremental: partitions, partition_by: d}\ntime: d",
        "SELECT d, count(*) AS n, sum(x)::BIGINT AS x FROM shop.rows WHERE d >= $start AND d < $end GROUP BY d");
  File("in/a.csv", "id,d,x\n1,2010-12-01,7\n2,2010-12-03,8\n");
  EXPECT_EQ(Run().at("silver.m"), "succeeded first build, from 2010-12-01 to 2010-12-04");
  EXPECT_EQ(Run().at("silver.m"), "unchanged no input changed");
  // The newest day grew, a late row came, and a new day.
  File("in/b.csv", "id,d,x\n3,2010-12-03,1\n4,2010-12-01,1\n5,2010-12-05,2\n");
  EXPECT_EQ(Run().at("silver.m"), "succeeded shop.rows changed, from 2010-12-03 to 2010-12-06");
  EXPECT_EQ(Query("SELECT * FROM silver.m"), "2010-12-01|1|7 2010-12-03|2|9 2010-12-05|1|2");
  EXPECT_EQ(Run(Backfill("2010-12-01", "2010-12-02")).at("silver.m"), "succeeded backfill from 2010-12-01 to 2010-12-02");
  EXPECT_EQ(Query("SELECT * FROM silver.m"), "2010-12-01|2|8 2010-12-03|2|9 2010-12-05|1|2");
  // A day whose rows are gone is replaced by nothing.
  File("in/b.csv", "id,d,x\n3,2010-12-03,1\n");
  EXPECT_EQ(Run().at("silver.m"), "succeeded shop.rows changed, from 2010-12-05 to 2010-12-06");
  EXPECT_EQ(Query("SELECT d, n FROM silver.m"), "2010-12-01|2 2010-12-03|2");
}

TEST_F(ModelBuild, IntervalsStepBackByLate) {
  Model("m", "materialize: {incremental: partitions, partition_by: d, late: 48h}\ntime: d",
        "SELECT d, count(*) AS n FROM shop.rows WHERE d >= $start AND d < $end GROUP BY d");
  File("in/a.csv", "id,d,x\n1,2010-12-01,7\n2,2010-12-03,8\n");
  RunAll();
  File("in/b.csv", "id,d,x\n3,2010-12-01,1\n");
  EXPECT_EQ(Run().at("silver.m"), "succeeded shop.rows changed, from 2010-12-01 to 2010-12-04");
  EXPECT_EQ(Query("SELECT * FROM silver.m"), "2010-12-01|2 2010-12-03|1");
}

TEST_F(ModelBuild, AppendingByIntervalWaitsForADayToBeOver) {
  Model("m", "materialize: {incremental: append}\ntime: d", "SELECT d, count(*) AS n FROM shop.rows WHERE d >= $start AND d < $end GROUP BY d");
  File("in/a.csv", "id,d,x\n1,2010-12-01,7\n2,2010-12-03,8\n");
  RunAll();
  EXPECT_EQ(Query("SELECT * FROM silver.m"), "2010-12-01|1");
  File("in/b.csv", "id,d,x\n3,2010-12-03,7\n");
  EXPECT_EQ(Run().at("silver.m"), "unchanged shop.rows changed, but nothing since 2010-12-03 is over yet");
  File("in/c.csv", "id,d,x\n4,2010-12-04,7\n");
  RunAll();
  EXPECT_EQ(Query("SELECT * FROM silver.m"), "2010-12-01|1 2010-12-03|2");
  EXPECT_NE(Run(Backfill("2010-12-01", "2010-12-02")).at("silver.m").find("it appends"), std::string::npos);
}

TEST_F(ModelBuild, MergingByIntervalKeepsRowsOutsideOfIt) {
  Model("m", "materialize: {incremental: merge, key: id}\ntime: at",
        "SELECT id, CAST(d AS TIMESTAMPTZ) AS at, x FROM shop.rows WHERE CAST(d AS TIMESTAMPTZ) >= $start");
  File("in/a.csv", "id,d,x\n1,2010-12-01,7\n2,2010-12-03,8\n");
  RunAll();
  File("in/b.csv", "id,d,x\n3,2010-12-03,7\n4,2010-12-05,1\n5,2010-12-01,1\n");
  RunAll();
  EXPECT_EQ(Query("SELECT id, x FROM silver.m"), "1|7 2|8 3|7 4|1");
  RunAll();
  Run(Backfill("2010-12-01", "2010-12-02"));
  EXPECT_EQ(Query("SELECT id, x FROM silver.m"), "1|7 2|8 3|7 4|1 5|1");
}

TEST_F(ModelBuild, UnitTestsGiveTheInterval) {
  Model("m", "materialize: {incremental: append}\ntime: d", "SELECT d, x FROM shop.rows WHERE d >= $start AND d < $end");
  const std::string head = "model: silver.m\ngiven: {shop.rows: [{d: 2010-12-01, x: 1}, {d: 2010-12-02, x: 2}]}\nexpect: [{x: 2}]\n";
  File("tests/good.yaml", head + "parameters: {start: 2010-12-02, end: 2010-12-03}\n");
  File("tests/other.yaml", head + "parameters: {start: 2010-12-01, end: 2010-12-02}\n");
  EXPECT_EQ(UnitTests(), "passed failed");
}

TEST_F(ModelBuild, InputsColumnOfAnotherTypeRebuildsWhatIsBuiltOnIt) {
  File("in/a.csv", "id,d,x\n1,2010-12-01,7\n2,2010-12-02,8\n");
  Model("m", "materialize: {incremental: partitions, partition_by: d}", "SELECT * FROM shop.rows");
  Model("n", "materialize: {incremental: append}", "SELECT id, d FROM silver.m");
  RunAll();
  File("in/b.csv", "id,d,x,more\n3,2010-12-02,1,new\n");
  EXPECT_EQ(Run().at("silver.m"), "succeeded shop.rows changed") << "a new column is NULL in older rows";
  EXPECT_EQ(Query("SELECT id, x, more FROM silver.m"), "1|7|NULL 2|8|NULL 3|1|new");
  Source("    partition_by: d\n", "id: {type: BIGINT}, d: {type: DATE}, x: {type: VARCHAR}");
  RunRequest anew = Only("shop.rows");
  anew.full_refresh = true;
  Run(anew);
  EXPECT_EQ(Run().at("silver.m"),
            "succeeded column 'x' is BIGINT and cannot become VARCHAR while files of the old type live on");
  EXPECT_EQ(Query("SELECT id, x || '!' FROM silver.m"), "1|7! 2|8! 3|1!");
}

}  // namespace
}  // namespace caudal
