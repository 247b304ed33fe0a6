// How the mysql connector reaches its server, and what the server's, the client library's and the scanner's words mean to the
// user. Pure.
#pragma once

#include <string>

#include "base/result.h"
#include "connect/options.h"
#include "connect/source.h"

namespace caudal {

/// The server of the options as catalog `name`. The password is beside the connection string, never in it.
/// Errors: kInvalidArgument for a host that is none.
Result<AttachedDatabase> MysqlDatabase(const Options& options, const std::string& project_folder, const std::string& name);

/// `took_too_long`: the read has lasted for `statement_timeout`; of a statement that it stopped while rows came, the scanner
/// says nothing.
Error ExplainMysql(const SourceRequest& request, const Options& options, Error error, bool took_too_long);

/// Whether a read failed for a value that its column's type cannot hold.
bool IsAboutAMysqlValue(const Error& error);

}  // namespace caudal
