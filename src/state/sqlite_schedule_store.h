// The schedule's part of the SQLite store.
#pragma once

#include "state/schedule_store.h"
#include "state/sqlite_rows.h"

namespace caudal {

/// `file` outlives it.
std::unique_ptr<ScheduleStore> MakeSqliteScheduleStore(SqliteFile& file);

}  // namespace caudal
