// How DuckDB's scanner reaches a PostgreSQL server: through the libpq inside of it.
#pragma once

#include "base/result.h"
#include "engine/job.h"

namespace caudal {

/// The statements that attach it, after which libpq finds the password, and nothing of the machine's own (PG* variables,
/// ~/.pgpass, ~/.postgresql). Changes the environment of this process, which does one job and ends.
Result<std::string> AttachPostgres(const AttachedDatabase& database);

}  // namespace caudal
