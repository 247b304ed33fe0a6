// Tables with every type and every kind of change, for readers that are not ours: tests/lake/test_foreign_readers.py
// runs this with CAUDAL_FOREIGN_FOLDER, and compares each version, as they read it, with what our worker read here.
#include <gmock/gmock.h>

#include "base/json.h"
#include "lake/checkpoint.h"
#include "lake/compaction.h"
#include "lake/overwrite.h"
#include "lake/retention.h"
#include "lake/table_config.h"
#include "lake/whole_fixture.h"
#include "lake/worked_fixture.h"

namespace caudal {
namespace {

class ForeignLife : public Worked {
 protected:
  void SetUp() override {
    Worked::SetUp();
    if (IsSkipped()) return;
    const char* folder = getenv("CAUDAL_FOREIGN_FOLDER");
    if (folder == nullptr) return;
    x_kept = folder;
    x_store = std::move(MakeLocalStore(x_kept + "/lake")).value();
  }

  /// Every version of the table that can be read, as our worker reads it, into <folder>/expected/<table>/<version>/.
  void KeepVersions(const std::string& prefix) {
    Table table(*x_store, prefix, x_clock);
    auto latest = std::move(table.Latest()).value();
    const auto versions = std::move(KeptVersions(*latest)).value();
    for (const std::int64_t version : versions) {
      auto snapshot = std::move(table.At(version)).value();
      ComputeJob job = Writing();
      if (!x_kept.empty()) {
        job.output_folder = x_kept + "/expected/" + prefix + "/" + std::to_string(version);
        std::filesystem::create_directories(job.output_folder);
      }
      job.inputs.push_back(InputOf(*snapshot, "t", "now", All(*snapshot), *x_store->ReadLocation(prefix), false));
      Step step;
      step.kind = Step::Kind::kWrite;
      step.name = "rows";
      step.sql = "SELECT * FROM t.now";
      step.layout.folder = job.output_folder + "/rows";
      step.layout.columns = snapshot->schema;
      job.steps.push_back(step);
      auto result = Run(std::move(job));
      std::int64_t rows = 0;
      for (const WrittenFile& file : result.Find("rows")->files) rows += file.rows;
      EXPECT_EQ(rows, snapshot->rows()) << prefix << " version " << version;
    }
  }

  void Redefine(const TableDefinition& definition) {
    Change change;
    change.operation = "ALTER";
    change.base_version = Latest()->version;
    change.definition = definition;
    Publish(change);
  }

  /// Joins files, or sorts them by `cluster_by`.
  void Compact(std::vector<std::string> cluster_by) {
    auto snapshot = Latest();
    CompactionOptions options;
    options.cluster_by = std::move(cluster_by);
    const auto groups = PlanCompaction(*snapshot, options);
    ASSERT_FALSE(groups.empty());
    ComputeJob job = Writing();
    AddCompaction(job, *snapshot, groups, options, Root(), job.output_folder);
    Publish(ChangeOfCompaction(*snapshot, groups, Run(std::move(job))));
  }

  void Checkpoint() {
    const std::string text = CheckpointText(*Latest());
    ComputeJob job = Writing();
    const std::string actions = job.output_folder + "/actions.ndjson", parquet = job.output_folder + "/checkpoint.parquet";
    std::ofstream(actions, std::ios::binary) << text;
    job.steps.push_back(Step::Run("checkpoint", CheckpointSql(actions, parquet)));
    Run(std::move(job));
    ASSERT_TRUE(x_table->PutCheckpoint(Latest()->version, parquet, std::count(text.begin(), text.end(), '\n')));
    EXPECT_EQ(*x_table->LastCheckpoint(), Latest()->version);
  }

  std::string x_kept;
};

const std::vector<std::pair<std::string, std::string>> kEveryType = {
    {"id", "BIGINT"},          {"tiny", "TINYINT"},       {"small", "SMALLINT"},    {"whole", "INTEGER"},
    {"real", "FLOAT"},         {"number", "DOUBLE"},      {"yes", "BOOLEAN"},       {"money", "DECIMAL(9,2)"},
    {"more", "DECIMAL(18,4)"}, {"most", "DECIMAL(38,10)"}, {"text", "VARCHAR"},     {"bytes", "BLOB"},
    {"day", "DATE"},           {"at", "TIMESTAMPTZ"},     {"tags", "VARCHAR[]"},    {"nested", "BIGINT[][]"},
    {"place", "STRUCT(zip VARCHAR, geo STRUCT(x DOUBLE, seen DATE))"},              {"counts", "MAP(VARCHAR, BIGINT)"},
    {"deep", "STRUCT(a INTEGER, l VARCHAR[])[]"}};

std::string EveryTypeSql(int from, int to) {
  return "SELECT i AS id, (i % 250 - 125)::TINYINT AS tiny, (i * 7 - 3000)::SMALLINT AS small, -i AS whole, i / 3 AS real, "
         "CASE i % 17 WHEN 0 THEN 'nan'::DOUBLE WHEN 1 THEN 'inf'::DOUBLE ELSE i * 1.1 END AS number, i % 2 = 0 AS yes, "
         "(i / 7)::DECIMAL(9,2) AS money, -i::DECIMAL(18,4) AS more, (1e20::DECIMAL(38,10) + i) AS most, "
         "'long text ☃ that goes on and on and on ' || i AS text, ('ab' || i)::BLOB AS bytes, DATE '1970-01-01' + (i - 500)::INTEGER AS day, "
         "TIMESTAMPTZ '2026-01-01 00:00:00.123456+00' + INTERVAL 1 MICROSECOND * i AS at, [i::VARCHAR, NULL, ''] AS tags, "
         "[[i, NULL], [], NULL] AS nested, {'zip': i::VARCHAR, 'geo': {'x': i / 2, 'seen': DATE '2026-01-01'}} AS place, "
         "MAP {'a': i, 'b': NULL} AS counts, [{'a': i, 'l': ['x']}, NULL] AS deep FROM range(" +
         std::to_string(from) + ", " + std::to_string(to) + ") r(i) UNION ALL SELECT " + std::to_string(to) +
         " AS id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL";
}

TEST_F(ForeignLife, EveryTypeThroughMergesAndNewColumns) {
  Use("silver/types");
  TableDefinition definition{"silver.types", Columns(kEveryType), {}, {"id"}, {}};
  CreateWith(definition, {EveryTypeSql(0, 300), EveryTypeSql(301, 400)});
  Merge("SELECT * REPLACE ('new' AS text) FROM (" + EveryTypeSql(250, 320) + ")", {"id"}, false);
  definition.schema.fields.push_back(Field{"added", *ParseType("STRUCT(x INTEGER)"), 0});
  definition.schema.fields[3].type = *ParseType("BIGINT");
  definition.schema.fields[4].type = *ParseType("DOUBLE");
  definition.schema.fields[7].type = *ParseType("DECIMAL(12,2)");
  Redefine(definition);
  Merge("SELECT *, {'x': 1} AS added, id % 3 = 0 AS _deleted FROM (" + EveryTypeSql(100, 500) + ")", {"id"}, true);
  definition.schema.fields.erase(definition.schema.fields.begin() + 10);
  Redefine(definition);
  Publish(OverwriteTable(*Latest(), Write("SELECT *, NULL AS added FROM (" + EveryTypeSql(0, 20) + ")", Latest()->schema, {})));
  Publish(OverwriteTable(*Latest(), {}));
  EXPECT_EQ(Latest()->rows(), 0);
  KeepVersions("silver/types");
}

TEST_F(ForeignLife, NastyPartitions) {
  Use("silver/parts");
  TableDefinition definition{"silver.parts", Columns({{"id", "BIGINT"}, {"region", "VARCHAR"}, {"day", "DATE"}, {"v", "VARCHAR"}}),
                             {"region", "day"}, {"id"}, {}};
  std::string values = "['us', 'a b', 'x/y', 'p%q', 'ñ ☃', 'a=b', 'q\"uote', 'it''s', 'x%20y', '#h?t', 'new' || chr(10) || 'line', "
                       "'back\\slash', '.dot', 'a+b&c,d;e~', '[x]{y}^', NULL, 'C:\\x*']";
  CreateWith(definition, {"SELECT i AS id, " + values + "[i % 17 + 1] AS region, if(i % 5 = 0, NULL, DATE '2026-01-01' + (i % 2)::INTEGER) "
                          "AS day, 'v' || i AS v FROM range(200) r(i)"});
  Merge("SELECT i AS id, 'moved/to' AS region, DATE '2026-02-01' AS day, 'm' AS v FROM range(150, 210) r(i) WHERE i % 3 = 0", {"id"}, false);
  auto snapshot = Latest();
  auto change = OverwritePartitions(*snapshot, {{{"region", "x/y"}, {"day", "2026-01-01"}}, {{"region", std::nullopt}, {"day", std::nullopt}}},
                                    Write("SELECT 1000 AS id, 'x/y' AS region, DATE '2026-01-01' AS day, 'o' AS v", snapshot->schema,
                                          snapshot->partition_columns));
  ASSERT_TRUE(change) << change.error().message;
  change->rejects = Write("SELECT 'bad' AS _reason, 'v' AS _column, 'x' AS _value, '{}' AS _row, 'raw/a' AS _source_file, 7 AS "
                          "_source_row, 'run/1' AS _task, TIMESTAMPTZ '2026-01-01' AS _rejected_at", RejectSchema(), {});
  Publish(*change);
  Merge("SELECT i AS id, NULL AS region, NULL AS day, NULL AS v, true AS _deleted FROM range(0, 1001, 2) r(i)", {"id"}, true);
  KeepVersions("silver/parts");
  KeepVersions("silver/parts__rejects");
  ExpectWhole(*x_store, *x_table);
}

TEST_F(ForeignLife, OtherPartitionTypes) {
  Use("silver/kinds");
  TableDefinition definition{"silver.kinds", Columns({{"id", "BIGINT"}, {"n", "INTEGER"}, {"b", "BOOLEAN"}, {"t", "TIMESTAMPTZ"},
                                                      {"d", "DECIMAL(9,2)"}}), {"n", "b", "t", "d"}, {}, {}};
  CreateWith(definition, {"SELECT i AS id, i % 3 - 1 AS n, CASE i % 3 WHEN 0 THEN true WHEN 1 THEN false END AS b, TIMESTAMPTZ "
                          "'2026-01-01 02:03:04.567891+00' + INTERVAL 1 HOUR * (i % 2) AS t, (i % 2) * 2.25 AS d FROM range(30) r(i)"});
  EXPECT_EQ(Latest()->files.size(), 6U);
  KeepVersions("silver/kinds");
}

TEST_F(ForeignLife, JoinedSavedPurgedAndCheckpointed) {
  Use("silver/kept");
  TableDefinition definition{"silver.kept", Columns({{"id", "BIGINT"}, {"region", "VARCHAR"}, {"v", "VARCHAR"}, {"at", "TIMESTAMPTZ"}}), {"region"}, {"id"}, {}};
  std::vector<std::string> loads;
  for (int i = 0; i < 6; ++i) {
    loads.push_back("SELECT " + std::to_string(i) + " * 50 + i AS id, ['a b', 'x/y', NULL][i % 3 + 1] AS region, 'v' || i AS v, TIMESTAMPTZ "
                    "'2026-01-01 00:00:00+00' + INTERVAL 1 HOUR * i AS at FROM range(50) r(i)");
  }
  CreateWith(definition, loads);
  Publish(*AddSavepoint(*Latest(), {"loaded", Latest()->version, ""}));
  Merge("SELECT i AS id, 'x/y' AS region, 'merged' AS v, NULL AS at FROM range(0, 300, 9) r(i)", {"id"}, false);
  Compact({});
  Publish(Append(Latest()->version, Write("SELECT 1000 + i AS id, 'a b' AS region, 'late' AS v, NULL AS at FROM range(5) r(i)", Latest()->schema,
                                          Latest()->partition_columns)));
  Merge("SELECT i AS id, NULL AS region, NULL AS v, NULL AS at, true AS _deleted FROM range(0, 300, 3) r(i)", {"id"}, true);
  Checkpoint();
  Compact({"at", "id"});
  ASSERT_TRUE(x_table->Purge(Latest()->version - 2, false));
  Merge("SELECT i AS id, 'new' AS region, 'n' AS v, NULL AS at FROM range(290, 310) r(i)", {"id"}, false);
  Publish(RollbackTo(*Latest(), *x_table->At(6)));
  Publish(Append(Latest()->version, Write("SELECT 2000 AS id, NULL AS region, 'end' AS v, NULL AS at", Latest()->schema, Latest()->partition_columns)));
  KeepVersions("silver/kept");
  ExpectWhole(*x_store, *x_table);
}

/// Many files, so that Iceberg has several manifests; then partitioned in another way, with a column of another type.
TEST_F(ForeignLife, PartitionedAnew) {
  Use("silver/anew");
  TableDefinition definition{"silver.anew", Columns({{"id", "BIGINT"}, {"k", "INTEGER"}, {"v", "VARCHAR"}}), {"k"}, {"id"}, {}};
  CreateWith(definition, {"SELECT i AS id, (i % 150)::INTEGER AS k, 'a' || i AS v FROM range(300) r(i)"});
  Merge("SELECT i AS id, (i % 150)::INTEGER AS k, 'b' || i AS v FROM range(0, 300, 77) r(i)", {"id"}, false);
  for (int i = 0; i < 4; ++i) {
    Publish(Append(Latest()->version, Write("SELECT 1000 + i AS id, (i % 90)::INTEGER AS k, 'c' AS v FROM range(90) r(i)",
                                            Latest()->schema, Latest()->partition_columns)));
  }
  definition.schema = Columns({{"id", "BIGINT"}, {"k", "VARCHAR"}, {"v", "VARCHAR"}, {"w", "DATE"}});
  definition.partition_columns = {"w"};
  auto columns = NextColumns(Latest().get(), definition.schema, true);
  ASSERT_TRUE(columns);
  Change change = OverwriteTable(*Latest(), Write("SELECT i AS id, 'k' || i AS k, 'd' AS v, DATE '2026-01-01' + (i % 3)::INTEGER AS w "
                                                  "FROM range(30) r(i)", *columns, {"w"}));
  change.definition = definition;
  Publish(change);
  Merge("SELECT i AS id, 'm' AS k, NULL AS v, NULL AS w FROM range(20, 40) r(i)", {"id"}, false);
  Publish(RollbackTo(*Latest(), *x_table->At(3)));
  Merge("SELECT i AS id, (i % 150)::INTEGER AS k, 'after' AS v FROM range(290, 310) r(i)", {"id"}, false);
  Publish(RollbackTo(*Latest(), *x_table->At(7)));
  KeepVersions("silver/anew");
  ExpectWhole(*x_store, *x_table);
}

}  // namespace
}  // namespace caudal
