// Frames between a worker and its parent: length, type, payload. docs/formats/worker-protocol.md.
// FrameDecoder is not thread-safe; the functions are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace caudal {

enum class FrameType : std::uint8_t {
  kReady = 1,
  kJob = 2,
  kProgress = 3,
  kResult = 4,
  kError = 5,
};

struct Frame {
  FrameType type = FrameType::kError;
  std::string payload;
};

inline constexpr std::size_t kMaxFrameBytes = std::size_t{128} << 20;
inline constexpr std::size_t kFrameHeaderBytes = 5;

/// Errors: kInvalidArgument where the payload is longer than kMaxFrameBytes.
Result<std::string> EncodeFrame(FrameType type, std::string_view payload);

/// Cuts a stream of bytes into frames. After an error it stays in error.
class FrameDecoder {
 public:
  void Feed(std::string_view bytes);
  /// The next whole frame; absent where more bytes are needed. Errors: kCorruption.
  Result<std::optional<Frame>> Next();
  /// To be called at the end of the stream. Errors: kCorruption where it ends inside a frame.
  Status Finish() const;

 private:
  std::string x_buffer;
  std::size_t x_begin = 0;
  std::optional<Error> x_error;
};

/// Writes all of `bytes` to a blocking socket; a closed peer is an error, never a signal. Errors: kUnavailable.
Status WriteAll(int fd, std::string_view bytes);
/// Encodes and writes. Errors: kInvalidArgument (too long), kUnavailable.
Status WriteFrame(int fd, FrameType type, std::string_view payload);
/// Blocks for the next frame of a blocking socket; absent at the end of the stream. Errors: kCorruption, kUnavailable.
Result<std::optional<Frame>> ReadFrame(int fd, FrameDecoder& decoder);

}  // namespace caudal
