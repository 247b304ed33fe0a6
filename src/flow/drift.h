// What a load found different at its source, and what became of it. Values and words, no I/O. docs/contracts.md.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json_fwd.h"
#include "base/result.h"

namespace caudal {

enum class DriftKind {
  kNewColumn,       // taken
  kIgnoredColumn,   // new, and left out; its values are counted
  kRefusedColumn,   // new; rows with a value in it are rejected
  kMissingColumn,   // the table has it, the source no more: NULL
  kWidened,         // the column's type holds more now
  kRejectedValues,  // values that do not fit: their rows are rejected
  kNulledValues,    // values that do not fit: NULL
  kFrozen,          // the contract let the load fail; `example` says for what
  kNewTable,        // `origin` is new at the source, and a pattern means it
  kGoneTable,       // the source has it no more
};
/// "new_column", ...
std::string_view DriftKindName(DriftKind kind);

struct Drift {
  DriftKind kind = DriftKind::kNewColumn;
  std::string column;
  std::string type, was;     // of the column now, and before it was widened
  std::int64_t values = 0;   // that were rejected, left out or set to NULL
  std::string origin;        // file or stream in which it was first seen
  std::int64_t row = 0;      // in there; 0 = the whole of it
  std::string example;       // a value
  Timestamp since;           // when a load first met it
  bool news = true;          // the load before did not meet it
};

/// "12 values of amount did not fit BIGINT: rows rejected (b.csv, row 3: 'x')".
std::string DriftInWords(const Drift& drift);

/// Of a whole table: `what` is its name at the source, or for kFrozen why.
Drift TableDrift(DriftKind kind, const std::string& what, Timestamp now);

Json DriftToJson(const std::vector<Drift>& drift);
/// What cannot be read is left out.
std::vector<Drift> DriftFromJson(const Json& json);
/// Of a commit's note: the drift of that load. Of the table's domain "drift": all that is remembered.
std::vector<Drift> DriftOfNote(const std::string& note);

/// What the loads of a table met, the oldest first; `domains`: of its snapshot.
std::vector<Drift> RememberedDrift(const std::map<std::string, std::string>& domains);

/// `known`: text of the domain "drift" before this load ("" = none). Fills `since` and `news` of `met`, and gives the text after
/// it. `looked`: the load saw whether columns are missing, so that those that came back are forgotten.
std::string RememberDrift(const std::string& known, std::vector<Drift>& met, bool looked, Timestamp now);

}  // namespace caudal
