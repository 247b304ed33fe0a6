// Databases through the real binary, in its sandbox: CAUDAL_BINARY, set by CTest.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "duckdb/relation.h"
#include "engine/engine.h"

namespace caudal {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class DatabaseTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/databaseXXXXXX";
    x_folder = ::mkdtemp(pattern.data());
    fs::create_directories(x_folder + "/staging");
    const auto connection = Connection::Open();
    ASSERT_TRUE(connection);
    const Status made =
        (*connection)
            ->Run(
                "LOAD '" CAUDAL_EXTENSIONS_FOLDER "/sqlite_scanner.duckdb_extension'; ATTACH '" + x_folder +
                "/erp.db' AS erp (TYPE sqlite); CREATE TABLE erp.customers (id BIGINT, name VARCHAR, changed VARCHAR); "
                "INSERT INTO erp.customers VALUES (1, 'a', '2026-01-01'), (2, NULL, '2026-01-03'); DETACH erp");
    ASSERT_TRUE(made) << made.error().message;
  }
  void TearDown() override { fs::remove_all(x_folder); }

  AttachedDatabase Database() const { return AttachedDatabase{"erp", "sqlite", x_folder + "/erp.db"}; }

  std::string x_folder;
};

TEST_F(DatabaseTest, RelationIsCopiedWithPinnedIdsOriginsAndCursor) {
  const auto connection = Connection::Open();
  ASSERT_TRUE(connection);
  RelationReader reader(**connection, CAUDAL_EXTENSIONS_FOLDER, x_folder + "/staging");
  const auto names = reader.Ask(Database(), "SELECT name FROM erp.customers ORDER BY id");
  ASSERT_TRUE(names) << names.error().message;
  EXPECT_THAT(names->rows, ElementsAre(ElementsAre("a"), ElementsAre(std::nullopt)));

  const Schema pinned{
      {Field{"changed", ParseType("DATE").value(), 7}, Field{"_source_row", ParseType("BIGINT").value(), 9}}};
  const std::string path = x_folder + "/staging/r.parquet";
  const std::string keys = x_folder + "/staging/k.parquet";
  const auto copied = reader.Copy(
      Database(), {"SELECT * FROM erp.customers WHERE id > 0", "", "SELECT max(changed) FROM erp.customers", "SELECT id, changed FROM erp.customers"},
      {path, keys, "raw/erp/1.parquet"}, pinned);
  ASSERT_TRUE(copied) << copied.error().message;
  EXPECT_EQ(copied->cursor, "2026-01-03");
  EXPECT_EQ(copied->file.rows, 2);
  EXPECT_EQ(copied->file.path, path);
  EXPECT_EQ(copied->file.columns.at("changed").max, "2026-01-03");
  EXPECT_EQ(copied->file.columns.at("_source_row").max, "2");
  EXPECT_EQ(copied->file.columns.at("_source_file").min, "raw/erp/1.parquet");
  EXPECT_EQ(copied->columns.Find("changed")->id, 7);
  EXPECT_EQ(copied->columns.Find("changed")->type.kind, TypeKind::kDate);
  EXPECT_EQ(copied->columns.Find("_source_row")->id, 9);
  EXPECT_GT(copied->columns.Find("id")->id, 9);
  EXPECT_EQ(copied->columns.fields.back().name, "_source_row");
  EXPECT_EQ(copied->keys, 2);
  EXPECT_TRUE(fs::exists(keys));

  const auto none = reader.Copy(Database(), {"SELECT * FROM erp.customers WHERE id > 9", "", "", ""},
                                {x_folder + "/staging/n.parquet", "", "raw/erp/2.parquet"}, pinned);
  ASSERT_TRUE(none) << none.error().message;
  EXPECT_EQ(none->file.rows, 0);
  EXPECT_FALSE(fs::exists(x_folder + "/staging/n.parquet"));
  EXPECT_EQ(none->cursor, std::nullopt);

  EXPECT_FALSE(reader.Ask(Database(), "SELECT * FROM read_text('/etc/passwd')"));
  EXPECT_FALSE(reader.Ask(Database(), "SELECT 1; DROP TABLE erp.customers"));
}

TEST_F(DatabaseTest, AConfinedWorkerReadsTheAttachedFile) {
  if (std::getenv("CAUDAL_BINARY") == nullptr) GTEST_SKIP() << "CAUDAL_BINARY is not set; CTest sets it";
  const auto pool = MakeWorkerPool(PoolOptions{std::getenv("CAUDAL_BINARY"), 1, x_folder + "/tmp", true});
  ASSERT_TRUE(pool) << pool.error().message;
  ComputeJob job;
  job.databases = {Database()};
  Step step;
  step.kind = Step::Kind::kQuery;
  step.name = "q";
  step.sql = "SELECT count(*), max(changed) FROM erp.customers";
  step.max_rows = 1;
  job.steps = {step};
  RunOptions options;
  const auto result = RunCompute(**pool, job, options, nullptr);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_THAT(result->steps[0].rows.rows, ElementsAre(ElementsAre("2", "2026-01-03")));

  // The header's versions say WAL; no -wal and -shm lie beside it, and none can be made there.
  std::fstream file(x_folder + "/erp.db", std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(18).write("\2\2", 2);
  file.close();
  const auto wal = RunCompute(**pool, job, options, nullptr);
  ASSERT_TRUE(wal) << wal.error().message;
  EXPECT_EQ(wal->steps[0].rows.rows, result->steps[0].rows.rows);
  EXPECT_FALSE(fs::exists(x_folder + "/erp.db-shm"));

  job.steps[0].kind = Step::Kind::kRun;
  job.steps[0].sql = "DELETE FROM erp.customers";
  const auto refused = RunCompute(**pool, job, options, nullptr);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("read-only"));

  job.databases[0].location = x_folder + "/missing.db";
  EXPECT_FALSE(RunCompute(**pool, job, options, nullptr));
  EXPECT_FALSE(fs::exists(x_folder + "/missing.db"));
}

}  // namespace
}  // namespace caudal
