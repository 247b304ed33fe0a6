#include "lake/compaction.h"

#include <gmock/gmock.h>

#include "lake/whole_fixture.h"
#include "lake/worked_fixture.h"

namespace caudal {
namespace {

LiveFile File(const std::string& path, std::int64_t bytes, const std::string& region, std::int64_t version = 0) {
  LiveFile file;
  file.path = path;
  file.size_bytes = bytes;
  file.partition["region"] = region;
  file.added_version = version;
  return file;
}

std::vector<std::string> Planned(const Snapshot& snapshot, const CompactionOptions& options) {
  std::vector<std::string> texts;
  for (const FileGroup& group : PlanCompaction(snapshot, options)) {
    std::string text;
    for (const LiveFile* file : group.files) text += (text.empty() ? "" : " ") + file->path;
    texts.push_back(text);
  }
  return texts;
}

TEST(PlanCompaction, JoinsSmallFilesOfOnePartitionUpToTheTarget) {
  Snapshot snapshot;
  snapshot.files = {File("a", 10, "fr"), File("b", 90, "us"), File("c", 40, "us", 3), File("d", 30, "us", 1),
                    File("e", 50, "us", 2), File("f", 60, "us", 4), File("g", 30, "fr", 9)};
  CompactionOptions options;
  options.target_file_bytes = 100;
  EXPECT_THAT(Planned(snapshot, options), ::testing::ElementsAre("a g", "d e", "c f"));
  options.newest_version = 3;
  EXPECT_THAT(Planned(snapshot, options), ::testing::ElementsAre("d e")) << "later files have a reader that has not come yet";
  options.newest_version = 9;
  options.least_files = 3;
  EXPECT_THAT(Planned(snapshot, options), ::testing::ElementsAre("d e", "c f"));
  options.cluster_by = {"id"};
  EXPECT_THAT(Planned(snapshot, options), ::testing::ElementsAre("a g", "b c d e f"));
}

class Compaction : public Worked {
 protected:
  void Compact(const CompactionOptions& options) {
    auto snapshot = Latest();
    auto groups = PlanCompaction(*snapshot, options);
    ComputeJob job = Writing();
    AddCompaction(job, *snapshot, groups, options, Root(), job.output_folder);
    Publish(ChangeOfCompaction(*snapshot, groups, Run(std::move(job))));
  }
};

TEST_F(Compaction, KeepsEveryRowAndSorts) {
  TableDefinition definition = Orders({"region"});
  std::vector<std::string> loads;
  for (int i = 0; i < 6; ++i) {
    loads.push_back("SELECT (i * 7919) % 1000 AS id, CASE WHEN i % 3 = 0 THEN NULL ELSE 'a b/' || (i % 3) END AS region, i::DECIMAL(12,2) AS "
                    "amount FROM range(" + std::to_string(i * 50) + "," + std::to_string(i * 50 + 50) + ") r(i)");
  }
  CreateWith(definition, loads);
  const auto before = Query("SELECT count(*), sum(id), sum(amount), count(DISTINCT region) FROM t.now");
  EXPECT_EQ(Latest()->files.size(), 18U);
  Compact({});
  EXPECT_EQ(Latest()->files.size(), 3U);
  EXPECT_EQ(Query("SELECT count(*), sum(id), sum(amount), count(DISTINCT region) FROM t.now"), before);
  for (const LiveFile& file : Latest()->files) {
    auto stats = StatsOf(*Latest(), file);
    ASSERT_TRUE(stats && stats->contains("id"));
  }
  EXPECT_TRUE(PlanCompaction(*Latest(), {}).empty());
  CompactionOptions by_amount;
  by_amount.cluster_by = {"amount"};
  Compact(by_amount);
  EXPECT_EQ(Query("SELECT count(*), sum(id), sum(amount), count(DISTINCT region) FROM t.now"), before);
  ExpectWhole(*x_store, *x_table);
}

TEST_F(Compaction, DoesNotDisturbAnAppendAndYieldsToAMerge) {
  CreateWith(Orders(), {"SELECT 1 AS id, 'x' AS region, 1 AS amount", "SELECT 2 AS id, 'x' AS region, 1 AS amount"});
  auto snapshot = Latest();
  auto groups = PlanCompaction(*snapshot, {});
  ASSERT_EQ(groups.size(), 1U);
  ComputeJob job = Writing();
  AddCompaction(job, *snapshot, groups, {}, Root(), job.output_folder);
  const Change joined = ChangeOfCompaction(*snapshot, groups, Run(std::move(job)));
  Publish(Append(snapshot->version, Write("SELECT 3 AS id, 'x' AS region, 1 AS amount", snapshot->schema, {})));
  Publish(joined);
  EXPECT_EQ(Query("SELECT id FROM t.now ORDER BY id"), (std::vector<std::string>{"1", "2", "3"}));

  snapshot = Latest();
  groups = PlanCompaction(*snapshot, {});
  job = Writing();
  AddCompaction(job, *snapshot, groups, {}, Root(), job.output_folder);
  const Change late = ChangeOfCompaction(*snapshot, groups, Run(std::move(job)));
  Merge("SELECT 1 AS id, 'x' AS region, 5 AS amount", {"id"}, false);
  auto refused = x_table->Commit(late);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kConflict);
  EXPECT_EQ(Query("SELECT amount FROM t.now WHERE id = 1"), (std::vector<std::string>{"5.00"}));
  ExpectWhole(*x_store, *x_table);
}

}  // namespace
}  // namespace caudal
