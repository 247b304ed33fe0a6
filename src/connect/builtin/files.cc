// Files of a folder: here, in a bucket, or on an SFTP, FTP or HTTP server. Authentication: the rights of the user who runs,
// or user with password or key; an SSH server's key is always checked. Order: by name. Delivery: each file's content once;
// the ledger of what was loaded is the cursor, so it is committed with the rows.
// What is taken for a change, a duplicate or a broken file: docs/connectors/files.md.
#include "connect/files_read.h"

#include <algorithm>
#include <iterator>
#include <map>

#include <fmt/format.h>

#include "base/json.h"
#include "connect/dialect.h"
#include "connect/options.h"
#include "connect/place_url.h"
#include "connect/put_away.h"
#include "connect/source.h"

namespace caudal {

void Register_files(Registry& registry);

namespace {

constexpr std::size_t kHeadBytes = std::size_t{64} << 10;

OptionSpec& Add(std::vector<OptionSpec>& to, const char* name, OptionType type, const char* fallback, const char* description) {
  return to.emplace_back(MakeOption(name, type, fallback, description));
}

std::vector<OptionSpec> SourceOptions() {
  std::vector<OptionSpec> options;
  OptionSpec& location = Add(options, "location", OptionType::kPlace, "", "Folder of the files: a path, or s3://, sftp://, ftp://, ftps://, http:// or https://");
  location.required = true;
  location.schemes = {"s3", "ftp", "ftps", "http", "https", "sftp"};
  Add(options, "settle", OptionType::kDuration, "1s",
      "A file that changed less than this ago is looked at again after it; if it still grows, it waits for the next run");
  OptionSpec& user = Add(options, "user", OptionType::kString, "", "Servers: who logs in");
  user.form = OptionForm::kLine;
  user.ask_at = {"sftp", "ftp", "ftps"};
  OptionSpec& password = Add(options, "password", OptionType::kString, "", "Servers: of the user");
  password.secret = true;
  password.ask_at = {"sftp", "ftp", "ftps"};
  Add(options, "key_file", OptionType::kPath, "", "sftp: private key, readable by its owner alone (chmod 600)");
  Add(options, "key_passphrase", OptionType::kString, "", "sftp: of the private key").secret = true;
  Add(options, "host_key", OptionType::kStringList, "", "sftp: fingerprint of the server's key, SHA256:...; several while it changes").ask_at = {"sftp"};
  Add(options, "known_hosts", OptionType::kPath, "", "sftp: instead of host_key, a file as ssh writes it");
  Add(options, "ca_file", OptionType::kPath, "", "s3, ftps, https: authorities that sign the server's certificate; the system's, if not given");
  OptionSpec& timeout = Add(options, "timeout", OptionType::kDuration, "60s", "Servers: silence that ends a connection");
  timeout.least = 1000;
  Add(options, "endpoint", OptionType::kUrl, "", "s3: address of the object store; AWS, if not given");
  Add(options, "region", OptionType::kString, "", "s3: of the bucket; us-east-1, if nothing says another").form = OptionForm::kLine;
  for (const auto& [name, description] : {std::pair("access_key_id", "s3: if not given, what AWS's tools find"), std::pair("secret_access_key", "s3: beside access_key_id")}) {
    OptionSpec& key = Add(options, name, OptionType::kString, "", description);
    key.secret = true;
    key.ask_at = {"s3"};
  }
  Add(options, "session_token", OptionType::kString, "", "s3: of keys that do not last").secret = true;
  return options;
}

std::vector<OptionSpec> StreamOptions() {
  std::vector<OptionSpec> stream;
  OptionSpec& glob = Add(stream, "glob", OptionType::kString, "", "Names below the location: * and ? within a folder, ** across folders");
  glob.required = true;
  glob.form = OptionForm::kGlob;
  Add(stream, "format", OptionType::kString, "auto", "How the records are written; auto: by the extension")
      .choices = {"auto", "csv", "tsv", "ndjson", "json", "parquet", "xlsx"};
  const auto character = [&](const char* name, const char* fallback, const char* description) -> OptionSpec& {
    OptionSpec& option = Add(stream, name, OptionType::kString, fallback, description);
    option.form = OptionForm::kCharacter;
    return option;
  };
  character("delimiter", "", "CSV: one character, or tab; found in the first file and kept, if not given").words = {"tab", "\\t"};
  character("quote", "\"", "CSV: one character, or none").words = {"none"};
  character("escape", "", "CSV: what makes a quote part of a value; the quote itself, if not given");
  Add(stream, "encoding", OptionType::kString, "utf-8", "CSV: the files' character encoding").choices = {"utf-8", "latin-1"};
  Add(stream, "header", OptionType::kBoolean, "true", "CSV, Excel: the first line names the columns");
  Add(stream, "column_names", OptionType::kStringList, "", "CSV, Excel without header: the names, in order");
  Add(stream, "sheet", OptionType::kString, "", "Excel: the sheet's name; the first that is not hidden, if not given").form = OptionForm::kLine;
  Add(stream, "range", OptionType::kString, "", "Excel: the part of the sheet that is the table, header first: A5, A5:F, A5:F100, B:D").form = OptionForm::kLine;
  Add(stream, "data_selector", OptionType::kString, "", "JSON: path to the array of records, such as data.items");
  Add(stream, "hive_partitioning", OptionType::kBoolean, "false", "Parquet: a folder such as country=France gives its files a column");
  Add(stream, "members", OptionType::kString, "**", "zip: names within the archive").form = OptionForm::kGlob;
  Add(stream, "manifest", OptionType::kString, "", "Files that list the files with size, digest, rows; only what they list is loaded").form = OptionForm::kGlob;
  Add(stream, "trailer", OptionType::kString, "", "CSV, NDJSON: the last line, which tells the number of rows: TRAILER;{rows}; * is anything").form = OptionForm::kLine;
  OptionSpec& after = Add(stream, "after_load", OptionType::kString, "keep", "What becomes of a file once its rows are committed");
  after.choices = {"keep", "move", "delete"};
  after.needs = {{"move", {"move_to"}}};
  Add(stream, "move_to", OptionType::kString, "", "Folder below the location for files that were loaded").form = OptionForm::kGlob;
  Add(stream, "max_files", OptionType::kInteger, "", "At most so many files a run; the rest follows in the next").least = 1;
  Add(stream, "max_bytes", OptionType::kSize, "", "At most so many bytes a run, but one file at least").least = 1;
  return stream;
}

ConnectorSpec Spec() {
  ConnectorSpec spec;
  spec.name = "files";
  spec.summary = "CSV, TSV, NDJSON, JSON, Parquet and Excel files of a folder, a bucket or a server; plain, gzip, zstd or zip";
  spec.shape = SourceShape::kBytes;
  spec.options = SourceOptions();
  spec.stream_options = StreamOptions();
  spec.discovers = true;
  spec.delivery = "each content of each file exactly once: the ledger of loaded files is committed with the rows";
  return spec;
}

class FilesSource final : public BytesSource {
 public:
  Status Check(const SourceRequest& request) override {
    TRY_ASSIGN(const Options options, Options::Parse(request.options));
    TRY_ASSIGN(const auto place, OpenPlace(options, request.project_folder, {}));
    return {};
  }

  /// A stream for each folder and format: what a `glob:` would probably say.
  Result<std::vector<StreamOffer>> Discover(const SourceRequest& request) override {
    TRY_ASSIGN(const Options options, Options::Parse(request.options));
    TRY_ASSIGN(const auto place, OpenPlace(options, request.project_folder, {}));
    TRY_ASSIGN(const std::vector<PlaceFile> files, place->List("**"));
    std::map<std::string, PlaceFile> first;
    for (const PlaceFile& file : files) {
      const std::string kind = KindOfName(file.name);
      if (kind.empty()) continue;
      const std::size_t slash = file.name.rfind('/');
      first.emplace((slash == std::string::npos ? "" : file.name.substr(0, slash + 1)) + "*." + kind, file);
    }
    std::vector<StreamOffer> offers;
    for (const auto& [name, file] : first) {
      StreamOffer& offer = offers.emplace_back();
      offer.name = name;
      if (!name.ends_with(".csv")) continue;
      TRY_ASSIGN(const std::string head, place->Head(file.name, kHeadBytes));
      std::string line = PlainHead(head, CompressionOf(head), kHeadBytes);
      line = line.substr(0, line.find_first_of("\r\n"));
      const char delimiter = GuessDelimiter(line);
      for (std::size_t at = 0; at <= line.size();) {
        const std::size_t end = std::min(line.find(delimiter, at), line.size());
        std::string column = line.substr(at, end - at);
        std::erase(column, '"');
        if (!column.empty()) offer.columns.fields.push_back(Field{column, Type{TypeKind::kVarchar, 0, 0, {}}, 0});
        at = end + 1;
      }
    }
    return offers;
  }

  Result<ReadOutcome> Read(const SourceRequest& request, ChunkSink& sink) override {
    TRY_ASSIGN(const Options options, Options::Parse(request.options));
    TRY_ASSIGN(const Options stream, Options::Parse(request.stream_options));
    TRY_ASSIGN(const auto place, OpenPlace(options, request.project_folder, [&sink] { return !sink.WantsMore(); }));
    return FilesRead(request, stream, *place, sink).Run(options.Duration("settle", std::chrono::seconds(1)));
  }

  Result<std::vector<std::string>> Committed(const SourceRequest& request) override {
    TRY_ASSIGN(const Options options, Options::Parse(request.options));
    TRY_ASSIGN(const Options stream, Options::Parse(request.stream_options));
    TRY_ASSIGN(const auto place, OpenPlace(options, request.project_folder, {}));
    return PutAway(request, stream, *place);
  }
};

std::string NextFiles(const Json& stream_options, const Json& cursor) {
  const std::string glob = JsonString(stream_options, "glob", "*");
  const auto files = cursor.is_object() ? cursor.find("files") : cursor.end();
  if (files == cursor.end() || !files->is_object() || files->empty()) return "files that match " + glob;
  const std::string last = std::prev(files->end()).key();
  return fmt::format("files that match {} but the {} that were loaded, to {}, unless they change", glob, files->size(), last);
}

}  // namespace

void Register_files(Registry& registry) {
  registry.Add(Connector{Spec(), [] { return std::make_unique<FilesSource>(); }, nullptr, NextFiles});
}

}  // namespace caudal
