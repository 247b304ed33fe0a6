// How DuckDB's scanner reaches a MariaDB or MySQL server: through the MariaDB client library inside of it.
#pragma once

#include "base/result.h"
#include "engine/job.h"

namespace caudal {

/// The statements that attach it, after which the library finds the password, and nothing of the machine's own (MYSQL_* and
/// MARIADB_* variables). Each question gets a connection of its own: what one leaves behind, no other sees. Changes the
/// environment of this process, which does one job and ends.
Result<std::string> AttachMysql(const AttachedDatabase& database);

}  // namespace caudal
