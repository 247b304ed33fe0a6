// The sink of an extract worker: each chunk becomes a raw file, and in the same pass the records of its format.
// Used by one thread. Formats: docs/formats/raw.md.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "connect/chunk.h"
#include "connect/inflate.h"
#include "connect/raw_file.h"
#include "connect/staged_batches.h"
#include "connect/trailer.h"

namespace caudal {

struct StagingOptions {
  std::string folder;  // exists
  /// False for a replay: the raw object exists already.
  bool store_raw = true;
  InflateLimits inflate;
  std::int64_t max_record_bytes = std::int64_t{64} << 20;
  std::int64_t max_page_bytes = std::int64_t{64} << 20;
  std::function<bool()> cancelled;                  // may be empty
  std::function<void(std::int64_t rows)> progress;  // may be empty; rows split so far, of all chunks
};

class StagingSink final : public ChunkSink {
 public:
  explicit StagingSink(StagingOptions options);
  ~StagingSink() override;

  Status Begin(std::string_view origin, const ChunkFormat& format) override;
  Status Append(std::string_view bytes) override;
  Status EndPage(std::string_view url, std::string_view members) override;
  Status End() override;
  std::string LastDigest() const override { return x_read.chunks.back().sha256; }
  std::int64_t LastRows() const override { return x_read.chunks.back().rows; }
  void Replaces(std::string_view origin) override;
  bool WantsMore() const override;

  /// For a replay, before Begin: where the raw object lies.
  void SetRawPath(std::string path) { x_raw_path = std::move(path); }
  /// Everything staged so far; the sink is done.
  Result<StagedRead> Finish();

 private:
  Status Parse(std::string_view bytes);
  Status Split(std::string_view plain);
  Status EndParquet();
  void TellProgress() const;

  StagingOptions x_options;
  StagedRead x_read;
  StagedBatches x_batches;
  std::string x_raw_path;
  std::unique_ptr<RawFile> x_raw;
  std::unique_ptr<Inflater> x_inflater;
  std::unique_ptr<Splitter> x_splitter;
  std::optional<Trailer> x_trailer;
  ChunkFormat x_format;  // of the open chunk
  std::string x_page;
};

}  // namespace caudal
