#include "connect/postgres_session.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <string_view>

#include "connect/server_error.h"
#include "data/name.h"

namespace caudal {
namespace {

// A value of a connection string: https://www.postgresql.org/docs/15/libpq-connect.html#LIBPQ-CONNSTRING
std::string Quoted(const std::string& value) {
  std::string quoted = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "'";
}

/// A value behind -c: https://www.postgresql.org/docs/15/libpq-connect.html#LIBPQ-CONNECT-OPTIONS
std::string Escaped(const std::string& value) {
  std::string escaped;
  for (const char c : value) {
    if (c == ' ' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

constexpr auto kMeanings = std::to_array<ServerMeaning>({
    {"could not translate host name", ErrorKind::kUnavailable, "the host {host} has no address", "correct `host:` of the source, or ask who runs the name server"},
    {"Connection refused", ErrorKind::kUnavailable, "nothing listens on port {port} of {host}", "correct `port:` or `host:` of the source, or start the server"},
    {"timeout expired", ErrorKind::kUnavailable, "the host {host} does not answer on port {port}", "correct `host:` of the source, or open the firewall for this machine"},
    {"timed out", ErrorKind::kUnavailable, "the host {host} does not answer on port {port}", "correct `host:` of the source, or open the firewall for this machine"},
    {"No route to host", ErrorKind::kUnavailable, "the host {host} cannot be reached", "correct `host:` of the source, or mend the network"},
    {"Network is unreachable", ErrorKind::kUnavailable, "the host {host} cannot be reached", "correct `host:` of the source, or mend the network"},
    {"no password supplied", ErrorKind::kPermission, "the server wants a password for user {user}", "write `password: ${{NAME}}` into the source"},
    {"password authentication failed", ErrorKind::kPermission, "the server refuses user {user} with this password: one of the two is wrong (it does not say which)",
     "correct `user:`, or the value behind `password:`"},
    {"is not permitted to log in", ErrorKind::kPermission, "the user {user} may not log in", "ALTER ROLE ... LOGIN, or write another `user:`"},
    {"role \"", ErrorKind::kPermission, "the server has no user {user}", "correct `user:` of the source"},
    {"permission denied for database", ErrorKind::kPermission, "the user {user} has no right to connect to database {database}", "GRANT CONNECT ON DATABASE {database} TO {user}"},
    {"database \"", ErrorKind::kNotFound, "the server has no database {database}", "correct `database:` of the source"},
    {"no pg_hba.conf entry", ErrorKind::kPermission, "the server lets user {user} not into database {database} from this machine with `sslmode: {sslmode}`",
     "have a line for it added to pg_hba.conf, or try another `sslmode:`"},
    {"server does not support SSL", ErrorKind::kInvalidArgument, "the server has no TLS, and `sslmode: {sslmode}` wants it",
     "have TLS switched on at the server, or write `sslmode: prefer`"},
    {"certificate verify failed", ErrorKind::kPermission, "TLS: the server's certificate is not signed by an authority of `sslrootcert:`", "write the file of its authority as `sslrootcert:`"},
    {"root certificate file", ErrorKind::kInvalidArgument, "TLS: `sslmode: {sslmode}` needs the file of the certificate authority, and it cannot be read", "write it as `sslrootcert:`"},
    {"server certificate for", ErrorKind::kPermission, "TLS: the server's certificate is for another name than {host}", "write the certificate's name as `host:`, or `sslmode: verify-ca`"},
    {"too many c", ErrorKind::kUnavailable, "the server has no connection left", "try again later, or raise its max_connections"},
    {"remaining connection slots", ErrorKind::kUnavailable, "the server has no connection left", "try again later, or raise its max_connections"},
    {"the database system is", ErrorKind::kUnavailable, "the server does not take connections now", "try again later"},
    {"statement timeout", ErrorKind::kTimeout, "a statement took longer than `statement_timeout:`", "raise it, or have an index on the cursor column"},
    {"permission denied", ErrorKind::kPermission, "the user {user} lacks a right for stream {stream}", "GRANT it to {user}"},
    {"conflict with recovery", ErrorKind::kUnavailable, "the replica stopped the read, to go on with its recovery", "try again, or raise max_standby_streaming_delay at the replica"},
    {"terminating connection", ErrorKind::kUnavailable, "the server ended the connection", "try again"},
    {"server closed the connection", ErrorKind::kUnavailable, "the server went away", "try again"},
    {"no connection to the server", ErrorKind::kUnavailable, "the server went away", "try again"},
    {"could not receive data", ErrorKind::kUnavailable, "the connection to the server broke", "try again"},
    {"SSL SYSCALL", ErrorKind::kUnavailable, "the connection to the server broke", "try again"},
    {"SSL error", ErrorKind::kUnavailable, "TLS with the server failed", "try another `sslmode:`"},
    {"Failed to prepare query", ErrorKind::kInvalidArgument, "the server refuses the stream's `query:`", "correct it; the server's words say where"},
    {"Failed to prepare COPY", ErrorKind::kInvalidArgument, "the server refuses the stream's `query:`", "write one SELECT, without a semicolon"},
    {"duplicate column name", ErrorKind::kInvalidArgument, "two columns of the stream's `query:` have one name", "give each a name of its own with AS"},
});

/// Without the connection string in front, and on one line.
std::string ServersWords(const std::string& message) {
  std::string_view words = message;
  if (const std::size_t at = words.find("Unable to connect to Postgres at \""); at != std::string_view::npos) {
    const std::size_t end = words.find("\": ", at);
    if (end != std::string_view::npos) words.remove_prefix(end + 3);
  }
  for (const std::string_view mark : {"FATAL:  ", "ERROR:  "}) {
    if (const std::size_t at = words.find(mark); at != std::string_view::npos) words.remove_prefix(at + mark.size());
  }
  return OneLine(words);
}

}  // namespace

AttachedDatabase PostgresDatabase(const Options& options, const std::string& project_folder, const std::string& name) {
  const auto timeout = options.Duration("statement_timeout", std::chrono::hours{1});
  // The forms of values as text, and a session that cannot write.
  const std::string session = fmt::format(
      "-c statement_timeout={} -c default_transaction_read_only=on -c timezone=UTC -c datestyle=ISO -c intervalstyle=postgres "
      "-c extra_float_digits=3 -c bytea_output=hex -c search_path={}",
      timeout.count(), Escaped(QuoteIdentifier(options.Text("schema", "public"))));
  std::string location = fmt::format("host={} port={} dbname={} user={} sslmode={} connect_timeout=10 application_name=caudal options={}",
                                     Quoted(options.Text("host", "")), options.Integer("port", 5432),
                                     Quoted(options.Text("database", "")), Quoted(options.Text("user", "")),
                                     Quoted(options.Text("sslmode", "prefer")), Quoted(session));
  const std::string authority = options.Text("sslrootcert", "");
  if (!authority.empty()) location += " sslrootcert=" + Quoted(PathIn(project_folder, authority));
  return AttachedDatabase{name, "postgres", location, options.Text("password", "")};
}

bool IsAboutAPostgresValue(const Error& error) {
  for (const char* words : {kPostgresGuard, "Conversion Error", "Expected an array with", "out of range", "Invalid unicode", "invalid byte sequence"}) {
    if (error.message.find(words) != std::string::npos) return true;
  }
  return false;
}

Error ExplainPostgres(const SourceRequest& request, const Options& options, Error error) {
  // "Failed to prepare" is what the scanner puts before a refusal: the reason behind it says more.
  const std::string said = error.message;
  if (Explained(kMeanings, request, options, ServersWords(said), error)) return error;
  if (IsAboutAPostgresValue(error)) return ExplainedValue(ServersWords(said.substr(0, said.find("\nLINE"))), error);
  error.message = ServersWords(said);
  return error;
}

}  // namespace caudal
