// What a bound logical plan says about its columns: where values come from, and which columns partition the work.
// Pure: reads the JSON of DuckDB's json_serialize_plan(sql, optimize := false). Unknown operators prove nothing.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/json_fwd.h"
#include "data/analysis.h"

namespace caudal {

/// Rows with one value in a column depend on nothing but rows with that value in these columns of these tables, and on
/// the whole of others.
struct PartitionProof {
  std::map<std::string, std::string> inputs;
  std::set<std::string> whole;
};

struct ColumnFacts {
  std::vector<ColumnOrigin> origins;  // sorted
  std::optional<ColumnOrigin> straight;
  std::optional<PartitionProof> proof;
  std::string lost;  // why there is no proof, in words
};

/// What one operator gives out.
struct RelationFacts {
  std::vector<ColumnFacts> columns;
  std::set<std::string> tables;  // all below
  bool row_wise = false;
  bool keeps_every_row = false;
};

/// `plan`: the first member of "plans". A plan of a form that this code does not know gives fewer facts, never false
/// ones.
RelationFacts FactsOf(const Json& plan);

}  // namespace caudal
