// Tables with real Parquet files, written and read by a real worker: CAUDAL_BINARY names it; without it the tests skip.
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "lake/lake_fixture.h"
#include "lake/upsert.h"

namespace caudal {

class Worked : public LakeFixture {
 protected:
  void SetUp() override {
    LakeFixture::SetUp();
    const char* binary = getenv("CAUDAL_BINARY");
    if (binary == nullptr || access(binary, X_OK) != 0) GTEST_SKIP() << "CAUDAL_BINARY is not built";
    for (bool sandbox : {true, false}) {
      auto pool = MakeWorkerPool(PoolOptions{binary, 1, Folder("spill"), sandbox});
      if (pool) x_engine = std::move(*pool);
      if (pool || sandbox == false) break;
    }
    ASSERT_NE(x_engine, nullptr);
    x_store = std::move(MakeLocalStore(x_folder + "/lake")).value();
    Use("silver/orders");
  }

  /// The table that the calls below are about.
  void Use(const std::string& prefix) { x_table = std::make_unique<Table>(*x_store, prefix, x_clock, kAllFormats); }

  std::string Folder(const std::string& name) {
    std::string path = x_folder + "/" + name;
    std::filesystem::create_directories(path);
    return path;
  }

  ComputeResult Run(ComputeJob job) {
    auto result = RunCompute(*x_engine, std::move(job), RunOptions{}, nullptr);
    EXPECT_TRUE(result) << result.error().ToString();
    return result ? std::move(*result) : ComputeResult{};
  }

  ComputeJob Writing() {
    ComputeJob job;
    job.output_folder = Folder("out" + std::to_string(x_jobs++));
    return job;
  }

  std::vector<WrittenFile> Write(const std::string& sql, const Schema& schema, std::vector<std::string> partition_by) {
    ComputeJob job = Writing();
    Step step;
    step.kind = Step::Kind::kWrite;
    step.name = "rows";
    step.sql = sql;
    step.layout.folder = job.output_folder + "/rows";
    step.layout.columns = schema;
    step.layout.partition_by = std::move(partition_by);
    job.steps.push_back(step);
    auto result = Run(std::move(job));
    return result.steps.empty() ? std::vector<WrittenFile>{} : result.steps[0].files;
  }

  std::shared_ptr<const Snapshot> Latest() { return std::move(x_table->Latest()).value(); }
  std::string Root() { return *x_store->ReadLocation(x_table->prefix()); }

  static std::vector<const LiveFile*> All(const Snapshot& snapshot) {
    std::vector<const LiveFile*> files;
    for (const LiveFile& file : snapshot.files) files.push_back(&file);
    return files;
  }

  /// Each row as one text, from a query that sees the table as t.now.
  std::vector<std::string> Query(const std::string& sql, const Snapshot& snapshot) {
    ComputeJob job;
    job.inputs.push_back(InputOf(snapshot, "t", "now", All(snapshot), Root(), false));
    Step step;
    step.kind = Step::Kind::kQuery;
    step.name = "q";
    step.sql = sql;
    step.max_rows = 1000;
    job.steps.push_back(step);
    std::vector<std::string> texts;
    auto result = Run(std::move(job));
    if (result.steps.empty()) return texts;
    for (const auto& row : result.steps[0].rows.rows) {
      std::string text;
      for (const Cell& cell : row) text += (text.empty() ? "" : "|") + cell.value_or("NULL");
      texts.push_back(text);
    }
    return texts;
  }

  std::vector<std::string> Query(const std::string& sql) { return Query(sql, *Latest()); }

  void Publish(const Change& change) {
    auto outcome = x_table->Commit(change);
    ASSERT_TRUE(outcome) << outcome.error().ToString();
  }

  void CreateWith(const TableDefinition& definition, const std::vector<std::string>& loads) {
    Publish(Create(definition));
    for (const std::string& sql : loads) {
      Publish(Append(Latest()->version, Write(sql, Latest()->schema, Latest()->partition_columns)));
    }
  }

  /// Commits a merge; gives the files that held a key.
  std::vector<std::string> Merge(const std::string& changes_sql, const std::vector<std::string>& key, bool has_deleted) {
    auto snapshot = Latest();
    ChangeSet set{"changes", key, has_deleted};
    auto view = [&] {
      Step step;
      step.name = "changes";
      step.sql = "CREATE TEMP VIEW changes AS " + changes_sql;
      return step;
    };
    ComputeJob search;
    search.steps.push_back(view());
    AddKeySearch(search, *snapshot, All(*snapshot), Root(), set, "touched");
    auto touched = FilesNamedBy(*snapshot, Root(), Run(std::move(search)).Find("touched")->rows);
    ComputeJob job = Writing();
    job.steps.push_back(view());
    AddRewrite(job, *snapshot, touched, Root(), set, job.output_folder);
    Publish(ChangeOfRewrite(*snapshot, touched, Run(std::move(job))));
    std::vector<std::string> paths;
    for (const LiveFile* file : touched) paths.push_back(file->path);
    return paths;
  }

  int x_jobs = 0;
  FakeClock x_clock{TestTime()};
  std::unique_ptr<Engine> x_engine;
  std::unique_ptr<ObjectStore> x_store;
  std::unique_ptr<Table> x_table;
};

}  // namespace caudal
