// Builds of models that follow one another in one small project: what each must leave in the table.
#include "app/small_project_testing.h"

namespace caudal {
namespace {

class ModelBuild : public SmallProject {
 protected:
  ModelBuild() { Source("    partition_by: d\n", "id: {type: BIGINT}, d: {type: DATE}, x: {type: BIGINT}"); }

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

}  // namespace
}  // namespace caudal
