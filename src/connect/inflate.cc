#include "connect/inflate.h"

#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include <vector>

namespace caudal {
namespace {

constexpr std::size_t kOutBytes = std::size_t{256} << 10;

/// Counts both sides and refuses bombs.
class Meter {
 public:
  Meter(std::string what, InflateLimits limits) : x_what(std::move(what)), x_limits(limits) {}

  Status Count(std::size_t in, std::size_t out) {
    x_in += static_cast<std::int64_t>(in);
    x_out += static_cast<std::int64_t>(out);
    const bool expands = x_out > x_limits.ratio_from_bytes &&
                         static_cast<double>(x_out) > x_limits.max_ratio * static_cast<double>(x_in);
    if (!expands && x_out <= x_limits.max_bytes) return {};
    return Broken(fmt::format("expands to more than {} bytes from {}: refused as a decompression bomb",
                              x_out, x_in));
  }

  Error Broken(const std::string& why) const {
    return Error{ErrorKind::kCorruption, fmt::format("{} {}", x_what, why), "ask for the file again", ""};
  }

 private:
  std::string x_what;
  InflateLimits x_limits;
  std::int64_t x_in = 0;
  std::int64_t x_out = 0;
};

class GzipInflater final : public Inflater {
 public:
  GzipInflater(std::string what, InflateLimits limits) : x_meter(std::move(what), limits), x_out(kOutBytes) {}
  ~GzipInflater() override { inflateEnd(&x_stream); }

  /// As zlib counts: 31 gzip, 15 zlib, -15 neither head nor checksum.
  Status Begin(int window_bits) {
    if (inflateInit2(&x_stream, window_bits) == Z_OK) return {};
    return Error{ErrorKind::kInternal, "zlib does not start", "", ""};
  }

  Status Feed(std::string_view bytes, const Out& out) override {
    x_stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    x_stream.avail_in = static_cast<uInt>(bytes.size());
    TRY(x_meter.Count(bytes.size(), 0));
    while (x_stream.avail_in > 0) {
      if (x_at_end) {
        if (*x_stream.next_in == 0) {  // padding behind the last member
          ++x_stream.next_in;
          --x_stream.avail_in;
          continue;
        }
        inflateReset(&x_stream);
        x_at_end = false;
      }
      TRY(Step(out));
    }
    return {};
  }

  Status Finish() override {
    if (x_at_end) return {};
    return x_meter.Broken("is cut: its gzip stream ends early");
  }

 private:
  Status Step(const Out& out) {
    do {
      x_stream.next_out = reinterpret_cast<Bytef*>(x_out.data());
      x_stream.avail_out = static_cast<uInt>(x_out.size());
      const int code = inflate(&x_stream, Z_NO_FLUSH);
      if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
        return x_meter.Broken(fmt::format("is no valid gzip: {}", x_stream.msg != nullptr ? x_stream.msg : "damaged"));
      }
      const std::size_t made = x_out.size() - x_stream.avail_out;
      TRY(x_meter.Count(0, made));
      if (made > 0) TRY(out(std::string_view(x_out.data(), made)));
      if (code == Z_STREAM_END) {
        x_at_end = true;
        return {};
      }
    } while (x_stream.avail_out == 0);
    return {};
  }

  Meter x_meter;
  z_stream x_stream{};
  std::vector<char> x_out;
  bool x_at_end = false;
};

class ZstdInflater final : public Inflater {
 public:
  ZstdInflater(std::string what, InflateLimits limits)
      : x_meter(std::move(what), limits), x_context(ZSTD_createDCtx()), x_out(kOutBytes) {
    ZSTD_DCtx_setParameter(x_context, ZSTD_d_windowLogMax, 27);
  }
  ~ZstdInflater() override { ZSTD_freeDCtx(x_context); }

  Status Feed(std::string_view bytes, const Out& out) override {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    TRY(x_meter.Count(bytes.size(), 0));
    bool full = false;
    while (in.pos < in.size || full) {
      ZSTD_outBuffer made{x_out.data(), x_out.size(), 0};
      const std::size_t code = ZSTD_decompressStream(x_context, &made, &in);
      if (ZSTD_isError(code) != 0) return x_meter.Broken(fmt::format("is no valid zstd: {}", ZSTD_getErrorName(code)));
      x_at_end = code == 0;
      full = made.pos == made.size && code != 0;
      TRY(x_meter.Count(0, made.pos));
      if (made.pos > 0) TRY(out(std::string_view(x_out.data(), made.pos)));
    }
    return {};
  }

  Status Finish() override {
    if (x_at_end) return {};
    return x_meter.Broken("is cut: its zstd stream ends early");
  }

 private:
  Meter x_meter;
  ZSTD_DCtx* x_context;
  std::vector<char> x_out;
  bool x_at_end = false;
};

}  // namespace

Result<std::unique_ptr<Inflater>> MakeInflater(std::string_view compression, std::string what, InflateLimits limits) {
  if (compression == "gzip" || compression == "zlib" || compression == "deflate") {
    auto inflater = std::make_unique<GzipInflater>(std::move(what), limits);
    TRY(inflater->Begin(compression == "gzip" ? 15 + 16 : compression == "zlib" ? 15 : -15));
    return std::unique_ptr<Inflater>(std::move(inflater));
  }
  if (compression == "zstd") {
    return std::unique_ptr<Inflater>(std::make_unique<ZstdInflater>(std::move(what), limits));
  }
  return Error{ErrorKind::kUnsupported,
               "no such compression (there are: none, gzip, zstd): " + std::string(compression), "", ""};
}

}  // namespace caudal
