#include "engine/job_json.h"

#include <gtest/gtest.h>

namespace caudal {
namespace {

Type Simple(TypeKind kind) { return Type{kind, 0, 0, {}}; }

Schema TwoColumns() {
  Type list = Simple(TypeKind::kList);
  list.children.push_back(Field{"element", Simple(TypeKind::kVarchar), 3});
  return Schema{{Field{"id", Simple(TypeKind::kBigint), 1}, Field{"tags", list, 2}}};
}

template <typename T>
T ThereAndBack(const T& job) {
  auto order = OrderFromJson(OrderToJson(WorkOrder{job, JobLimits{}, "/t"}));
  EXPECT_TRUE(order) << order.error().message;
  return std::get<T>(order->job);
}

TEST(JobJson, ComputeComesBackWhole) {
  ComputeJob job;
  job.inputs.push_back(TableInput{"silver", "orders", TwoColumns(), {"/a", "/b"}, true, "x > 1"});
  job.databases.push_back(AttachedDatabase{"erp", "sqlite", "/erp.db"});
  job.read_paths = {"/r"};
  job.output_folder = "/out";
  job.parameters["none"] = Parameter{Simple(TypeKind::kDate), std::nullopt};
  job.parameters["p"] = Parameter{Simple(TypeKind::kVarchar), "it's \"x\"\n"};
  Step write;
  write.kind = Step::Kind::kWrite;
  write.name = "w";
  write.sql = "SELECT 1";
  write.user_sql = true;
  write.where = "d = 1";
  write.layout = WriteLayout{"/out/w", TwoColumns(), {"id"}, "", {"id", "tags"}, 77};
  Step query;
  query.kind = Step::Kind::kQuery;
  query.name = "q";
  query.sql = "SELECT 2";
  query.max_rows = 9;
  Step run;
  run.name = "r";
  run.sql = "CREATE TEMP TABLE x(a INT)";
  job.steps = {run, write, query};

  const ComputeJob back = ThereAndBack(job);
  ASSERT_EQ(back.inputs.size(), 1U);
  EXPECT_EQ(back.inputs[0].columns, TwoColumns());
  EXPECT_EQ(back.inputs[0].columns.fields[1].type.children[0].id, 3);
  EXPECT_EQ(back.inputs[0].files, job.inputs[0].files);
  EXPECT_TRUE(back.inputs[0].with_origin);
  EXPECT_EQ(back.inputs[0].only, "x > 1");
  EXPECT_EQ(back.databases[0].location, "/erp.db");
  EXPECT_EQ(back.read_paths, job.read_paths);
  EXPECT_EQ(back.parameters.at("p").value, "it's \"x\"\n");
  EXPECT_EQ(back.parameters.at("none").value, std::nullopt);
  EXPECT_EQ(back.parameters.at("none").type, Simple(TypeKind::kDate));
  ASSERT_EQ(back.steps.size(), 3U);
  EXPECT_EQ(back.steps[0].kind, Step::Kind::kRun);
  EXPECT_EQ(back.steps[1].layout.folder, "/out/w");
  EXPECT_EQ(back.steps[1].layout.columns, TwoColumns());
  EXPECT_EQ(back.steps[1].layout.partition_by, std::vector<std::string>{"id"});
  EXPECT_EQ(back.steps[1].layout.order_by, (std::vector<std::string>{"id", "tags"}));
  EXPECT_EQ(back.steps[1].layout.target_file_bytes, 77);
  EXPECT_TRUE(back.steps[1].user_sql);
  EXPECT_EQ(back.steps[1].where, "d = 1");
  EXPECT_EQ(back.steps[2].max_rows, 9);
}

TEST(JobJson, RemoteFilesTravel) {
  ComputeJob job;
  job.remote = RemoteFiles{"s3://b/", "http://h:9000/b/", {{"s3://b/t/f", "http://h:9000/b/t/f?X-Amz-Signature=1"}}, 9000, "/ca"};
  const RemoteFiles back = ThereAndBack(job).remote;
  EXPECT_EQ(back.name_root + back.url_root + back.ca_file, "s3://b/http://h:9000/b//ca");
  EXPECT_EQ(back.urls, job.remote.urls);
  EXPECT_EQ(back.tcp_port, 9000);
  EXPECT_TRUE(ThereAndBack(ComputeJob{}).remote.urls.empty());
}

TEST(JobJson, OtherKindsComeBackWhole) {
  AnalyzeJob analyze;
  analyze.tables.push_back(CatalogTable{"s", "t", TwoColumns()});
  analyze.queries.push_back(AnalyzeQuery{"s.q", "SELECT * FROM s.t", "d", true});
  const AnalyzeJob analyzed = ThereAndBack(analyze);
  EXPECT_EQ(analyzed.tables[0].columns, TwoColumns());
  EXPECT_EQ(analyzed.queries[0].partition_by, "d");
  EXPECT_TRUE(analyzed.queries[0].is_view);

  ExtractJob extract;
  extract.kind = ExtractJob::Kind::kReplay;
  extract.connector = "http";
  extract.request = "{\"a\":1}";
  extract.secrets["token"] = "s3cret";
  extract.network = true;
  extract.staging_folder = "/s";
  extract.program = "/venv/bin/tap";
  extract.program_paths = {"/venv"};
  extract.program_reads = {"/data"};
  const ExtractJob extracted = ThereAndBack(extract);
  EXPECT_EQ(extracted.kind, ExtractJob::Kind::kReplay);
  EXPECT_EQ(extracted.secrets, extract.secrets);
  EXPECT_TRUE(extracted.network);
  EXPECT_EQ(extracted.program, extract.program);
  EXPECT_EQ(extracted.program_paths, extract.program_paths);
  EXPECT_EQ(extracted.program_reads, extract.program_reads);

  MoveJob move;
  move.store_url = "file:///lake";
  move.items.push_back(MoveJob::Item{"/s/a", "b/a"});
  EXPECT_EQ(ThereAndBack(move).items[0].key, "b/a");
}

TEST(JobJson, LimitsTravel) {
  JobLimits limits;
  limits.memory_bytes = 1;
  limits.spill_bytes = 2;
  limits.threads = 3;
  limits.timeout = std::chrono::milliseconds(4);
  const auto order = OrderFromJson(OrderToJson(WorkOrder{MoveJob{}, limits, "/w"}));
  ASSERT_TRUE(order);
  EXPECT_EQ(order->limits.memory_bytes, 1);
  EXPECT_EQ(order->limits.spill_bytes, 2);
  EXPECT_EQ(order->limits.threads, 3);
  EXPECT_EQ(order->limits.timeout.count(), 4);
  EXPECT_EQ(order->temp_folder, "/w");
}

TEST(JobJson, ResultsComeBackWhole) {
  ComputeResult compute;
  StepResult& step = compute.steps.emplace_back();
  step.name = "w";
  step.files.push_back(
      WrittenFile{"/f.parquet", 3, 99, {{"d", std::nullopt}}, {{"id", ColumnStats{"1", "9", 0, false}}}});
  step.rows.schema = TwoColumns();
  step.rows.rows = {{"1", std::nullopt}};
  step.rows.truncated = true;
  const auto back = JobResultFromJson(JobResultToJson(compute));
  ASSERT_TRUE(back) << back.error().message;
  const StepResult* found = std::get<ComputeResult>(*back).Find("w");
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->files[0].path, "/f.parquet");
  EXPECT_EQ(found->files[0].partition.at("d"), std::nullopt);
  EXPECT_EQ(found->files[0].columns.at("id").max, "9");
  EXPECT_EQ(found->rows.rows, step.rows.rows);
  EXPECT_TRUE(found->rows.truncated);

  Analysis analysis;
  analysis.name = "gold.x";
  analysis.problem = SqlProblem{"binder", "no such column", 7, {"a", "b"}};
  analysis.columns.push_back(OutputColumn{TwoColumns().fields[0], {{"s.t", "id"}}, ColumnOrigin{"s.t", "id"}});
  analysis.tables = {"s.t"};
  analysis.parameters["start"] = Simple(TypeKind::kDate);
  analysis.partition_inputs["s.t"] = "d";
  analysis.partition_wise = analysis.row_wise = true;
  const auto analyzed = JobResultFromJson(JobResultToJson(AnalyzeResult{{analysis}}));
  ASSERT_TRUE(analyzed) << analyzed.error().message;
  const Analysis& again = std::get<AnalyzeResult>(*analyzed).queries.at(0);
  EXPECT_EQ(again.problem->position, 7);
  EXPECT_EQ(again.problem->candidates, analysis.problem->candidates);
  EXPECT_EQ(again.columns[0].straight, analysis.columns[0].straight);
  EXPECT_EQ(again.columns[0].origins, analysis.columns[0].origins);
  EXPECT_EQ(again.parameters.at("start"), Simple(TypeKind::kDate));
  EXPECT_EQ(again.partition_inputs, analysis.partition_inputs);
  EXPECT_TRUE(again.partition_wise);
  EXPECT_FALSE(again.keeps_every_row);

  const Error error = ErrorFromJson(ErrorToJson(Error{ErrorKind::kTimeout, "m", "n", "w"}));
  EXPECT_EQ(error.kind, ErrorKind::kTimeout);
  EXPECT_EQ(error.message + error.next + error.where, "mnw");
}

TEST(JobJson, RefusesWhatItDoesNotKnow) {
  for (const char* text :
       {"", "[]", "{}", "{\"kind\":\"compute\"}", "null", "{\"kind\":\"dance\",\"limits\":1}",
        R"({"kind":"compute","result":{"steps":[{"name":1}]}})", R"({"kind":"compute","result":{"steps":3}})"}) {
    EXPECT_FALSE(OrderFromJson(text)) << text;
    EXPECT_FALSE(JobResultFromJson(text)) << text;
    EXPECT_EQ(ErrorFromJson(text).kind, ErrorKind::kCorruption) << text;
  }
}

}  // namespace
}  // namespace caudal
