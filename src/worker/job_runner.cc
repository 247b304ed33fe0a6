#include "worker/job_runner.h"

#include "connect/extract.h"
#include "duckdb/analyze.h"
#include "duckdb/compute.h"
#include "duckdb/relation.h"
#include "store/object_store.h"
#include "worker/rights.h"

namespace caudal {
namespace {

Result<JobResult> RunOne(const ComputeJob& job, const WorkOrder& order, Connection& connection,
                         const std::string& extensions) {
  TRY(connection.Configure(SettingsOf(order.limits, order.temp_folder, KeepsOrder(job))));
  TRY_ASSIGN(ComputeResult result, RunComputeJob(connection, job, extensions));
  return JobResult(std::move(result));
}

Result<JobResult> RunOne(const AnalyzeJob& job, const WorkOrder& order, Connection& connection) {
  TRY(connection.Configure(SettingsOf(order.limits, "", true)));
  TRY_ASSIGN(AnalyzeResult result, RunAnalyzeJob(connection, job));
  return JobResult(std::move(result));
}

Result<JobResult> RunOne(const ExtractJob& job, const WorkOrder& order, Connection& connection,
                         const std::string& extensions, const ExtractionParts& parts) {
  TRY(connection.Configure(SettingsOf(order.limits, order.temp_folder, false)));
  RelationReader reader(connection, extensions, job.staging_folder);
  RelationRunner runner;
  runner.ask = [&](const RelationQuestion& question) { return reader.Ask(question.database, question.sql); };
  runner.copy = [&](const RelationRead& read, const RelationRunner::Target& to, const Schema& pinned) -> Result<RelationRunner::Copied> {
    TRY_ASSIGN(RelationReader::Copied copied, reader.Copy(read.database, {read.sql, read.numbered_sql, read.cursor_sql, read.keys_sql},
                                                          {to.path, to.keys_path, to.source_file}, pinned));
    return RelationRunner::Copied{std::move(copied.file), std::move(copied.columns), std::move(copied.cursor), copied.keys};
  };
  TRY_ASSIGN(ExtractResult result, RunExtractJob(job, BuiltinRegistry(), runner, [&](std::int64_t count) {
               if (parts.rows != nullptr) *parts.rows = count;
             }, parts.program));
  return JobResult(std::move(result));
}

Result<JobResult> RunOne(const MoveJob& job) {
  TRY_ASSIGN(const std::string root, LocalRoot(job.store_url));
  TRY_ASSIGN(const auto store, MakeLocalStore(root));
  for (const MoveJob::Item& item : job.items) TRY(store->PutFileIfAbsent(item.key, item.local_path));
  return JobResult(MoveResult{});
}

}  // namespace

Result<JobResult> RunJob(const WorkOrder& order, Connection* connection, const std::string& extensions,
                         const ExtractionParts& parts) {
  if (const auto* move = std::get_if<MoveJob>(&order.job)) return RunOne(*move);
  CHECK(connection != nullptr, "every kind of job but move has DuckDB");
  if (const auto* compute = std::get_if<ComputeJob>(&order.job)) {
    return RunOne(*compute, order, *connection, extensions);
  }
  if (const auto* analyze = std::get_if<AnalyzeJob>(&order.job)) return RunOne(*analyze, order, *connection);
  return RunOne(std::get<ExtractJob>(order.job), order, *connection, extensions, parts);
}

}  // namespace caudal
