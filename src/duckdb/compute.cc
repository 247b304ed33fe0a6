#include "duckdb/compute.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/ids.h"
#include "duckdb/sql_text.h"

namespace caudal {
namespace {

// The process itself, before any data: code that was touched, catalogs, stacks.
constexpr std::int64_t kOwnBytes = std::int64_t{64} << 20;

Status MakeViews(Connection& connection, const ComputeJob& job) {
  std::set<std::string> schemas;
  for (const TableInput& input : job.inputs) {
    if (schemas.insert(input.schema).second) {
      TRY(connection.Run("CREATE SCHEMA IF NOT EXISTS " + QuoteIdentifier(input.schema)));
    }
    TRY(connection.Run(fmt::format("CREATE VIEW {} AS {}", QuoteTable(input.schema, input.name), ScanOf(input, job.remote))));
  }
  return {};
}

// What the layout asks of the worker, in rows that arrived.
Status PrepareFolder(const ComputeJob& job, const WriteLayout& layout) {
  if (!layout.file_by.empty() && !layout.partition_by.empty()) {
    return Error{ErrorKind::kInternal, "a layout has file_by or partition_by, not both", "", ""};
  }
  if (job.output_folder.empty() || !layout.folder.starts_with(job.output_folder)) {
    return Error{ErrorKind::kInternal, "a step writes outside of its job's output folder: " + layout.folder, "", ""};
  }
  std::error_code failure;
  std::filesystem::create_directories(layout.folder, failure);
  if (failure) {
    return Error{ErrorKind::kUnavailable, fmt::format("cannot create {}: {}", layout.folder, failure.message()), "",
                 ""};
  }
  return {};
}

Result<StepResult> Write(Connection& connection, const ComputeJob& job, const Step& step) {
  static const std::map<std::string, Parameter> kNone;
  TRY(PrepareFolder(job, step.layout));
  StepResult result;
  result.name = step.name;
  const std::string sql =
      step.where.empty() ? step.sql : "SELECT * FROM (\n" + SelectBody(step.sql) + "\n) WHERE " + step.where;
  TRY_ASSIGN(std::vector<WrittenFile> files,
             connection.Copy(CopyOf(sql, step.layout), step.user_sql ? job.parameters : kNone));
  for (WrittenFile& file : files) {
    if (file.rows == 0) {
      std::error_code ignored;
      std::filesystem::remove(file.path, ignored);
      continue;
    }
    for (const std::string_view name : kHoodieColumns) file.columns.erase(std::string(name));
    TRY_ASSIGN(file.sha256, Sha256OfFile(file.path));
    result.files.push_back(std::move(file));
  }
  // DuckDB gives them in the order in which they were finished, which differs from run to run.
  std::sort(result.files.begin(), result.files.end(),
            [](const WrittenFile& a, const WrittenFile& b) { return a.partition < b.partition; });

  TableInput written;
  written.columns = step.layout.columns;
  for (const WrittenFile& file : result.files) written.files.push_back(file.path);
  TRY(connection.Run(fmt::format("CREATE OR REPLACE VIEW {} AS {}", QuoteIdentifier(step.name), ScanOf(written, {}))));
  return result;
}

Result<StepResult> RunStep(Connection& connection, const ComputeJob& job, const Step& step) {
  static const std::map<std::string, Parameter> kNone;
  if (step.user_sql) TRY(connection.RequireSelect(step.sql));
  if (step.kind == Step::Kind::kWrite) return Write(connection, job, step);
  StepResult result;
  result.name = step.name;
  if (step.kind == Step::Kind::kQuery) {
    TRY_ASSIGN(result.rows, connection.Query(step.sql, step.user_sql ? job.parameters : kNone, step.max_rows));
  } else if (step.user_sql) {
    auto dot = step.name.find('.');
    std::string schema = QuoteIdentifier(step.name.substr(0, dot));
    TRY(connection.Run("CREATE SCHEMA IF NOT EXISTS " + schema));
    TRY(connection.Run(
        fmt::format("CREATE VIEW {}.{} AS\n{}", schema, QuoteIdentifier(step.name.substr(dot + 1)), step.sql)));
  } else {
    TRY(connection.Run(step.sql));
  }
  return result;
}

}  // namespace

ConnectionSettings SettingsOf(const JobLimits& limits, const std::string& temp_folder, bool keep_order) {
  ConnectionSettings settings;
  settings.memory_bytes = std::max(limits.memory_bytes - kOwnBytes, kOwnBytes) / 10 * 7;
  settings.spill_bytes = limits.spill_bytes;
  settings.threads = limits.threads;
  settings.temp_folder = temp_folder;
  settings.keep_order = keep_order;
  return settings;
}

bool KeepsOrder(const ComputeJob& job) {
  return std::none_of(job.steps.begin(), job.steps.end(),
                      [](const Step& step) { return step.kind == Step::Kind::kWrite; });
}

Result<ComputeResult> RunComputeJob(Connection& connection, const ComputeJob& job, const std::string& extensions) {
  for (const AttachedDatabase& database : job.databases) TRY(connection.Attach(database, extensions));

  std::vector<std::string> files;
  std::vector<std::string> folders;
  if (!job.remote.urls.empty()) TRY(connection.LoadHttp(extensions, job.remote.ca_file));
  for (const TableInput& input : job.inputs) {
    for (const std::string& file : input.files) {
      if (!job.remote.urls.contains(file)) files.push_back(file);
    }
  }
  for (const auto& [name, url] : job.remote.urls) files.push_back(url);
  for (const std::string& path : job.read_paths) {
    std::error_code ignored;
    (std::filesystem::is_directory(path, ignored) ? folders : files).push_back(path);
  }
  if (!job.output_folder.empty()) folders.push_back(job.output_folder);
  TRY(connection.Fence(files, folders));
  TRY(MakeViews(connection, job));

  ComputeResult result;
  for (const Step& step : job.steps) {
    auto done = RunStep(connection, job, step);
    if (!done) {
      Error error = std::move(done).error();
      if (step.user_sql && error.where.empty()) error.where = step.name;
      return error;
    }
    if (step.kind != Step::Kind::kRun) result.steps.push_back(std::move(done).value());
  }
  return result;
}

}  // namespace caudal
