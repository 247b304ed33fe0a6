// The beginning of a read, for a look at it: a source is stopped once enough has come. Used by one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "connect/chunk.h"

namespace caudal {

class SampleSink final : public ChunkSink {
 public:
  /// `to` outlives it. It gets whole records: of plain CSV and NDJSON the first megabyte, of anything else the first objects.
  explicit SampleSink(ChunkSink& to) : x_to(to) {}

  Status Begin(std::string_view origin, const ChunkFormat& format) override;
  Status Append(std::string_view bytes) override;
  Status EndPage(std::string_view url, std::string_view members) override;
  Status End() override;
  std::string LastDigest() const override { return x_to.LastDigest(); }
  std::int64_t LastRows() const override { return x_to.LastRows(); }
  void Replaces(std::string_view /*origin*/) override {}
  bool WantsMore() const override { return !x_full && x_to.WantsMore(); }

  /// The source was stopped: the error that it gives then is none.
  bool full() const { return x_full; }

 private:
  Status Close();
  Status Stop();

  ChunkSink& x_to;
  bool x_full = false;
  bool x_lines = false;  // the open chunk can be cut at a line's end
  std::string x_held;    // of a chunk that can
  int x_chunks = 0;
};

}  // namespace caudal
