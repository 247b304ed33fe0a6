#include "duckdb/mysql_session.h"

#include <fmt/format.h>

#include <cstdlib>

#include "duckdb/process_environment.h"
#include "duckdb/sql_text.h"

namespace caudal {

Result<std::string> AttachMysql(const AttachedDatabase& database) {
  ForgetEnvironment({"MYSQL", "MARIADB", "LIBMYSQL"});
  // Not in the connection string, which the scanner's errors quote.
  if (!database.secret.empty()) ::setenv("MYSQL_PWD", database.secret.c_str(), 1);
  // A pooled connection would be reset before its next use, and with it what the connection string says of the session. The
  // scanner looks for a secret among the kept ones, which are switched off, unless it finds an empty one first.
  return fmt::format(
      "SET mysql_pool_size = 0; SET mysql_pool_enable_reaper_thread = false; SET mysql_tinyint1_as_boolean = false; "
      "SET mysql_bit1_as_boolean = false; CREATE TEMPORARY SECRET caudal_none (TYPE mysql); "
      "ATTACH {} AS {} (TYPE mysql, READ_ONLY, SECRET caudal_none)",
      QuoteLiteral(database.location), QuoteIdentifier(database.name));
}

}  // namespace caudal
