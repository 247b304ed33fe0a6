// How the postgres connector reaches its server, and what the server's and libpq's words mean to the user. Pure.
#pragma once

#include <string>

#include "base/result.h"
#include "connect/options.h"
#include "connect/source.h"

namespace caudal {

/// The server of the options as catalog `name`. The password is beside the connection string, never in it.
AttachedDatabase PostgresDatabase(const Options& options, const std::string& project_folder, const std::string& name);

/// libpq's, the server's or the scanner's message as one that says which part is wrong, and what to do.
Error ExplainPostgres(const SourceRequest& request, const Options& options, Error error);

/// Whether a read failed for a value that its column's type cannot hold.
bool IsAboutAPostgresValue(const Error& error);

/// Begins the message of a read that met a PostgresColumn::guard.
inline constexpr const char* kPostgresGuard = "caudal: a value that the scanner cannot hold";

}  // namespace caudal
