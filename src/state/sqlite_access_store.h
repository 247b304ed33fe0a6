// Users, tokens and sessions in the SQLite store.
#pragma once

#include "state/access_store.h"
#include "state/sqlite_rows.h"

namespace caudal {

/// `file` outlives it.
std::unique_ptr<AccessStore> MakeSqliteAccessStore(SqliteFile& file);

}  // namespace caudal
