// Merges, deletes and histories, done by a real worker on real Parquet and compared with what plain SQL says.
#include "lake/upsert.h"

#include <gmock/gmock.h>

#include "lake/delta_stats.h"
#include "lake/whole_fixture.h"
#include "lake/worked_fixture.h"

namespace caudal {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

TEST(FilesInBounds, LeavesOutOnlyWhatCannotMatch) {
  Snapshot snapshot;
  snapshot.schema.fields = {Field{"id", *ParseType("BIGINT"), 1}, Field{"day", *ParseType("DATE"), 2}};
  snapshot.partition_columns = {"day"};
  auto add = [&](const std::string& path, Cell day, std::optional<ColumnStats> id) {
    LiveFile file;
    file.path = path;
    file.partition["day"] = std::move(day);
    if (id) file.stats = std::make_shared<const std::string>(DeltaStatsText(snapshot.schema, {"day"}, 1, {{"id", *id}}));
    snapshot.files.push_back(file);
  };
  add("a", "2026-01-01", ColumnStats{"1", "99", 0, false});
  add("b", "2026-01-01", ColumnStats{"100", "1000", 0, false});
  add("c", "2026-01-02", std::nullopt);
  add("d", std::nullopt, ColumnStats{"1", "1000", 0, false});
  auto paths = [&](const std::map<std::string, ColumnStats>& bounds) {
    std::vector<std::string> found;
    for (const LiveFile* file : FilesInBounds(snapshot, bounds)) found.push_back(file->path);
    return found;
  };
  EXPECT_THAT(paths({}), ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(paths({{"id", {"99", "99", 0, false}}}), ElementsAre("a", "c", "d")) << "9 is not after 1000: numbers";
  EXPECT_THAT(paths({{"ID", {"1001", "2000", 0, false}}}), ElementsAre("c")) << "no bounds: it may";
  EXPECT_THAT(paths({{"day", {"2026-01-01", "2026-01-01", 0, false}}}), ElementsAre("a", "b")) << "NULL matches no key";
  EXPECT_THAT(paths({{"day", {"2026-01-02", "2026-02-01", 0, false}}, {"id", {"5", "6", 0, false}}}), ElementsAre("c"));
  EXPECT_THAT(paths({{"id", {std::nullopt, std::nullopt, 0, false}}}), ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(paths({{"other", {"1", "1", 0, false}}}), ElementsAre("a", "b", "c", "d"));
}

TEST_F(Worked, MergeEqualsSql) {
  CreateWith(Orders({"region"}), {"SELECT i AS id, ['us','fr','de'][i % 3 + 1] AS region, i / 4 AS amount FROM range(0, 3000) r(i)",
                                  "SELECT i AS id, NULL AS region, i AS amount FROM range(3000, 4000) r(i)"});
  auto before = Latest();
  ASSERT_EQ(before->files.size(), 4U);
  // Rows of one partition change, one moves to another, some go, some are new, one of them in a new partition.
  std::string changes =
      "SELECT i AS id, 'us' AS region, -1 AS amount, false AS _deleted FROM range(0, 300, 3) r(i) "
      "UNION ALL SELECT 303, 'fr', -2, false "
      "UNION ALL SELECT 306, 'us', NULL, true "
      "UNION ALL SELECT 3001, '', -5, NULL "
      "UNION ALL SELECT i, 'us', -3, false FROM range(9000, 9010) r(i) "
      "UNION ALL SELECT 9999, 'new/land', -4, false "
      "UNION ALL SELECT 88888, 'us', -4, true";
  auto touched = Merge(changes, {"id"}, true);
  ASSERT_EQ(touched.size(), 2U) << "only the files that hold a key";
  auto after = Latest();
  EXPECT_EQ(after->rows(), 4000 - 1 + 11);
  EXPECT_EQ(Query("SELECT count(*), count(DISTINCT id), sum(amount) FROM t.now"),
            Query("SELECT count(*), count(DISTINCT id), sum(amount)::DECIMAL(38,2) FROM (SELECT id, amount FROM t.now WHERE "
                  "id NOT IN (SELECT id FROM (" + changes + ")) UNION ALL SELECT id, amount FROM (" + changes +
                      ") WHERE _deleted IS NOT TRUE)",
                  *before));
  EXPECT_THAT(Query("SELECT id, region, amount FROM t.now WHERE id IN (0, 303, 306, 309, 3001, 9005, 9999, 88888) ORDER BY id"),
              ElementsAre("0|us|-1.00", "303|fr|-2.00", "309|us|77.25", "3001|NULL|-5.00", "9005|us|-3.00",
                          "9999|new/land|-4.00"));
  // The rewritten files carry on their groups; the moved row is in a file of its own.
  for (const std::string& path : touched) {
    const LiveFile* old = before->Find(path);
    int carried = 0;
    for (const LiveFile& file : after->files) carried += file.file_id == old->file_id ? 1 : 0;
    EXPECT_EQ(carried, 1) << path;
    EXPECT_EQ(after->Find(path), nullptr);
  }
  EXPECT_EQ(Query("SELECT count(*) FROM t.now", *before), std::vector<std::string>{"4000"}) << "the old version stays readable";
  for (const LiveFile& file : after->files) {
    EXPECT_EQ(Query("SELECT count(*) FROM t.now WHERE region IS NOT DISTINCT FROM " +
                    (file.partition.at("region") ? QuoteLiteral(*file.partition.at("region")) : "NULL")),
              Query("SELECT sum(n)::BIGINT FROM (SELECT 0 AS n" + [&] {
                std::string sum;
                for (const LiveFile& other : after->files) {
                  if (other.partition == file.partition) sum += " UNION ALL SELECT " + std::to_string(other.rows);
                }
                return sum;
              }() + ")")) << "the column says what the folder says";
  }
  ExpectWhole(*x_store, *x_table);
}

TEST_F(Worked, MergeOfNewKeysTouchesNothing) {
  CreateWith(Orders(), {"SELECT i AS id, 'x' AS region, i AS amount FROM range(100) r(i)"});
  EXPECT_TRUE(Merge("SELECT 500 AS id, 'y' AS region, 1 AS amount", {"id"}, false).empty());
  EXPECT_EQ(Latest()->files.size(), 2U);
  EXPECT_EQ(Latest()->rows(), 101);
}

TEST_F(Worked, MergeThatDeletesAllRowsOfAFileLeavesNoFile) {
  CreateWith(Orders(), {"SELECT i AS id, 'x' AS region, i AS amount FROM range(100) r(i)",
                        "SELECT i AS id, 'y' AS region, i AS amount FROM range(100, 110) r(i)"});
  Merge("SELECT i AS id, NULL AS region, NULL AS amount, true AS _deleted FROM range(100, 110) r(i)", {"id"}, true);
  EXPECT_EQ(Latest()->files.size(), 1U);
  EXPECT_EQ(Latest()->rows(), 100);
}

TEST_F(Worked, MergeByTwoKeysAfterTheSchemaGrew) {
  TableDefinition definition{"t", Columns({{"a", "INTEGER"}, {"b", "DATE"}, {"v", "VARCHAR[]"}}), {"b"}, {"a", "b"}, {}};
  CreateWith(definition, {"SELECT i AS a, DATE '2026-01-01' + (i % 2)::INTEGER AS b, [i::VARCHAR] AS v FROM range(10) r(i)"});
  Change grow;
  grow.operation = "ALTER";
  grow.base_version = 1;
  definition.schema = Columns({{"a", "BIGINT"}, {"b", "DATE"}, {"v", "VARCHAR[]"}, {"w", "STRUCT(x INTEGER)"}});
  grow.definition = definition;
  Publish(grow);
  auto touched = Merge("SELECT 2 AS a, DATE '2026-01-01' AS b, ['new'] AS v, {'x': 7} AS w "
                       "UNION ALL SELECT 2, DATE '2026-01-02', [], NULL", {"a", "b"}, false);
  EXPECT_EQ(touched.size(), 1U) << "a=2 is only in the partition of the first";
  EXPECT_THAT(Query("SELECT a, b, v, w FROM t.now WHERE a IN (2, 4) ORDER BY a, b"),
              ElementsAre("2|2026-01-01|[new]|{'x': 7}", "2|2026-01-02|[]|NULL", "4|2026-01-01|[4]|NULL"));
}

TEST_F(Worked, DeleteByPredicate) {
  CreateWith(Orders(), {"SELECT i AS id, if(i % 5 = 0, NULL, 'x') AS region, i AS amount FROM range(100) r(i)",
                        "SELECT i AS id, 'gone' AS region, i AS amount FROM range(100, 110) r(i)",
                        "SELECT i AS id, 'stays' AS region, i AS amount FROM range(110, 120) r(i)"});
  auto snapshot = Latest();
  std::string predicate = "region = 'gone' OR (id < 50 AND region = 'x') -- a comment";
  ComputeJob search;
  AddPredicateSearch(search, *snapshot, All(*snapshot), Root(), predicate, "holders");
  auto touched = FilesNamedBy(*snapshot, Root(), Run(std::move(search)).Find("holders")->rows);
  ASSERT_EQ(touched.size(), 2U);
  ComputeJob job = Writing();
  AddDelete(job, *snapshot, touched, Root(), predicate, job.output_folder);
  Change change = ChangeOfRewrite(*snapshot, touched, Run(std::move(job)));
  EXPECT_EQ(change.kind, ChangeKind::kDelete);
  Publish(change);
  EXPECT_EQ(Latest()->files.size(), 2U);
  EXPECT_THAT(Query("SELECT count(*), count(region), min(id) FROM t.now"), ElementsAre("70|50|0"))
      << "where the predicate is NULL the row stays";
}

TEST_F(Worked, HistoryOpensAndCloses) {
  Schema columns = Columns({{"id", "BIGINT"}, {"name", "VARCHAR"}});
  TableDefinition definition{"h", Columns({{"id", "BIGINT"}, {"name", "VARCHAR"}, {"valid_from", "TIMESTAMPTZ"},
                                           {"valid_to", "TIMESTAMPTZ"}, {"is_current", "BOOLEAN"}}), {}, {"id", "valid_from"}, {}};
  Publish(Create(definition));
  auto advance = [&](const std::string& current, const char* now) {
    auto snapshot = Latest();
    ComputeJob job = Writing();
    job.inputs.push_back(InputOf(*snapshot, "t", "now", All(*snapshot), Root(), false));
    Step changes;
    changes.name = "changes";
    changes.sql = "CREATE TEMP TABLE changes AS " + HistoryChangesSql(columns, {"id"}, "t.now", "(" + current + ")", *ParseTimestamp(now));
    job.steps.push_back(changes);
    AddRewrite(job, *snapshot, All(*snapshot), Root(), ChangeSet{"changes", {"id", "valid_from"}, false}, job.output_folder);
    Publish(ChangeOfRewrite(*snapshot, All(*snapshot), Run(std::move(job))));
  };
  advance("SELECT * FROM (VALUES (1, 'a'), (2, NULL)) v(id, name)", "2026-01-01");
  advance("SELECT * FROM (VALUES (1, 'b'), (2, NULL), (3, 'c')) v(id, name)", "2026-01-02");
  advance("SELECT * FROM (VALUES (1, 'b'), (3, 'd')) v(id, name)", "2026-01-03");
  EXPECT_THAT(Query("SELECT id, name, valid_from::DATE, valid_to::DATE, is_current FROM t.now ORDER BY id, valid_from"),
              ElementsAre("1|a|2026-01-01|2026-01-02|false", "1|b|2026-01-02|NULL|true", "2|NULL|2026-01-01|2026-01-03|false",
                          "3|c|2026-01-02|2026-01-03|false", "3|d|2026-01-03|NULL|true"));
  // The clock goes back: what was is kept, times still grow.
  advance("SELECT * FROM (VALUES (1, 'e'), (3, 'd')) v(id, name)", "2026-01-02");
  EXPECT_THAT(Query("SELECT name, valid_from, valid_to, is_current FROM t.now WHERE id = 1 ORDER BY valid_from"),
              ElementsAre("a|2026-01-01 00:00:00+00|2026-01-02 00:00:00+00|false",
                          "b|2026-01-02 00:00:00+00|2026-01-02 00:00:00.000001+00|false",
                          "e|2026-01-02 00:00:00.000001+00|NULL|true"));
  EXPECT_THAT(Query("SELECT count(*) FROM (SELECT id FROM t.now WHERE is_current GROUP BY id HAVING count(*) > 1)"), ElementsAre("0"));
}

}  // namespace
}  // namespace caudal
