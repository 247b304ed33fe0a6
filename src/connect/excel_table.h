// A sheet of a workbook as records, in a batch like a CSV file's: the same typing, rejects and drift. Used by one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "connect/inflate.h"
#include "connect/staged_batches.h"

namespace caudal {

struct ExcelRead {
  std::string path;  // a file that nobody writes
  std::string scratch_folder;
  InflateLimits limits;
  std::function<bool()> wants_more;
  std::function<void(std::int64_t rows)> progress;
};

/// `format.selector` names the sheet and the range, "" and "" for the first visible one and all of it; `columns` is completed. `_source_row` is the row's number in the
/// sheet. Records, rejected ones included. Errors: kCorruption, kUnsupported, kPermission, kNotFound, kInvalidArgument; each names
/// the origin, and the cell where there is one.
Result<std::int64_t> ReadExcel(const ExcelRead& read, const SplitTarget& target, ChunkFormat& format);

}  // namespace caudal
