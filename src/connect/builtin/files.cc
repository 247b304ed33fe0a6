// Files of a local folder. Authentication: the rights of the user who runs. Order: by name. Delivery: each file's
// content once; the ledger of what was loaded is the cursor, so it is committed with the rows.
// What is taken for a change, a duplicate or a broken file: docs/connectors/files.md.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <thread>

#include "base/clock.h"
#include "base/ids.h"
#include "base/json.h"
#include "connect/dialect.h"
#include "connect/folder.h"
#include "connect/hive_path.h"
#include "connect/options.h"
#include "connect/source.h"

namespace caudal {

void Register_files(Registry& registry);

namespace {

constexpr std::size_t kHeadBytes = std::size_t{64} << 10;

ConnectorSpec Spec() {
  ConnectorSpec spec;
  spec.name = "files";
  spec.summary = "CSV, NDJSON, JSON and Parquet files of a folder; plain, gzip or zstd";
  spec.shape = SourceShape::kBytes;
  spec.discovers = true;
  spec.delivery = "each content of each file exactly once: the ledger of loaded files is committed with the rows";
  const auto add = [](std::vector<OptionSpec>& to, const char* name, OptionType type, const char* fallback,
                      const char* description) -> OptionSpec& {
    return to.emplace_back(MakeOption(name, type, fallback, description));
  };
  add(spec.options, "location", OptionType::kPath, "", "Folder of the files").required = true;
  add(spec.options, "settle", OptionType::kDuration, "1s",
      "A file that changed less than this ago is looked at again after it; if it still grows, it waits for the next run");
  auto& stream = spec.stream_options;
  OptionSpec& glob = add(stream, "glob", OptionType::kString, "", "Names below the location: * and ? within a folder, ** across folders");
  glob.required = true;
  glob.form = OptionForm::kGlob;
  add(stream, "format", OptionType::kString, "auto", "How the records are written; auto: by the extension")
      .choices = {"auto", "csv", "ndjson", "json", "parquet"};
  const auto character = [&](const char* name, const char* fallback, const char* description) -> OptionSpec& {
    OptionSpec& option = add(stream, name, OptionType::kString, fallback, description);
    option.form = OptionForm::kCharacter;
    return option;
  };
  character("delimiter", "", "CSV: one character, or tab; found in the first file and kept, if not given").words = {"tab", "\\t"};
  character("quote", "\"", "CSV: one character, or none").words = {"none"};
  character("escape", "", "CSV: what makes a quote part of a value; the quote itself, if not given");
  add(stream, "encoding", OptionType::kString, "utf-8", "CSV: the files' character encoding").choices = {"utf-8", "latin-1"};
  add(stream, "header", OptionType::kBoolean, "true", "CSV: the first line names the columns");
  add(stream, "column_names", OptionType::kStringList, "", "CSV without header: the names, in order");
  add(stream, "data_selector", OptionType::kString, "", "JSON: path to the array of records, such as data.items");
  add(stream, "hive_partitioning", OptionType::kBoolean, "false", "Parquet: a folder such as country=France gives its files a column");
  add(stream, "max_files", OptionType::kInteger, "", "At most so many files a run; the rest follows in the next").least = 1;
  add(stream, "max_bytes", OptionType::kSize, "", "At most so many bytes a run, but one file at least").least = 1;
  return spec;
}

Error Corrupt(const std::string& name, const std::string& why) {
  return Error{ErrorKind::kCorruption, fmt::format("{} {}", name, why), "ask for the file again", ""};
}

struct LedgerEntry {
  std::int64_t size_bytes = 0;
  std::int64_t modified_us = 0;
  std::string sha256;
};

/// What was loaded, and the dialect that the first file had.
struct Ledger {
  std::map<std::string, LedgerEntry> files;
  std::string delimiter;

  static Result<Ledger> Parse(const std::string& cursor) {
    Ledger ledger;
    if (cursor.empty()) return ledger;
    TRY_ASSIGN(const Json json, ParseJson(cursor, "the cursor of a files source"));
    ledger.delimiter = JsonString(json, "delimiter", "");
    const auto files = json.find("files");
    if (files == json.end() || !files->is_object()) return ledger;
    for (const auto& [name, entry] : files->items()) {
      ledger.files[name] = LedgerEntry{JsonInt(entry, "size", 0), JsonInt(entry, "mtime_us", 0),
                                       JsonString(entry, "sha256", "")};
    }
    return ledger;
  }

  std::string ToText() const {
    Json json{{"files", Json::object()}};
    if (!delimiter.empty()) json["delimiter"] = delimiter;
    for (const auto& [name, entry] : files) {
      json["files"][name] = Json{{"size", entry.size_bytes}, {"mtime_us", entry.modified_us}, {"sha256", entry.sha256}};
    }
    return DumpJson(json);
  }

  /// Another file with that content, or "". `folders_are_content`: only one whose folders give it the same columns.
  std::string SameContent(const std::string& name, const std::string& sha256, bool folders_are_content) const {
    for (const auto& [other, entry] : files) {
      if (other == name || entry.sha256 != sha256) continue;
      if (!folders_are_content || PartitionValuesOf(other) == PartitionValuesOf(name)) return other;
    }
    return "";
  }
  bool SomeOfSize(std::int64_t size_bytes) const {
    return std::any_of(files.begin(), files.end(), [&](const auto& item) { return item.second.size_bytes == size_bytes; });
  }
};

/// The digests that `<name>.sha256` and `<name>.md5` promise; "" where there is no such file.
struct Promised {
  std::string sha256;
  std::string md5;
};

/// The first word of a side file; also `SHA256 (name) = digest`.
std::string DigestIn(std::string_view text, std::size_t digits) {
  std::string word;
  for (const char c : text) {
    const char lower = c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c;
    if ((lower >= '0' && lower <= '9') || (lower >= 'a' && lower <= 'f')) {
      word.push_back(lower);
      continue;
    }
    if (word.size() == digits) return word;
    word.clear();
  }
  return word.size() == digits ? word : "";
}

/// One read of one stream.
class FilesRead {
 public:
  FilesRead(const SourceRequest& request, const Options& options, const Folder& folder, ChunkSink& sink)
      : x_request(request), x_options(options), x_folder(folder), x_sink(sink) {}

  Result<ReadOutcome> Run(std::chrono::milliseconds settle) {
    TRY_ASSIGN(x_ledger, Ledger::Parse(x_request.cursor));
    const std::string glob = x_options.Text("glob", "*");
    if (glob.starts_with("/") || ("/" + glob + "/").find("/../") != std::string::npos) {
      return Error{ErrorKind::kInvalidArgument, "a glob is relative to the location and has no '..': " + glob,
                   "change `location:` or `glob:`", ""};
    }
    TRY_ASSIGN(std::vector<FolderFile> files, x_folder.List(glob));
    if (files.empty()) x_outcome.notes.push_back(fmt::format("no file matches {} in the location", glob));
    std::erase_if(files, [&](const FolderFile& file) { return Known(file) || IsSideFile(file.name); });
    TRY(Settle(files, settle));
    const std::int64_t max_files = x_options.Integer("max_files", 0);
    const std::int64_t max_bytes = x_options.Integer("max_bytes", 0);
    std::int64_t bytes = 0;
    for (std::size_t i = 0; i < files.size(); ++i) {
      if (!x_sink.WantsMore()) return Error{ErrorKind::kCancelled, "the read was cancelled", "", ""};
      const bool full = (max_files > 0 && x_loaded >= max_files) ||
                        (max_bytes > 0 && x_loaded > 0 && bytes + files[i].size_bytes > max_bytes);
      if (full) {
        x_outcome.notes.push_back(fmt::format("{} files are left for the next run", files.size() - i));
        break;
      }
      bytes += files[i].size_bytes;
      TRY(Load(files[i]));
    }
    x_outcome.cursor = x_ledger.ToText();
    x_outcome.unchanged = x_loaded == 0;
    return x_outcome;
  }

 private:
  bool Known(const FolderFile& file) const {
    const auto found = x_ledger.files.find(file.name);
    return found != x_ledger.files.end() && found->second.size_bytes == file.size_bytes &&
           found->second.modified_us == file.modified_us;
  }

  static bool IsSideFile(const std::string& name) { return name.ends_with(".sha256") || name.ends_with(".md5"); }

  /// Takes out the files that are still being written.
  Status Settle(std::vector<FolderFile>& files, std::chrono::milliseconds settle) {
    const std::int64_t settle_us = std::chrono::microseconds(settle).count();
    const auto age = [](const FolderFile& file) {
      return SystemClock().Now().time_since_epoch().count() - file.modified_us;
    };
    std::int64_t youngest = settle_us;
    for (const FolderFile& file : files) youngest = std::min(youngest, std::max<std::int64_t>(age(file), 0));
    const auto wake = std::chrono::steady_clock::now() + std::chrono::microseconds(settle_us - youngest);
    while (std::chrono::steady_clock::now() < wake) {
      if (!x_sink.WantsMore()) return Error{ErrorKind::kCancelled, "the read was cancelled", "", ""};
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    if (youngest == settle_us) return {};
    std::vector<FolderFile> settled;
    for (const FolderFile& file : files) {
      const Result<FolderFile> now = x_folder.Stat(file.name);
      if (now && now->size_bytes == file.size_bytes && now->modified_us == file.modified_us) {
        settled.push_back(file);
      } else {
        x_outcome.notes.push_back(file.name + " is still being written: left for the next run");
      }
    }
    files = std::move(settled);
    return {};
  }

  Result<Promised> PromisedOf(const std::string& name) const {
    Promised promised;
    const auto read = [&](const char* suffix, std::size_t digits, std::string& digest) -> Status {
      const Result<std::string> text = x_folder.Head(name + suffix, 4096);
      if (!text) return text.error().kind == ErrorKind::kNotFound ? Status() : Status(text.error());
      digest = DigestIn(*text, digits);
      if (digest.empty()) return Corrupt(name + suffix, "holds no checksum");
      return {};
    };
    TRY(read(".sha256", 64, promised.sha256));
    TRY(read(".md5", 32, promised.md5));
    return promised;
  }

  Result<std::string> DigestOf(const FolderFile& file) const {
    Sha256 digest;
    TRY(x_folder.Read(file, [&](std::string_view bytes) {
      digest.Update(bytes);
      return Status();
    }));
    return digest.Hex();
  }

  Status Load(const FolderFile& file) {
    const auto before = x_ledger.files.find(file.name);
    const bool again = before != x_ledger.files.end();
    if (again || x_ledger.SomeOfSize(file.size_bytes)) {
      // Only a file that may be an old one in disguise is read twice.
      TRY_ASSIGN(const std::string digest, DigestOf(file));
      const LedgerEntry entry{file.size_bytes, file.modified_us, digest};
      if (again && before->second.sha256 == digest) {
        x_ledger.files[file.name] = entry;
        return {};
      }
      if (const std::string twin = x_ledger.SameContent(file.name, digest, x_options.Boolean("hive_partitioning", false)); !again && !twin.empty()) {
        x_outcome.notes.push_back(fmt::format("{} has the content of {}: not loaded again", file.name, twin));
        x_ledger.files[file.name] = entry;
        return {};
      }
    }
    TRY_ASSIGN(const Promised promised, PromisedOf(file.name));
    TRY_ASSIGN(const ChunkFormat format, FormatOf(file));
    TRY(x_sink.Begin(file.name, format));
    Md5 md5;
    TRY(x_folder.Read(file, [&](std::string_view bytes) {
      if (!promised.md5.empty()) md5.Update(bytes);
      return x_sink.Append(bytes);
    }));
    // A wrong checksum explains what the parse would only suffer from, so it is named first.
    const Status ended = x_sink.End();
    if (!promised.md5.empty() && md5.Hex() != promised.md5) {
      return Corrupt(file.name, "is not the file that its .md5 describes; it is damaged or cut");
    }
    if (!ended && promised.sha256.empty()) return ended;
    if (!promised.sha256.empty()) {
      const Result<std::string> digest = ended ? Result<std::string>(x_sink.LastDigest()) : DigestOf(file);
      if (digest && *digest != promised.sha256) {
        return Corrupt(file.name, "is not the file that its .sha256 describes; it is damaged or cut");
      }
      TRY(ended);
    }
    x_ledger.files[file.name] = LedgerEntry{file.size_bytes, file.modified_us, x_sink.LastDigest()};
    if (again) x_sink.Replaces(file.name);
    ++x_loaded;
    return {};
  }

  Result<ChunkFormat> FormatOf(const FolderFile& file) {
    ChunkFormat format;
    TRY_ASSIGN(const std::string head, x_folder.Head(file.name, kHeadBytes));
    format.compression = CompressionOf(head);
    const std::string asked = x_options.Text("format", "auto");
    format.kind = asked == "auto" ? KindOfName(file.name) : asked;
    if (format.kind.empty()) {
      return Error{ErrorKind::kInvalidArgument, "the extension does not tell the format of " + file.name,
                   "write `format:` for the stream: csv, ndjson, json or parquet", ""};
    }
    if (format.kind == "parquet") format.compression = "none";
    if (x_options.Boolean("hive_partitioning", false)) {
      if (format.kind != "parquet") {
        return Error{ErrorKind::kUnsupported, fmt::format("`hive_partitioning` is for Parquet files, and {} is {}", file.name, format.kind),
                     "take it out of the stream, or change its `glob:`", ""};
      }
      format.partition_values = PartitionValuesOf(file.name);
    }
    if (format.kind == "json") format.selector = DottedPath(x_options.Text("data_selector", ""));
    if (format.kind == "csv") TRY(Dialect(file.name, PlainHead(head, format.compression, kHeadBytes), format));
    return format;
  }

  Status Dialect(const std::string& name, const std::string& head, ChunkFormat& format) {
    format.quote = x_options.Text("quote", "\"");
    if (format.quote == "none") format.quote.clear();
    format.escape = x_options.Text("escape", format.quote);
    format.encoding = x_options.Text("encoding", "utf-8");
    format.header = x_options.Boolean("header", true);
    format.delimiter = x_options.Text("delimiter", x_ledger.delimiter);
    if (format.delimiter == "\\t" || format.delimiter == "tab") format.delimiter = "\t";
    if (format.delimiter.empty() && !head.empty()) {
      format.delimiter = std::string(1, GuessDelimiter(head));
      x_ledger.delimiter = format.delimiter;
    }
    if (format.delimiter.empty()) format.delimiter = ",";
    for (const std::string* one : {&format.delimiter, &format.quote, &format.escape}) {
      if (one->size() <= 1 && *one != "\n" && *one != "\r") continue;
      return Error{ErrorKind::kInvalidArgument, "delimiter, quote and escape are one ASCII character each, not: " + *one,
                   "correct the stream's options", ""};
    }
    if (format.header) return {};
    format.columns = x_options.Texts("column_names");
    const std::size_t fields = CountFields(head, format.delimiter[0], format.quote.empty() ? '\0' : format.quote[0]);
    if (format.columns.empty()) {
      for (std::size_t i = 1; i <= fields; ++i) format.columns.push_back(fmt::format("column{}", i));
    } else if (format.columns.size() != fields) {
      return Error{ErrorKind::kInvalidArgument,
                   fmt::format("`column_names` has {} names, the first line of {} has {} fields", format.columns.size(),
                               name, fields),
                   "correct `column_names:` or `delimiter:`", ""};
    }
    return {};
  }

  const SourceRequest& x_request;
  const Options& x_options;
  const Folder& x_folder;
  ChunkSink& x_sink;
  Ledger x_ledger;
  ReadOutcome x_outcome;
  std::int64_t x_loaded = 0;
};

class FilesSource final : public BytesSource {
 public:
  Status Check(const SourceRequest& request) override {
    TRY_ASSIGN(const Options options, Options::Parse(request.options));
    TRY_ASSIGN(const Folder folder, Open(request, options));
    return {};
  }

  /// A stream for each folder and format: what a `glob:` would probably say.
  Result<std::vector<StreamOffer>> Discover(const SourceRequest& request) override {
    TRY_ASSIGN(const Options options, Options::Parse(request.options));
    TRY_ASSIGN(const Folder folder, Open(request, options));
    TRY_ASSIGN(const std::vector<FolderFile> files, folder.List("**"));
    std::map<std::string, FolderFile> first;
    for (const FolderFile& file : files) {
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
      TRY_ASSIGN(const std::string head, folder.Head(file.name, kHeadBytes));
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
    TRY_ASSIGN(const Folder folder, Open(request, options));
    return FilesRead(request, stream, folder, sink).Run(options.Duration("settle", std::chrono::seconds(1)));
  }

 private:
  static Result<Folder> Open(const SourceRequest& request, const Options& options) {
    return Folder::Open(PathIn(request.project_folder, options.Text("location", ".")));
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
