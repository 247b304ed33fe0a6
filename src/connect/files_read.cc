#include "connect/files_read.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <thread>

#include "base/clock.h"
#include "base/ids.h"
#include "base/json.h"
#include "connect/dialect.h"
#include "connect/hive_path.h"
#include "connect/patient_place.h"
#include "connect/zip_archive.h"

namespace caudal {
namespace {

constexpr std::size_t kHeadBytes = std::size_t{64} << 10;

bool IsArchive(const std::string& name) { return name.size() > 4 && (name.ends_with(".zip") || name.ends_with(".ZIP")); }

/// What Excel and LibreOffice put beside a file that somebody has open.
bool IsOfficeLock(const std::string& name) {
  const std::string base = name.substr(name.rfind('/') + 1);
  return base.starts_with("~$") && KindOfName(base) == "xlsx";
}

Error Changed(const std::string& name) {
  return Error{ErrorKind::kUnavailable, "a file changed while it was read: " + name,
               "run again once it is complete, or write files under another name and rename them", ""};
}

/// A copy of a file in the scratch folder; gone with this object.
class ScratchFile {
 public:
  explicit ScratchFile(const std::string& folder) : x_path(folder + "/archive-" + NewToken()), x_file(std::fopen(x_path.c_str(), "wbe")) {}
  ~ScratchFile() {
    (void)Close();
    std::remove(x_path.c_str());
  }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  const std::string& path() const { return x_path; }

  Status Write(std::string_view bytes) {
    if (x_file != nullptr && std::fwrite(bytes.data(), 1, bytes.size(), x_file) == bytes.size()) return {};
    return Error{ErrorKind::kUnavailable, "cannot write a copy of an archive: " + x_path, "see whether the disk is full", ""};
  }
  Status Close() {
    std::FILE* file = x_file;
    x_file = nullptr;
    if (file == nullptr || std::fclose(file) == 0) return {};
    return Error{ErrorKind::kUnavailable, "cannot write a copy of an archive: " + x_path, "see whether the disk is full", ""};
  }

 private:
  std::string x_path;
  std::FILE* x_file;
};

}  // namespace

void DropPutAway(const Options& stream, std::vector<PlaceFile>& files) {
  std::string folder = stream.Text("move_to", "");
  if (folder.empty()) return;
  if (!folder.ends_with('/')) folder += "/";
  std::erase_if(files, [&](const PlaceFile& file) { return file.name.starts_with(folder); });
}

Status ReadWhole(FilePlace& place, const PlaceFile& file, const std::function<bool()>& cancelled, const TakeBytes& take) {
  std::int64_t at = 0;
  for (std::size_t broken = 0;; ++broken) {
    Status taken;
    const std::int64_t from = at;
    const Status read = place.Read(file, from, [&](std::string_view bytes) {
      at += static_cast<std::int64_t>(bytes.size());
      taken = take(bytes);
      return taken;
    });
    if (!taken) return taken;
    if (read && at == file.size_bytes) return {};
    if (read || at > file.size_bytes) return Changed(file.name);
    if (at > from) broken = 0;  // it goes on, however slowly
    if (!read.error().retryable() || !PauseBeforeTry(broken, cancelled)) {
      if (cancelled && cancelled()) return Error{ErrorKind::kCancelled, "the read was cancelled", "", ""};
      return read;
    }
    // The rest of another file would be worse than none.
    const Result<PlaceFile> now = place.Stat(file.name);
    if (now && (now->size_bytes != file.size_bytes || now->modified_us != file.modified_us)) return Changed(file.name);
    if (!now) return now.error();
  }
}

Result<ReadOutcome> FilesRead::Run(std::chrono::milliseconds settle) {
  TRY_ASSIGN(x_ledger, FileLedger::Parse(x_request.cursor));
  if (x_options.Text("after_load", "keep") != "keep" && x_place.editor() == nullptr) {
    return Error{ErrorKind::kUnsupported, "files can only be read there: `after_load: " + x_options.Text("after_load", "") + "` cannot be done",
                 "write after_load: keep", ""};
  }
  TRY_ASSIGN(std::vector<PlaceFile> files, Candidates());
  TRY(Settle(files, settle));
  const std::int64_t max_files = x_options.Integer("max_files", 0);
  const std::int64_t max_bytes = x_options.Integer("max_bytes", 0);
  std::int64_t bytes = 0;
  std::int64_t taken = 0;
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (!x_sink.WantsMore()) return Cancelled();
    const bool full = (max_files > 0 && taken >= max_files) || (max_bytes > 0 && taken > 0 && bytes + files[i].size_bytes > max_bytes);
    if (full) {
      x_outcome.notes.push_back(fmt::format("{} files are left for the next run", files.size() - i));
      break;
    }
    bytes += files[i].size_bytes;
    const std::int64_t before = x_loaded;
    TRY(LoadFile(files[i]));
    if (x_loaded > before) ++taken;
  }
  x_outcome.cursor = x_ledger.ToText();
  x_outcome.unchanged = x_loaded == 0;
  return x_outcome;
}

Result<std::vector<PlaceFile>> FilesRead::Candidates() {
  const std::string glob = x_options.Text("glob", "");
  if (("/" + glob + "/").find("/../") != std::string::npos || glob.starts_with("/")) {
    return Error{ErrorKind::kInvalidArgument, "a pattern stays below the location and has no '..': " + glob, "correct `glob:`", ""};
  }
  TRY_ASSIGN(std::vector<PlaceFile> files, x_place.List(glob));
  DropPutAway(x_options, files);
  if (files.empty()) x_outcome.notes.push_back(fmt::format("no file matches {} in the location", glob));
  const std::string manifest = x_options.Text("manifest", "");
  std::erase_if(files, [&](const PlaceFile& file) {
    return x_ledger.Knows(file) || IsSideFile(file.name) || IsOfficeLock(file.name) || (!manifest.empty() && MatchesGlob(manifest, file.name));
  });
  if (!manifest.empty()) TRY(HoldAgainstManifests(files, glob));
  if (!files.empty()) {
    TRY_ASSIGN(x_side_files, SideFilesOf(x_place, glob));
  }
  return files;
}

Status FilesRead::HoldAgainstManifests(std::vector<PlaceFile>& files, const std::string& glob) {
  TRY_ASSIGN(x_manifests, ReadManifests(x_place, x_options.Text("manifest", "")));
  for (const auto& [name, promise] : x_manifests) {
    const auto here = [&](const PlaceFile& file) { return file.name == name; };
    if (!MatchesGlob(glob, name) || x_ledger.files.contains(name) || std::any_of(files.begin(), files.end(), here)) continue;
    return BrokenPromise(name, fmt::format("is not there, and manifest {} lists it", promise.manifest));
  }
  for (const PlaceFile& file : files) {
    const auto promise = x_manifests.find(file.name);
    if (promise == x_manifests.end()) {
      x_outcome.notes.push_back(file.name + " stands in no manifest: left for the next run");
    } else if (promise->second.size_bytes >= 0 && promise->second.size_bytes != file.size_bytes) {
      return BrokenPromise(file.name, fmt::format("has {} bytes, and manifest {} says {}", file.size_bytes, promise->second.manifest, promise->second.size_bytes));
    }
  }
  std::erase_if(files, [&](const PlaceFile& file) { return !x_manifests.contains(file.name); });
  return {};
}

/// Takes out the files that are still being written.
Status FilesRead::Settle(std::vector<PlaceFile>& files, std::chrono::milliseconds settle) {
  const std::int64_t settle_us = std::chrono::microseconds(settle).count();
  const auto age = [](const PlaceFile& file) { return SystemClock().Now().time_since_epoch().count() - file.modified_us; };
  std::int64_t youngest = settle_us;
  for (const PlaceFile& file : files) youngest = std::min(youngest, std::max<std::int64_t>(age(file), 0));
  const auto wake = std::chrono::steady_clock::now() + std::chrono::microseconds(settle_us - youngest);
  while (std::chrono::steady_clock::now() < wake) {
    if (!x_sink.WantsMore()) return Cancelled();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  if (youngest == settle_us) return {};
  std::vector<PlaceFile> settled;
  for (const PlaceFile& file : files) {
    const Result<PlaceFile> now = x_place.Stat(file.name);
    if (now && now->size_bytes == file.size_bytes && now->modified_us == file.modified_us) {
      settled.push_back(file);
    } else {
      x_outcome.notes.push_back(file.name + " is still being written: left for the next run");
    }
  }
  files = std::move(settled);
  return {};
}

Status FilesRead::LoadFile(const PlaceFile& file) {
  Promise promise;
  if (const auto listed = x_manifests.find(file.name); listed != x_manifests.end()) promise = listed->second;
  if (IsArchive(file.name)) return LoadArchive(file, promise);
  const auto read = [&](const TakeBytes& take) { return ReadWhole(x_place, file, [this] { return !x_sink.WantsMore(); }, take); };
  return LoadItem(Item{file, std::move(promise), read, false});
}

/// The archive is copied whole, and each member is a file of its own from there on.
Status FilesRead::LoadArchive(const PlaceFile& file, const Promise& stated) {
  Promise promise = stated;
  TRY(AddSideFiles(x_place, x_side_files, file.name, promise));
  ScratchFile copy(x_request.scratch_folder);
  Sha256 sha256;
  Md5 md5;
  TRY(ReadWhole(x_place, file, [this] { return !x_sink.WantsMore(); }, [&](std::string_view bytes) -> Status {
    if (!x_sink.WantsMore()) return Cancelled();
    sha256.Update(bytes);
    md5.Update(bytes);
    return copy.Write(bytes);
  }));
  TRY(copy.Close());
  const LedgerEntry entry{file.size_bytes, file.modified_us, sha256.Hex()};
  if ((!promise.sha256.empty() && promise.sha256 != entry.sha256) || (!promise.md5.empty() && promise.md5 != md5.Hex())) {
    return BrokenPromise(file.name, fmt::format("is not the file that {} describes; it is damaged or cut", promise.digest_by));
  }
  const auto before = x_ledger.files.find(file.name);
  const bool same = before != x_ledger.files.end() && before->second.sha256 == entry.sha256;
  const std::string twin = same ? "" : x_ledger.SameContent(file.name, entry.sha256, x_options.Boolean("hive_partitioning", false));
  if (!twin.empty()) x_outcome.notes.push_back(fmt::format("{} has the content of {}: not loaded again", file.name, twin));
  if (!same && twin.empty()) {
    TRY_ASSIGN(const std::unique_ptr<ZipArchive> archive, ZipArchive::Open(copy.path(), file.name, InflateLimits{}));
    const std::string glob = x_options.Text("members", "**");
    std::int64_t rows = 0;
    for (const ZipMember& member : archive->members()) {
      if (!MatchesGlob(glob, member.name)) continue;
      const PlaceFile inside{file.name + "/" + member.name, member.size_bytes, 0};
      TRY(LoadItem(Item{inside, Promise{}, [&](const TakeBytes& take) { return archive->Read(member, take); }, true}));
      rows += x_rows;
    }
    if (promise.rows >= 0 && promise.rows != rows) {
      return BrokenPromise(file.name, fmt::format("has {} rows, and manifest {} says {}", rows, promise.manifest, promise.rows));
    }
  }
  x_ledger.files[file.name] = entry;
  return {};
}

Result<std::string> FilesRead::DigestOf(const Item& item) const {
  Sha256 digest;
  TRY(item.read([&](std::string_view bytes) {
    digest.Update(bytes);
    return Status();
  }));
  return digest.Hex();
}

Result<bool> FilesRead::LoadedBefore(const Item& item) {
  const PlaceFile& file = item.file;
  const auto before = x_ledger.files.find(file.name);
  const bool again = before != x_ledger.files.end();
  // Only a file that may be an old one in disguise is read twice.
  if (!again && !x_ledger.SomeOfSize(file.size_bytes)) return false;
  TRY_ASSIGN(const std::string digest, DigestOf(item));
  const LedgerEntry entry{file.size_bytes, file.modified_us, digest};
  if (again && before->second.sha256 == digest) {
    x_ledger.files[file.name] = entry;
    return true;
  }
  const std::string twin = x_ledger.SameContent(file.name, digest, x_options.Boolean("hive_partitioning", false));
  if (again || twin.empty()) return false;
  x_outcome.notes.push_back(fmt::format("{} has the content of {}: not loaded again", file.name, twin));
  x_ledger.files[file.name] = entry;
  return true;
}

Status FilesRead::LoadItem(const Item& stated) {
  x_rows = 0;
  TRY_ASSIGN(const bool before, LoadedBefore(stated));
  if (before) return {};
  Item item = stated;
  if (!item.member) TRY(AddSideFiles(x_place, x_side_files, item.file.name, item.promise));
  const bool again = x_ledger.files.contains(item.file.name);
  const Promise& promise = item.promise;
  TRY(Give(item));
  x_rows = x_sink.LastRows();
  if (promise.rows >= 0 && promise.rows != x_rows) {
    return BrokenPromise(item.file.name, fmt::format("has {} rows, and manifest {} says {}", x_rows, promise.manifest, promise.rows));
  }
  x_ledger.files[item.file.name] = LedgerEntry{item.file.size_bytes, item.file.modified_us, x_sink.LastDigest()};
  if (again) x_sink.Replaces(item.file.name);
  ++x_loaded;
  return {};
}

/// The bytes into the sink, which begins once there are enough of them to tell the format.
Status FilesRead::Give(const Item& item) {
  const std::string& name = item.file.name;
  std::string head;
  bool begun = false;
  const auto begin = [&]() -> Status {
    begun = true;
    TRY_ASSIGN(const ChunkFormat format, FormatOf(name, head));
    if (item.promise.rows >= 0 && format.kind == "parquet") {
      return Error{ErrorKind::kUnsupported, "a manifest's row count is not held against Parquet files: " + name, "leave `rows` out there; sha256 tells more", ""};
    }
    TRY(x_sink.Begin(name, format));
    return head.empty() ? Status() : x_sink.Append(head);
  };
  Md5 md5;
  TRY(item.read([&](std::string_view bytes) -> Status {
    if (!item.promise.md5.empty()) md5.Update(bytes);
    if (begun) return x_sink.Append(bytes);
    head.append(bytes);
    return head.size() < kHeadBytes ? Status() : begin();
  }));
  if (!begun) TRY(begin());
  // A wrong checksum explains what the parse would only suffer from, so it is named first.
  const Status ended = x_sink.End();
  const Error wrong = BrokenPromise(name, fmt::format("is not the file that {} describes; it is damaged or cut", item.promise.digest_by));
  if (!item.promise.md5.empty() && md5.Hex() != item.promise.md5) return wrong;
  if (item.promise.sha256.empty()) return ended;
  const Result<std::string> digest = ended ? Result<std::string>(x_sink.LastDigest()) : DigestOf(item);
  if (digest && *digest != item.promise.sha256) return wrong;
  return ended;
}

Result<ChunkFormat> FilesRead::FormatOf(const std::string& name, const std::string& head) {
  ChunkFormat format;
  format.compression = CompressionOf(head);
  const std::string asked = x_options.Text("format", "auto");
  format.kind = asked == "auto" ? KindOfName(name) : asked == "tsv" ? "csv" : asked;
  if (format.kind.empty()) {
    return Error{ErrorKind::kInvalidArgument, "the extension does not tell the format of " + name,
                 "write `format:` for the stream: csv, tsv, ndjson, json, parquet or xlsx; or have `glob:` (in archives, `members:`) leave it out", ""};
  }
  if (format.kind == "parquet") format.compression = "none";
  if (format.kind == "xlsx") TRY(Workbook(name, format));
  if (x_options.Boolean("hive_partitioning", false)) {
    if (format.kind != "parquet") {
      return Error{ErrorKind::kUnsupported, fmt::format("`hive_partitioning` is for Parquet files, and {} is {}", name, format.kind),
                   "take it out of the stream, or change its `glob:`", ""};
    }
    format.partition_values = PartitionValuesOf(name);
  }
  format.trailer = x_options.Text("trailer", "");
  if (!format.trailer.empty() && format.kind != "csv" && format.kind != "ndjson") {
    return Error{ErrorKind::kUnsupported, fmt::format("`trailer` is for CSV and NDJSON, and {} is {}", name, format.kind), "take it out of the stream", ""};
  }
  if (format.kind == "json") format.selector = DottedPath(x_options.Text("data_selector", ""));
  if (format.kind == "csv") TRY(Dialect(name, PlainHead(head, format.compression, kHeadBytes), format));
  return format;
}

Status FilesRead::Workbook(const std::string& name, ChunkFormat& format) const {
  if (format.compression != "none") {
    return Error{ErrorKind::kUnsupported, fmt::format("{} is compressed by {}; an Excel file is a zip archive in itself", name, format.compression),
                 "have it delivered as it is", ""};
  }
  format.selector = {x_options.Text("sheet", ""), x_options.Text("range", "")};
  format.header = x_options.Boolean("header", true);
  if (!format.header) format.columns = x_options.Texts("column_names");
  return {};
}

Status FilesRead::Dialect(const std::string& name, const std::string& head, ChunkFormat& format) {
  format.quote = x_options.Text("quote", "\"");
  if (format.quote == "none") format.quote.clear();
  format.escape = x_options.Text("escape", format.quote);
  format.encoding = x_options.Text("encoding", "utf-8");
  format.header = x_options.Boolean("header", true);
  const bool tabs = x_options.Text("format", "auto") == "tsv" || IsTabbedName(name);
  format.delimiter = x_options.Text("delimiter", tabs ? "\t" : x_ledger.delimiter);
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
                 fmt::format("`column_names` has {} names, the first line of {} has {} fields", format.columns.size(), name, fields),
                 "correct `column_names:` or `delimiter:`", ""};
  }
  return {};
}

}  // namespace caudal
