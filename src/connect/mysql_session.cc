#include "connect/mysql_session.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <string_view>

#include "connect/server_error.h"

namespace caudal {
namespace {

// A value of the scanner's connection string.
std::string Quoted(std::string_view value) {
  std::string quoted = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

struct Mode {
  std::string_view ours;
  std::string_view scanner;
  std::string_view library;  // checks a certificate unless it is told not to
};
constexpr auto kModes = std::to_array<Mode>({{"disable", "disabled", ""},
                                             {"prefer", "preferred", "ssl-verify-server-cert=0;"},
                                             // No "require": told not to check, the library goes on without TLS where there is none.
                                             {"verify-full", "verify_identity", ""}});

const Mode& ModeOf(const Options& options) {
  for (const Mode& mode : kModes) {
    if (options.Text("sslmode", "prefer") == mode.ours) return mode;
  }
  return kModes.back();  // the strictest
}

// The first that fits is taken, so what is special stands before what is general.
constexpr auto kMeanings = std::to_array<ServerMeaning>({
    {"Unknown server host", ErrorKind::kUnavailable, "the host {host} has no address", "correct `host:` of the source, or ask who runs the name server"},
    {"(13)", ErrorKind::kPermission, "this worker may not open port {port} of {host}", "correct `port:` of the source"},
    {"Can't connect to", ErrorKind::kUnavailable, "no server answers on port {port} of {host}",
     "correct `port:` or `host:` of the source, start the server, or open the firewall for this machine"},
    {"SSL is required, but the server does not support it", ErrorKind::kInvalidArgument, "the server has no TLS, and `sslmode: {sslmode}` wants it",
     "have TLS switched on at the server, or write `sslmode: prefer`"},
    {"Hostname verification failed", ErrorKind::kPermission, "TLS: the server's certificate is for another name than {host}",
     "write the certificate's name as `host:`"},
    {"certificate", ErrorKind::kPermission, "TLS: the server's certificate is not signed by an authority of `sslrootcert:`",
     "write the file of its authority as `sslrootcert:`"},
    {"TLS/SSL error: No such file", ErrorKind::kInvalidArgument, "TLS: the file of `sslrootcert:` cannot be read", "correct it"},
    {"TLS/SSL error", ErrorKind::kUnavailable, "TLS with the server failed", "try another `sslmode:`"},
    {"to database '", ErrorKind::kPermission, "the user {user} may not use the database {database}, or it is not there (the server does not say which)",
     "correct `database:` of the source, or GRANT SELECT ON {database}.* TO {user}"},
    {"Unknown database", ErrorKind::kNotFound, "the server has no database {database}", "correct `database:` of the source"},
    {"(using password: NO)", ErrorKind::kPermission, "the server wants a password for user {user}", "write `password: ${{NAME}}` into the source"},
    {"(using password: YES)", ErrorKind::kPermission, "the server refuses user {user} with this password: one of the two is wrong (it does not say which)",
     "correct `user:`, or the value behind `password:`"},
    {"is not allowed to connect", ErrorKind::kPermission, "the server lets no one in from this machine", "CREATE USER {user} with this machine's address, or '%'"},
    {"Account is locked", ErrorKind::kPermission, "the account of user {user} is locked", "ALTER USER {user} ACCOUNT UNLOCK"},
    {"password has expired", ErrorKind::kPermission, "the password of user {user} has expired", "ALTER USER {user} with a new one"},
    {"Authentication plugin", ErrorKind::kUnsupported, "the user {user} logs in by a plugin that this build has not",
     "let the user log in by mysql_native_password or caching_sha2_password"},
    {"Too many connections", ErrorKind::kUnavailable, "the server has no connection left", "try again later, or raise its max_connections"},
    {"max_user_connections", ErrorKind::kUnavailable, "the user {user} has no connection left", "try again later, or raise its max_user_connections"},
    {"is blocked because of many connection errors", ErrorKind::kUnavailable, "the server blocks this machine after many failed connections", "FLUSH HOSTS at the server"},
    {"max_statement_time exceeded", ErrorKind::kTimeout, "a statement took longer than `statement_timeout:`", "raise it, or have an index on the cursor column"},
    {"maximum statement execution time exceeded", ErrorKind::kTimeout, "a statement took longer than `statement_timeout:`",
     "raise it, or have an index on the cursor column"},
    {"READ ONLY transaction", ErrorKind::kInvalidArgument, "the stream's `query:` writes, and the session may only read", "write one SELECT that changes nothing"},
    {"command denied", ErrorKind::kPermission, "the user {user} lacks a right for stream {stream}", "GRANT it to {user}"},
    {"Access denied", ErrorKind::kPermission, "the user {user} lacks a right for stream {stream}", "GRANT it to {user}"},
    {"Server shutdown in progress", ErrorKind::kUnavailable, "the server stops", "try again later"},
    {"Lost connection", ErrorKind::kUnavailable, "the connection to the server broke", "try again"},
    {"server has gone away", ErrorKind::kUnavailable, "the server went away", "try again"},
    {"Connection was killed", ErrorKind::kUnavailable, "the server ended the connection", "try again"},
    {"Query execution was interrupted", ErrorKind::kUnavailable, "someone stopped the statement at the server", "try again"},
    {"definition has changed", ErrorKind::kUnavailable, "the table's columns changed while it was read", "try again"},
    {"Deadlock found", ErrorKind::kUnavailable, "the server stopped the read for another transaction", "try again"},
    {"Lock wait timeout", ErrorKind::kUnavailable, "the table is locked by another session", "try again later"},
    {"Duplicate column name", ErrorKind::kInvalidArgument, "two columns of the stream's `query:` have one name", "give each a name of its own with AS"},
    {"doesn't exist", ErrorKind::kNotFound, "the server has no such table", "correct the stream's `table:` or `query:`"},
    {"Failed to prepare MySQL query", ErrorKind::kInvalidArgument, "the server refuses the stream's `query:`", "correct it; the server's words say where"},
    {"Failed to fetch result row", ErrorKind::kUnavailable, "the server broke the read off: it stopped, or someone ended the statement", "try again"},
});

/// Without the connection string, or the SQL, and on one line.
std::string ServersWords(std::string_view words) {
  // Both are in quotes and hold quotes of their own; what follows the last `": ` is the server's.
  for (const std::string_view begin : {"with parameters \"", "MySQL query \"", "run query \""}) {
    if (words.find(begin) == std::string_view::npos) continue;
    const std::size_t end = words.rfind("\": ");
    words.remove_prefix(end == std::string_view::npos ? words.size() : end + 3);
    break;
  }
  words = words.substr(0, words.find(". Attempted host:"));
  words = words.substr(0, words.find(". First attempted host:"));
  for (const std::string_view before : {"IO Error: ", "Conversion Error: ", "Binder Error: "}) {
    if (words.starts_with(before)) words.remove_prefix(before.size());
  }
  return OneLine(words);
}

}  // namespace

Result<AttachedDatabase> MysqlDatabase(const Options& options, const std::string& project_folder, const std::string& name) {
  const std::string host = options.Text("host", "");
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:%";
  if (host.empty() || host.find_first_not_of(kLetters) != std::string::npos) {
    return Error{ErrorKind::kInvalidArgument, "`host:` is no name or address: " + host, "write it without port, user and ://", ""};
  }
  // A session that cannot write, sees one snapshot, and says times in UTC. Each server reads the comment that is its own. CHAR
  // without blanks at its end: the mode that pads it is replaced by one that touches no SELECT.
  const auto timeout = options.Duration("statement_timeout", std::chrono::hours{1});
  const std::string session = fmt::format(
      "SET SESSION time_zone = '+00:00', net_write_timeout = 3600, sql_mode = REPLACE(@@sql_mode, 'PAD_CHAR_TO_FULL_LENGTH', 'REAL_AS_FLOAT') "
      "/*M!100101 , max_statement_time = {}.{:03} */ /*!50708 , max_execution_time = {} */",
      timeout.count() / 1000, timeout.count() % 1000, timeout.count());
  // The scanner has no word for them, the library behind it takes them with the host (protocol 1 is TCP, also for localhost):
  // https://mariadb.com/docs/connectors/mariadb-connector-c/configuring-mariadb-connectorc-with-option-files
  const Mode& mode = ModeOf(options);
  const std::string library = fmt::format(
      "host={};port={};protocol=1;connect-timeout=10;{}init-command={{SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY}};"
      "init-command={{{}}}",
      host, options.Integer("port", 3306), mode.library, session);
  std::string location = fmt::format("host={} user={} database={} ssl_mode={}", Quoted(library), Quoted(options.Text("user", "")),
                                     Quoted(options.Text("database", "")), mode.scanner);
  const std::string authority = options.Text("sslrootcert", "");
  if (!authority.empty()) location += " ssl_ca=" + Quoted(PathIn(project_folder, authority));
  return AttachedDatabase{name, "mysql", location, options.Text("password", "")};
}

bool IsAboutAMysqlValue(const Error& error) { return error.message.find("Conversion Error") != std::string::npos; }

Error ExplainMysql(const SourceRequest& request, const Options& options, Error error, bool took_too_long) {
  const std::string said = error.message;
  if (IsAboutAMysqlValue(error)) return ExplainedValue(ServersWords(said.substr(0, said.find("LINE "))), error);
  const std::string words = ServersWords(said);
  if (took_too_long && said.find("Failed to fetch result row") != std::string::npos) error.message = "max_statement_time exceeded";
  if (Explained(kMeanings, request, options, words, error)) return error;
  error.message = words;
  return error;
}

}  // namespace caudal
