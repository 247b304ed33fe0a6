// One row a key, of the rows that came.
#pragma once

#include <string>
#include <vector>

#include "engine/job.h"

namespace caudal {

/// What tells which of several rows of one key is the one to keep.
struct Precedence {
  std::vector<std::string> key;       // columns
  std::string cursor;                 // column, "" = none: the newest by it comes first,
  std::vector<std::string> raw_keys;  // then the last that came: `_source_file`, in the order in which they did
};

/// The SELECT of one row a key of the job's view "good"; adds the steps that it reads from.
std::string AddDeduplicated(ComputeJob& job, const Precedence& precedence);

}  // namespace caudal
