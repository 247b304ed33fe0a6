#include "connect/replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/json.h"
#include "connect/dialect.h"

namespace caudal {
namespace {

/// Takes the container of docs/formats/raw.md apart again.
class PageReader {
 public:
  PageReader(std::string key, ChunkSink& sink) : x_key(std::move(key)), x_sink(sink) {}

  Status Feed(std::string_view bytes) {
    while (!bytes.empty()) {
      if (x_state == State::kHead) {
        const std::size_t end = bytes.find('\n');
        x_head.append(bytes.substr(0, end));
        if (x_head.size() > kMaxHead) return Broken();
        if (end == std::string_view::npos) return {};
        bytes.remove_prefix(end + 1);
        TRY(TakeHead());
      } else if (x_left > 0) {
        const std::size_t n = std::min(x_left, bytes.size());
        TRY(x_sink.Append(bytes.substr(0, n)));
        bytes.remove_prefix(n);
        x_left -= n;
      } else {
        if (bytes[0] != '\n') return Broken();
        bytes.remove_prefix(1);
        TRY(x_sink.EndPage(x_url, x_members));
        x_state = State::kHead;
      }
    }
    return {};
  }

  Status Finish() const {
    if (x_state == State::kHead && x_head.empty()) return {};
    return Broken();
  }

 private:
  enum class State { kHead, kBody };
  static constexpr std::size_t kMaxHead = std::size_t{1} << 20;

  Error Broken() const {
    return Error{ErrorKind::kCorruption, "a raw object of pages is damaged: " + x_key, "restore it from a copy", ""};
  }

  Status TakeHead() {
    const Result<Json> head = ParseJson(x_head, x_key);
    if (!head || !head->is_object() || JsonInt(*head, "bytes", -1) < 0) return Broken();
    x_url = JsonString(*head, "url", "");
    const std::string with = head->contains("with") ? DumpJson((*head)["with"]) : "{}";
    x_members = with.substr(1, with.size() - 2);
    x_left = static_cast<std::size_t>(JsonInt(*head, "bytes", 0));
    x_head.clear();
    x_state = State::kBody;
    return {};
  }

  std::string x_key;
  ChunkSink& x_sink;
  State x_state = State::kHead;
  std::string x_head;
  std::string x_url;
  std::string x_members;
  std::size_t x_left = 0;
};

Status ReplayBytes(const ReplayRequest::Object& object, std::FILE* file, StagingSink& sink) {
  std::unique_ptr<Inflater> inflater;
  // What came plain was stored as zstd; what came compressed is as it came.
  if (object.format.compression == "none" && !CompressedWithin(object.format.kind)) {
    TRY_ASSIGN(inflater, MakeInflater("zstd", object.key, InflateLimits{std::int64_t{1} << 42, 1e9, 0}));
  }
  PageReader pages(object.key, sink);
  const bool paged = object.format.kind == "pages";
  const auto forward = [&](std::string_view bytes) { return paged ? pages.Feed(bytes) : sink.Append(bytes); };
  std::string buffer(std::size_t{1} << 20, '\0');
  for (std::size_t n; (n = std::fread(buffer.data(), 1, buffer.size(), file)) > 0;) {
    const std::string_view bytes = std::string_view(buffer).substr(0, n);
    if (inflater != nullptr) {
      TRY(inflater->Feed(bytes, forward));
    } else {
      TRY(forward(bytes));
    }
  }
  if (inflater != nullptr) TRY(inflater->Finish());
  return paged ? pages.Finish() : Status();
}

}  // namespace

Result<StagedRead> Replay(const ReplayRequest& request, StagingOptions options) {
  options.store_raw = false;
  StagingSink sink(std::move(options));
  for (const ReplayRequest::Object& object : request.objects) {
    sink.SetRawPath(object.path);
    TRY(sink.Begin(object.origin, object.format));
    std::FILE* file = std::fopen(object.path.c_str(), "rbe");
    if (file == nullptr) {
      const ErrorKind kind = errno == ENOENT ? ErrorKind::kNotFound : ErrorKind::kPermission;
      return Error{kind, fmt::format("cannot read a raw object: {}: {}", std::strerror(errno), object.key),
                   "restore it from a copy", ""};
    }
    Status status = ReplayBytes(object, file, sink);
    std::fclose(file);
    if (status) status = sink.End();
    if (!status) {
      Error error = std::move(status).error();
      error.message = "raw object " + object.key + ": " + error.message;
      if (error.kind == ErrorKind::kCorruption) error.next = "restore it from a copy";
      return error;
    }
  }
  TRY_ASSIGN(StagedRead read, sink.Finish());
  for (std::size_t i = 0; i < request.objects.size(); ++i) {
    const ReplayRequest::Object& object = request.objects[i];
    if (object.sha256 == read.chunks[i].sha256) continue;
    return Error{ErrorKind::kCorruption, "a raw object is not the one that was committed (SHA-256 differs): " + object.key,
                 "restore it from a copy", ""};
  }
  return read;
}

}  // namespace caudal
