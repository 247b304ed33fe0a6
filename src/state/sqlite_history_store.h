// Questions about the past in the SQLite store.
#pragma once

#include "state/history_store.h"
#include "state/sqlite_rows.h"

namespace caudal {

/// `file` outlives it.
std::unique_ptr<HistoryStore> MakeSqliteHistoryStore(SqliteFile& file);

}  // namespace caudal
