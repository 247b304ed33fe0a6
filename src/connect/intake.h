// From staged records to typed rows, as compute jobs: inference of a stream's schema (once; then it is pinned in the
// table), typed rows, rejected rows. No I/O here.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "connect/chunk.h"
#include "data/schema.h"
#include "engine/job.h"

namespace caudal {

/// A job whose one kQuery step "columns" lists (name, type) of the batches; SchemaOfInference reads it.
ComputeJob InferenceJob(const std::vector<StagedBatch>& batches);
Result<Schema> SchemaOfInference(const ComputeResult& result);
/// The same answer without a job, where every batch is CSV: the splitter has seen all values. Else nothing.
std::optional<Schema> SchemaOfFacts(const std::vector<StagedBatch>& batches);

/// What becomes of a value that does not fit its column's type.
enum class Misfit {
  kReject,  // its row is rejected
  kNull,    // it is NULL, and a row of the view "misfits": _column, _value, _source_file, _source_row
};

/// Adds to `job` the temp table or views that later steps use:
/// "typed": all columns of `schema`, `_source_file` VARCHAR (raw key of the chunk), `_source_row` BIGINT: rows that could be typed;
/// "rejected": rows of RejectSchema's columns (see lake/table.h; names are repeated in docs/formats/rejects.md) for
/// those that could not, and for SplitRejects.
/// "misfits": as `misfit` says; without rows where that is kReject.
/// `raw_keys[i]` is the raw object of chunk i. `run_task`: "<run>/<task>".
void AddTypedRows(ComputeJob& job, const StagedRead& read, const std::vector<std::string>& raw_keys,
                  const Schema& schema, Misfit misfit, const std::string& run_task, Timestamp now);

}  // namespace caudal
