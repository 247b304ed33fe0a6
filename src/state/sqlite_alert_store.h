// The outbox of alerts in the SQLite store.
#pragma once

#include "state/alert_store.h"
#include "state/sqlite_rows.h"

namespace caudal {

/// `file` outlives it.
std::unique_ptr<AlertStore> MakeSqliteAlertStore(SqliteFile& file);

}  // namespace caudal
