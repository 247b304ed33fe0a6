#include "flow/preview.h"

#include "base/ids.h"
#include "base/json.h"
#include "connect/extract.h"
#include "connect/intake.h"
#include "data/data_file.h"
#include "data/reserved_name.h"
#include "flow/extraction.h"

namespace caudal {
namespace {

RunOptions OptionsOf(const Workspace& workspace, const CancelFlag* cancel) {
  RunOptions options;
  options.limits = workspace.Limits();
  options.cancel = cancel;
  return options;
}

std::string ColumnsOf(const Schema& schema) {
  std::string columns;
  for (const Field& field : schema.fields) {
    if (!IsReservedColumn(field.name)) columns += (columns.empty() ? "" : ", ") + QuoteIdentifier(field.name);
  }
  return columns.empty() ? "*" : columns;
}

Result<Schema> SchemaOf(const Workspace& workspace, const StagedRead& read, const CancelFlag* cancel) {
  if (std::optional<Schema> facts = SchemaOfFacts(read.batches)) return *std::move(facts);
  JobCost cost;
  TRY_ASSIGN(const ComputeResult result, RunCompute(workspace.engine, InferenceJob(read.batches), OptionsOf(workspace, cancel), &cost));
  return SchemaOfInference(result);
}

/// The first rows of what was staged; also how many of all records would be rejected.
Status TakeRows(const Workspace& workspace, const StagedRead& read, const std::string& folder, std::int64_t rows, const CancelFlag* cancel,
                Preview& preview) {
  ComputeJob job;
  job.output_folder = folder;
  std::string from = "typed";
  Schema schema;
  if (!read.relation_file.empty()) {
    TRY_ASSIGN(const Json columns, ParseJson(read.relation_columns, "the columns of a relation"));
    TRY_ASSIGN(schema, SchemaFromJson(columns));
    TRY_ASSIGN(const Json json, ParseJson(read.relation_file, "the file of a relation"));
    TRY_ASSIGN(const WrittenFile file, WrittenFileFromJson(json));
    job.inputs.push_back({"caudal_candidate", "relation", schema, {file.path}, false});
    from = "caudal_candidate.relation";
  } else {
    TRY_ASSIGN(schema, SchemaOf(workspace, read, cancel));
    const std::vector<std::string> keys(read.chunks.size(), "preview");
    AddTypedRows(job, read, keys, schema, Misfit::kReject, "preview", workspace.clock.Now());
    job.steps.push_back(Step::Query("rejected_rows", "SELECT count(*) FROM rejected", 1));
  }
  job.steps.push_back(Step::Query("rows", "SELECT " + ColumnsOf(schema) + " FROM " + from + " LIMIT " + std::to_string(rows), rows));
  JobCost cost;
  TRY_ASSIGN(ComputeResult result, RunCompute(workspace.engine, std::move(job), OptionsOf(workspace, cancel), &cost));
  if (const StepResult* rejected = result.Find("rejected_rows")) preview.rejected = std::stoll(rejected->rows.rows.at(0).at(0).value_or("0"));
  preview.rows = result.Find("rows")->rows;
  return {};
}

}  // namespace

Result<std::vector<StreamOffer>> OfferedStreams(const Workspace& workspace, const SourceConfig& source, const CancelFlag* cancel) {
  // Two runs may ask at once.
  TRY_ASSIGN(Staging staging, Staging::Make(workspace, kDiscoverStaging + source.name + "-" + NewToken().substr(0, 8)));
  TRY_ASSIGN(ExtractJob job, MakeExtractJob(workspace, source, nullptr, {ExtractJob::Kind::kDiscover, "", Schema{}, "", staging.path()}));
  JobCost cost;
  TRY_ASSIGN(const ExtractResult answer, RunExtract(workspace.engine, std::move(job), OptionsOf(workspace, cancel), &cost));
  return StreamOffersFromJson(answer.answer);
}

Result<Preview> PreviewStream(const Workspace& workspace, const SourceConfig& source, const StreamConfig& stream, std::int64_t rows,
                              const CancelFlag* cancel) {
  TRY_ASSIGN(Staging staging, Staging::Make(workspace, "preview-" + source.name));
  TRY_ASSIGN(const std::string folder, staging.Folder("extract"));
  ExtractRequest request{ExtractJob::Kind::kRead, "", Schema{}, "preview", folder};
  request.sample_rows = rows;
  TRY_ASSIGN(ExtractJob job, MakeExtractJob(workspace, source, &stream, request));
  JobCost cost;
  auto answer = RunExtract(workspace.engine, std::move(job), OptionsOf(workspace, cancel), &cost);
  if (!answer) {
    Error error = std::move(answer).error();
    if (error.where.empty()) error.where = stream.place.ToString();
    return error;
  }
  TRY_ASSIGN(const Json json, ParseJson(answer->answer, "an extract worker's answer"));
  TRY_ASSIGN(const StagedRead read, StagedReadFromJson(json));
  Preview preview;
  preview.notes = read.notes;
  if (read.chunks.empty()) return preview;
  TRY(TakeRows(workspace, read, staging.path(), rows, cancel, preview));
  return preview;
}

}  // namespace caudal
