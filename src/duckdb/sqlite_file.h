// SQLite files as a process without the right to write beside them can read them.
#pragma once

#include <string>

#include "base/result.h"

namespace caudal {

/// `path` itself, or a copy in `scratch_folder` where the file is in WAL mode and nobody has it open: SQLite would have
/// to create the -shm file beside it. https://www.sqlite.org/wal.html#readonly Errors: kNotFound, kUnavailable (it
/// changed while it was copied).
Result<std::string> ReadableSqliteFile(const std::string& path, const std::string& scratch_folder);

}  // namespace caudal
