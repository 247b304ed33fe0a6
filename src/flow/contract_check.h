// A stream's schema contract against what its source has. Pure. docs/contracts.md.
#pragma once

#include <string>
#include <vector>

#include "connect/chunk.h"
#include "flow/drift.h"
#include "lake/snapshot.h"
#include "project/project.h"

namespace caudal {

struct SourceColumns {
  const std::string& table;
  const StreamConfig& stream;
  const Snapshot& base;
  const std::vector<StagedChunk>& chunks;
  /// Every record of these says all its columns: a database, Parquet. Of JSON a member may be absent; CSV files say it each.
  bool complete = false;
  /// Raw objects that were loaded before: they may have what was left out then, and lack what came later.
  bool again = false;
};

/// Takes those columns out of `found` that are new and are not to be taken, which are those that it gives: the contract says
/// discard_row or discard_value. What differs goes into `drift`. A column that `columns:` names is never new.
/// Errors: kInvalidArgument where the contract freezes the columns.
Result<Schema> LookAtColumns(const SourceColumns& of, Schema& found, std::vector<Drift>& drift);

/// Errors: kInvalidArgument where values did not fit, and the contract freezes the types.
Status RefuseMisfits(const std::string& table, const StreamConfig& stream, const std::vector<Drift>& drift);

}  // namespace caudal
