#include "connect/staging_sink.h"

#include <fmt/format.h>

#include <cstdio>

#include "base/json.h"
#include "connect/dialect.h"
#include "connect/excel_table.h"
#include "connect/singer_message.h"

namespace caudal {
namespace {

std::string ExtensionOf(const ChunkFormat& format) {
  if (CompressedWithin(format.kind)) return format.kind;
  return format.kind + (format.compression == "gzip" ? ".gz" : ".zst");
}

}  // namespace

StagingSink::StagingSink(StagingOptions options) : x_options(std::move(options)), x_batches(x_options.folder) {}
StagingSink::~StagingSink() = default;

Status StagingSink::Begin(std::string_view origin, const ChunkFormat& format) {
  CHECK(x_raw == nullptr, "chunks do not overlap");
  x_format = format;
  StagedChunk chunk;
  chunk.origin = std::string(origin);
  chunk.extension = ExtensionOf(format);
  chunk.raw_path = x_options.store_raw
                       ? fmt::format("{}/raw-{}.{}", x_options.folder, x_read.chunks.size(), chunk.extension)
                       : x_raw_path;
  const bool compress = format.compression == "none" && !CompressedWithin(format.kind);
  x_inflater = nullptr;
  if (format.compression != "none") {
    TRY_ASSIGN(x_inflater, MakeInflater(format.compression, chunk.origin, x_options.inflate));
  }
  SplitTarget target;
  target.batches = &x_batches;
  target.origin = chunk.origin;
  target.chunk = static_cast<std::int64_t>(x_read.chunks.size());
  target.max_record_bytes = x_options.max_record_bytes;
  const std::string& records = format.kind == "pages" ? format.body : format.kind;
  if (records == "csv") {
    x_splitter = MakeCsvSplitter(target, x_format);
  } else if (records == "ndjson") {
    x_splitter = MakeLineSplitter(target);
  } else if (records == "json") {
    x_splitter = MakeJsonSplitter(target, format.selector);
  } else if (records == "singer") {
    x_splitter = MakeSingerSplitter(target, format.selector.empty() ? "" : format.selector[0]);
  } else if (CompressedWithin(format.kind)) {
    x_splitter = nullptr;  // they are read once they are whole
  } else {
    return Error{ErrorKind::kUnsupported, "no such format (there are: csv, ndjson, json, parquet, xlsx, singer): " + records, "", ""};
  }
  if (x_options.store_raw) {
    TRY_ASSIGN(x_raw, RawFile::Open(chunk.raw_path, compress));
  } else {
    x_raw = RawFile::DigestOnly();
  }
  x_trailer.reset();
  if (!format.trailer.empty() && x_splitter != nullptr) x_trailer.emplace(format.trailer, chunk.origin);
  x_read.chunks.push_back(std::move(chunk));
  x_page.clear();
  return {};
}

Status StagingSink::Parse(std::string_view bytes) {
  if (x_splitter == nullptr) return {};
  if (x_inflater == nullptr) return Split(bytes);
  return x_inflater->Feed(bytes, [this](std::string_view plain) { return Split(plain); });
}

Status StagingSink::Split(std::string_view plain) {
  if (!x_trailer) return x_splitter->Feed(plain);
  return x_trailer->Feed(plain, [this](std::string_view before) { return x_splitter->Feed(before); });
}

Status StagingSink::Append(std::string_view bytes) {
  if (!WantsMore()) return Error{ErrorKind::kCancelled, "the read was cancelled", "", ""};
  if (x_format.kind != "pages") {
    TRY(x_raw->Append(bytes));
    TRY(Parse(bytes));
    TellProgress();
    return {};
  }
  x_page.append(bytes);
  if (static_cast<std::int64_t>(x_page.size()) <= x_options.max_page_bytes) return {};
  return Error{ErrorKind::kCorruption, fmt::format("a page of {} has more than {} bytes", x_read.chunks.back().origin,
                                                   x_options.max_page_bytes),
               "ask for smaller pages", ""};
}

Status StagingSink::EndPage(std::string_view url, std::string_view members) {
  CHECK(x_format.kind == "pages", "only `pages` has pages");
  Json head{{"url", std::string(url)}, {"bytes", x_page.size()}};
  if (!members.empty()) {
    TRY_ASSIGN(head["with"], ParseJson("{" + std::string(members) + "}", "what a page's records get besides"));
  }
  if (x_splitter != nullptr) x_splitter->set_members(std::string(members));
  TRY(x_raw->Append(DumpJson(head) + "\n"));
  TRY(x_raw->Append(x_page));
  TRY(x_raw->Append("\n"));
  TRY(Parse(x_page));
  x_page.clear();
  TRY(x_splitter->EndBody());
  TellProgress();
  return {};
}

void StagingSink::TellProgress() const {
  if (!x_options.progress || x_splitter == nullptr) return;
  std::int64_t rows = x_splitter->records();
  for (const StagedChunk& chunk : x_read.chunks) rows += chunk.rows;  // 0 for the open one
  x_options.progress(rows);
}

Status StagingSink::End() {
  StagedChunk& chunk = x_read.chunks.back();
  CHECK(x_page.empty(), "EndPage comes before End");
  if (x_inflater != nullptr) TRY(x_inflater->Finish());
  if (x_splitter != nullptr) {
    if (x_format.kind != "pages") TRY(x_splitter->EndBody());
    chunk.rows = x_splitter->records();
    if (x_trailer) TRY(x_trailer->Check(chunk.rows));
  }
  TRY_ASSIGN(RawDigest digest, x_raw->Finish());
  x_raw = nullptr;
  x_splitter = nullptr;
  chunk.sha256 = std::move(digest.sha256);
  chunk.size_bytes = digest.size_bytes;
  chunk.stored_bytes = digest.stored_bytes;
  if (x_format.kind == "xlsx") {
    SplitTarget target;
    target.batches = &x_batches;
    target.origin = chunk.origin;
    target.chunk = static_cast<std::int64_t>(x_read.chunks.size()) - 1;
    std::int64_t before = 0;
    for (const StagedChunk& one : x_read.chunks) before += one.rows;
    ExcelRead read{chunk.raw_path, x_options.folder, x_options.inflate, [this] { return WantsMore(); }, {}};
    if (x_options.progress) read.progress = [this, before](std::int64_t rows) { x_options.progress(before + rows); };
    TRY_ASSIGN(chunk.rows, ReadExcel(read, target, x_format));
  }
  chunk.format = x_format;
  if (x_format.kind == "parquet") return EndParquet();
  return {};
}

Status StagingSink::EndParquet() {
  const StagedChunk& chunk = x_read.chunks.back();
  const auto broken = [&](const char* why) {
    return Error{ErrorKind::kCorruption, fmt::format("{} {}", chunk.origin, why), "ask for the file again", ""};
  };
  std::FILE* file = std::fopen(chunk.raw_path.c_str(), "rbe");
  if (file == nullptr) return Error{ErrorKind::kInternal, "cannot read a staged file: " + chunk.raw_path, "", ""};
  char head[4] = {};
  char tail[4] = {};
  const bool read = std::fread(head, 1, 4, file) == 4 && std::fseek(file, -4, SEEK_END) == 0 &&
                    std::fread(tail, 1, 4, file) == 4;
  std::fclose(file);
  if (!read || std::string_view(head, 4) != "PAR1") return broken("is no Parquet file");
  if (chunk.size_bytes < 12 || std::string_view(tail, 4) != "PAR1") return broken("is cut: its Parquet footer is missing");
  x_batches.AddParquet(chunk.raw_path, static_cast<std::int64_t>(x_read.chunks.size()) - 1, x_format);
  return {};
}

void StagingSink::Replaces(std::string_view origin) {
  x_read.replaces[std::string(origin)] = static_cast<std::int64_t>(x_read.chunks.size()) - 1;
}

bool StagingSink::WantsMore() const { return !x_options.cancelled || !x_options.cancelled(); }

Result<StagedRead> StagingSink::Finish() {
  TRY(x_batches.Finish(x_read));
  return std::move(x_read);
}

}  // namespace caudal
