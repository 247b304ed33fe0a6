#include "duckdb/postgres_session.h"

#include <fmt/format.h>

#include <cstdlib>

#include "duckdb/process_environment.h"
#include "duckdb/sql_text.h"

namespace caudal {

Result<std::string> AttachPostgres(const AttachedDatabase& database) {
  // libpq looks for password, certificate and key files below HOME.
  ForgetEnvironment({"PG"});
  ::setenv("PGCLIENTENCODING", "UTF8", 1);
  // Not in the connection string, which the scanner's errors quote.
  if (!database.secret.empty()) ::setenv("PGPASSWORD", database.secret.c_str(), 1);
  // The scanner looks for a secret among the kept ones, which are switched off, unless it finds an empty one first.
  return fmt::format("CREATE TEMPORARY SECRET caudal_none (TYPE postgres); ATTACH {} AS {} (TYPE postgres, READ_ONLY, SECRET caudal_none)", QuoteLiteral(database.location),
                     QuoteIdentifier(database.name));
}

}  // namespace caudal
