// Does an extract job inside its worker. The duckdb room is not visible here: relation-shaped sources are run through
// the `relation` callbacks that the worker passes in.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "connect/chunk.h"
#include "connect/program.h"
#include "connect/source.h"
#include "data/data_file.h"
#include "engine/job.h"

namespace caudal {

/// What the worker's DuckDB does for a relation-shaped source.
struct RelationRunner {
  std::function<Result<Rows>(const RelationQuestion& question)> ask;
  struct Target {
    std::string path, keys_path;  // Parquet files to write
    std::string source_file;      // `_source_file` of the rows
  };
  struct Copied {
    WrittenFile file;  // path and statistics; rows == 0: no file was kept
    Schema columns;
    Cell cursor;
    std::int64_t keys = 0;  // rows in keys_path
  };
  /// Copies read.sql to one Parquet file in the layout of a data file, with `_source_file` and `_source_row` as last
  /// columns; within the same transaction asks cursor_sql, and copies keys_sql.
  std::function<Result<Copied>(const RelationRead& read, const Target& target, const Schema& pinned)> copy;
};

/// The job's `request` is JSON of SourceRequest (and for kReplay, of the raw objects). Answer, as JSON text:
/// kCheck {"ok":true} · kDiscover [StreamOffer] · kRead and kReplay StagedRead · kCommitted {"notes":[...]}. `program`: the job's.
Result<ExtractResult> RunExtractJob(const ExtractJob& job, const Registry& registry, const RelationRunner& relation,
                                    const std::function<void(std::int64_t rows)>& progress, Program* program = nullptr);

std::string SourceRequestToJson(const SourceRequest& request);
Result<SourceRequest> SourceRequestFromJson(const std::string& text);

/// kReplay: raw objects, already local, in the order in which they were loaded.
struct ReplayRequest {
  struct Object {
    std::string path;
    std::string key;
    std::string origin;
    std::string sha256;
    ChunkFormat format;
  };
  std::vector<Object> objects;
};
std::string ReplayRequestToJson(const ReplayRequest& request);
Result<ReplayRequest> ReplayRequestFromJson(const std::string& text);
std::string StreamOffersToJson(const std::vector<StreamOffer>& offers);
Result<std::vector<StreamOffer>> StreamOffersFromJson(const std::string& text);

}  // namespace caudal
