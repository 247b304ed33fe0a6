// Streaming decompression of what came compressed. Not thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace caudal {

struct InflateLimits {
  std::int64_t max_bytes = std::int64_t{1} << 40;
  /// Above `ratio_from_bytes`, more than this many bytes from one is taken for an attack.
  double max_ratio = 300;
  std::int64_t ratio_from_bytes = std::int64_t{64} << 20;
};

class Inflater {
 public:
  using Out = std::function<Status(std::string_view)>;
  virtual ~Inflater() = default;
  /// Errors: kCorruption where the bytes are broken or expand beyond the limits; what `out` says.
  virtual Status Feed(std::string_view bytes, const Out& out) = 0;
  /// Errors: kCorruption where the stream is not at its end.
  virtual Status Finish() = 0;
};

/// `compression`: "gzip" or "zstd"; of HTTP bodies also "zlib" and "deflate" (without a head). `what` names the bytes in errors.
Result<std::unique_ptr<Inflater>> MakeInflater(std::string_view compression, std::string what, InflateLimits limits);

}  // namespace caudal
