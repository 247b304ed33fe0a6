// Delta tables of a local folder, whoever wrote them, read through DuckDB's extension. Authentication: the rights on the
// files. Order: none. Delivery: each version that is read is a whole one; a version is the cursor.
// What is understood, and what is not: docs/connectors/delta.md. Names in the log: https://github.com/delta-io/delta/blob/master/PROTOCOL.md
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "base/ids.h"
#include "base/json.h"
#include "connect/options.h"
#include "connect/source.h"
#include "data/schema.h"

namespace caudal {

void Register_delta(Registry& registry);

namespace {

namespace fs = std::filesystem;

constexpr const char* kCatalog = "src";
constexpr std::string_view kLogFolder = "_delta_log";

ConnectorSpec Spec() {
  ConnectorSpec spec;
  spec.name = "delta";
  spec.summary = "Delta tables of a folder";
  spec.shape = SourceShape::kRelation;
  spec.discovers = true;
  spec.table_option = "table";
  spec.checks_streams = true;
  spec.may_repeat = true;
  spec.delivery = "whole versions: a table that has a new one is read again, as it stands then";
  spec.options = {MakeOption("location", OptionType::kPath, "", "Folder of the tables' folders")};
  spec.options[0].required = true;
  spec.stream_options = {
      MakeOption("table", OptionType::kString, "", "The table's folder below the location, or . for the location itself; the stream's name, if not given"),
      MakeOption("version", OptionType::kInteger, "", "This version for good, instead of the newest"),
      MakeOption("select", OptionType::kStringList, "", "Only these columns")};
  return spec;
}

/// What the options ask for, and what stands in the folder now.
struct Asked {
  std::string path;
  std::int64_t version = -1;
  std::string select;
  std::string definition;  // digest of the options
};

/// The version that a name of the log stands for: a commit's or a checkpoint's; -1 = another file.
std::int64_t VersionOf(const std::string& name) {
  constexpr std::size_t kDigits = 20;
  if (name.size() < kDigits || !(name.ends_with(".json") || name.ends_with(".parquet"))) return -1;
  std::int64_t version = -1;
  const auto [end, error] = std::from_chars(name.data(), name.data() + kDigits, version);
  return error == std::errc() && end == name.data() + kDigits ? version : -1;
}

Error Unreadable(const std::string& path, const std::error_code& error) {
  const bool denied = error == std::errc::permission_denied;
  return Error{denied ? ErrorKind::kPermission : ErrorKind::kNotFound, fmt::format("cannot read the Delta table: {}: {}", error.message(), path),
               denied ? "give the user who runs caudal the right to read it" : "correct `location:` of the source, or `table:` of the stream", ""};
}

Result<std::int64_t> NewestVersion(const std::string& table) {
  std::error_code error;
  if (!fs::is_directory(table, error)) return Unreadable(table, error ? error : std::make_error_code(std::errc::not_a_directory));
  const std::string log = table + "/" + std::string(kLogFolder);
  std::int64_t newest = -1;
  fs::directory_iterator file(log, error);
  for (; !error && file != fs::directory_iterator(); file.increment(error)) {
    newest = std::max(newest, VersionOf(file->path().filename().string()));
  }
  if (error && error != std::errc::no_such_file_or_directory) return Unreadable(log, error);
  if (newest >= 0) return newest;
  return Error{ErrorKind::kNotFound, "this folder is no Delta table, it has no commit in " + std::string(kLogFolder) + ": " + table,
               "correct `location:` of the source, or `table:` of the stream", ""};
}

Result<std::string> Location(const SourceRequest& request) {
  TRY_ASSIGN(const Options options, Options::Parse(request.options));
  std::string path = PathIn(request.project_folder, options.Text("location", ""));
  std::error_code error;
  if (fs::is_directory(path, error)) return path;
  return Unreadable(path, error ? error : std::make_error_code(std::errc::not_a_directory));
}

Result<Asked> Ask(const SourceRequest& request) {
  TRY_ASSIGN(const std::string location, Location(request));
  TRY_ASSIGN(const Options stream, Options::Parse(request.stream_options));
  Asked asked;
  const std::string table = stream.Text("table", request.stream);
  if (table.starts_with("/") || ("/" + table + "/").find("/../") != std::string::npos) {
    return Error{ErrorKind::kInvalidArgument, "`table:` is a folder below the location, without '..': " + table,
                 "change `location:` or `table:`", ""};
  }
  asked.path = table == "." ? location : location + "/" + table;
  TRY_ASSIGN(const std::int64_t newest, NewestVersion(asked.path));
  asked.version = stream.Integer("version", newest);
  if (asked.version > newest || asked.version < 0) {
    return Error{ErrorKind::kNotFound, fmt::format("the Delta table has no version {}, its newest is {}: {}", asked.version, newest, asked.path),
                 "change `version:`, or take it out", ""};
  }
  for (const std::string& column : stream.Texts("select")) {
    asked.select += (asked.select.empty() ? "" : ", ") + QuoteIdentifier(column);
  }
  if (asked.select.empty()) asked.select = "*";
  asked.definition = Sha256Hex(request.options + "\n" + request.stream_options).substr(0, 16);
  return asked;
}

std::string SelectOf(const Asked& asked) {
  return fmt::format("SELECT {} FROM delta_scan({}, version := {})", asked.select, QuoteLiteral(asked.path), asked.version);
}

class DeltaSource final : public RelationSource {
 public:
  Result<RelationQuestion> Check(const SourceRequest& request) override {
    if (request.stream.empty()) {
      TRY_ASSIGN(const std::string location, Location(request));
      return RelationQuestion{Database(location), "SELECT 1"};
    }
    TRY_ASSIGN(const Asked asked, Ask(request));
    return RelationQuestion{Database(asked.path), SelectOf(asked) + " LIMIT 0"};
  }

  Result<RelationQuestion> Discover(const SourceRequest& request) override {
    TRY_ASSIGN(const std::string location, Location(request));
    const std::string pattern = location + "/**/" + std::string(kLogFolder) + "/*.json";
    return RelationQuestion{Database(location), fmt::format("SELECT DISTINCT file[{}:-{}] AS folder FROM glob({}) ORDER BY folder", location.size() + 2,
                                                            std::string_view("/_delta_log/00000000000000000000.json").size() + 1, QuoteLiteral(pattern))};
  }

  Result<std::vector<StreamOffer>> Offers(const SourceRequest& /*request*/, const Rows& rows) override {
    std::vector<StreamOffer> offers;
    for (const std::vector<Cell>& row : rows.rows) offers.emplace_back().name = row[0].value_or("").empty() ? "." : *row[0];
    return offers;
  }

  Result<RelationRead> Read(const SourceRequest& request) override {
    TRY_ASSIGN(x_asked, Ask(request));
    RelationRead read;
    read.database = Database(x_asked.path);
    read.sql = SelectOf(x_asked);
    read.unchanged = request.cursor == CursorText();
    return read;
  }

  Result<ReadOutcome> Cursor(const SourceRequest& /*request*/, const Cell& /*cell*/) override {
    ReadOutcome outcome;
    outcome.cursor = CursorText();
    return outcome;
  }

  Error Explain(const SourceRequest& request, Error error) const override {
    const std::string said = error.message.substr(0, error.message.find('\n'));
    const auto says = [&](std::string_view text) { return error.message.find(text) != std::string::npos; };
    if (says("Referenced column \"")) {
      error.kind = ErrorKind::kInvalidArgument;
      error.message = fmt::format("the table of stream {} lacks a column that `select:` names: {}", request.stream, said);
      error.next = "write columns of the table";
    } else if (says("No such file") || says("not found") || says("No files found")) {
      error.kind = ErrorKind::kNotFound;
      error.message = "a file that the Delta table's log names is missing: " + said;
      error.next = "its owner may have vacuumed that version: read a newer one, or restore the file";
    } else if (says("nsupported") || says("reader feature") || says("ReaderFeature")) {
      error.kind = ErrorKind::kUnsupported;
      error.message = "the Delta table needs what this reader does not have: " + said;
      error.next = "docs/connectors/delta.md says what is understood";
    }
    return error;
  }

 private:
  static AttachedDatabase Database(const std::string& path) { return AttachedDatabase{kCatalog, "delta", path}; }

  std::string CursorText() const { return DumpJson(Json{{"version", x_asked.version}, {"definition", x_asked.definition}}); }

  Asked x_asked;
};

std::string NextVersion(const Json& /*stream_options*/, const Json& cursor) {
  return cursor.is_null() ? "the newest version" : "the newest version, if there is one after " + std::to_string(JsonInt(cursor, "version", 0));
}

}  // namespace

void Register_delta(Registry& registry) {
  registry.Add(Connector{Spec(), nullptr, [] { return std::make_unique<DeltaSource>(); }, NextVersion});
}

}  // namespace caudal
