// The first half of a load: from the source to durable raw objects and staged records.
#pragma once

#include <string>
#include <vector>

#include "connect/chunk.h"
#include "flow/task.h"

namespace caudal {

/// What lies in staging, and what lies durable in raw/.
struct Extracted {
  StagedRead read;
  std::vector<RawObject> objects;     // one a chunk, in order; for a relation the one Parquet file
  std::vector<std::string> raw_keys;  // of `objects`
};

/// Hash of the source's and the stream's words: a raw object read under other words is not reused.
std::string DefinitionOfStream(const SourceConfig& source, const StreamConfig& stream);

struct ExtractRequest {
  ExtractJob::Kind kind = ExtractJob::Kind::kRead;
  std::string cursor;
  Schema pinned;
  std::string raw_key;
  std::string staging;
  std::int64_t sample_rows = 0;
  std::vector<std::string> widens = {};  // SourceRequest::widens
  std::vector<std::string> keys = {};    // SourceRequest::keys
};

/// The job that asks the source; `stream` null for a question about the whole source. Errors: secrets.
Result<ExtractJob> MakeExtractJob(const Workspace& workspace, const SourceConfig& source, const StreamConfig* stream,
                                  const ExtractRequest& what);

/// Where a read goes on from.
struct ReadFrom {
  std::string cursor;
  Schema pinned;
  std::vector<std::string> keys;  // SourceRequest::keys
};

/// Asks the source for what comes after `from.cursor`, or, where `context.manifest` fits, takes the raw objects of an earlier
/// attempt, without keys. Raw objects are durable when it returns.
Result<Extracted> Extract(const Workspace& workspace, const Node& node, const TaskContext& context,
                          const ReadFrom& from, const Staging& staging, JobCost& cost);

/// "2 files, 10 rows read"; a database and an API have rows alone.
std::string ReadInWords(const Extracted& extracted, std::int64_t rows);

/// Stages the records of raw objects that are in the lake already.
Result<Extracted> Replay(const Workspace& workspace, const Node& node, const TaskContext& context,
                         const std::vector<RawObject>& objects, const Staging& staging, JobCost& cost);

}  // namespace caudal
