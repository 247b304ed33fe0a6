// What each verb does, without how it is typed (cli*.cc). Each gives the exit code, or the one error that the command line
// prints. With --output json each prints the documents of docs/cli.md.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/console.h"
#include "app/session.h"
#include "base/result.h"

namespace caudal {

struct Command {
  GlobalOptions global;
  const Console& console;
};

struct Selection {
  std::vector<std::string> select, exclude;
};

struct InitOptions {
  std::string folder = ".";
  std::string template_name = "files";
};
Result<int> InitVerb(const Command& command, const InitOptions& options);

struct InitSourceOptions {
  std::string type, name;  // "" = asked for
  std::vector<std::string> streams, primary_key;
  std::string write_disposition, cursor;
  std::string owner, description, freshness;
  std::map<std::string, std::string> options;  // of the connector, by their paths: "client.base_url"
  bool force = false;                          // write the file even if the source does not answer
};
Result<int> InitSourceVerb(const Command& command, const InitSourceOptions& options);

Result<int> ValidateVerb(const Command& command);

struct RunVerbOptions {
  std::string pipeline;  // "" = all
  Selection selection;
  bool full_refresh = false;
  bool no_retry = false;
  bool wait = false;
};
Result<int> PlanVerb(const Command& command, const RunVerbOptions& options);
Result<int> RunVerb(const Command& command, const RunVerbOptions& options);

struct RetryOptions {
  std::string run;  // "" = the newest that is not done
  std::vector<std::string> select;
  std::string rejects;  // instead: a table whose rejected rows are loaded again
  std::string where;    // of these, those that meet it; "" = all
};
Result<int> RetryVerb(const Command& command, const RetryOptions& options);

struct BackfillOptions {
  std::string table;
  bool from_raw = false;
  std::vector<std::string> select;
  std::string start, end;
};
Result<int> BackfillVerb(const Command& command, const BackfillOptions& options);

struct RollbackOptions {
  std::string table;
  std::string to;  // a version, a savepoint or a time
  bool dry_run = false;
};
Result<int> RollbackVerb(const Command& command, const RollbackOptions& options);

struct SavepointOptions {
  std::string table;
  std::string name;     // "" = list them
  std::string version;  // "" = the newest
  std::string comment;
  bool drop = false;
};
Result<int> SavepointVerb(const Command& command, const SavepointOptions& options);

struct OptimizeOptions {
  std::vector<std::string> tables;  // empty = all
  std::vector<std::string> cluster_by;
  std::string target_file_size;  // "" = 128 MiB
  bool dry_run = false;
};
Result<int> OptimizeVerb(const Command& command, const OptimizeOptions& options);

struct ExportOptions {
  std::string table;
  std::string to;       // a file: its ending says the format
  std::string version;  // or a savepoint or a time; "" = the newest
};
Result<int> ExportVerb(const Command& command, const ExportOptions& options);

struct PurgeOptions {
  std::vector<std::string> tables;  // empty = all
  std::string older_than, reader_grace;  // durations
  std::optional<int> keep_versions;
  bool orphans = false;
  bool dry_run = false;
};
Result<int> PurgeVerb(const Command& command, const PurgeOptions& options);

Result<int> CheckVerb(const Command& command, const Selection& selection);
Result<int> TestVerb(const Command& command, const std::vector<std::string>& names);

struct ShowOptions {
  std::string table;  // "" = all of them
  int rows = 0;
  bool rejects = false;
  bool sizes = false;  // beside each table's size, what its rows would take as CSV
};
Result<int> ShowVerb(const Command& command, const ShowOptions& options);

Result<int> ShowRejects(const Command& command, const Workspace& workspace, const std::string& table, const CancelFlag& cancel);

struct SourcesOptions {
  std::string source;  // "" = all of them
  bool check = false;  // also reach them
};
Result<int> SourcesVerb(const Command& command, const SourcesOptions& options);

struct WhyOptions {
  std::string table;
  std::string where;
  int limit = 5;
};
Result<int> WhyVerb(const Command& command, const WhyOptions& options);

struct HistoryOptions {
  std::string table;  // "" = runs
  int limit = 20;
  bool checks = false;  // of the table: its verdicts instead of its versions
};
Result<int> HistoryVerb(const Command& command, const HistoryOptions& options);

struct SqlOptions {
  std::string query;
  std::string file;  // "-" = standard input
  int max_rows = 1000;
  bool safe_csv = false;
};
Result<int> SqlVerb(const Command& command, const SqlOptions& options);

struct ServeOptions {
  std::string grace = "60s";
  std::string listen = "127.0.0.1:8088";  // "off" = no HTTP
  std::string url;                        // by which people reach it, "" = by that address
};
Result<int> ServeVerb(const Command& command, const ServeOptions& options);
Result<int> StatusVerb(const Command& command);
struct ScheduleOptions {
  std::string pipeline;  // "" = all
  int next = 5;
  std::string after;  // "" = now
};
Result<int> ScheduleVerb(const Command& command, const ScheduleOptions& options);
Result<int> AlertTestVerb(const Command& command, const std::string& channel);
Result<int> PauseVerb(const Command& command, const std::string& pipeline, bool pause);

struct UserOptions {
  std::string name, role;
};
/// Each reads the password from standard input, without showing it where that is a terminal.
Result<int> UserAddVerb(const Command& command, const UserOptions& options);
Result<int> UserPasswordVerb(const Command& command, const UserOptions& options);
Result<int> UserRoleVerb(const Command& command, const UserOptions& options);
Result<int> UserRemoveVerb(const Command& command, const UserOptions& options);
Result<int> UserListVerb(const Command& command);

struct TokenOptions {
  std::string name, role;  // name: of a new one, or the id of one that is revoked
  int days = 0;            // 0 = until it is revoked
};
Result<int> TokenCreateVerb(const Command& command, const TokenOptions& options);
Result<int> TokenListVerb(const Command& command);
Result<int> TokenRevokeVerb(const Command& command, const TokenOptions& options);

Result<int> RenderVerb(const Command& command, const std::string& model);

Result<int> ConnectionTestVerb(const Command& command, const std::vector<std::string>& sources);
struct DoctorOptions {
  bool deep = false;
  bool repair = false;  // first write again what can be made of the log
  std::string store;    // a place to examine instead of the project; "" = none
};
Result<int> DoctorVerb(const Command& command, const DoctorOptions& options);

}  // namespace caudal
