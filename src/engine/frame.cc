#include "engine/frame.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace caudal {
namespace {

Error Malformed(std::string why) {
  return Error{ErrorKind::kCorruption, "malformed frame from the other process: " + why, "", ""};
}

}  // namespace

Result<std::string> EncodeFrame(FrameType type, std::string_view payload) {
  if (payload.size() > kMaxFrameBytes) {
    return Error{
        ErrorKind::kInvalidArgument,
        fmt::format("a message to or from a worker may have {} bytes; this one has {}", kMaxFrameBytes, payload.size()),
        "ask for fewer rows or files at once", ""};
  }
  std::string out;
  out.reserve(kFrameHeaderBytes + payload.size());
  const auto length = static_cast<std::uint32_t>(payload.size());
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>((length >> shift) & 0xff));
  out.push_back(static_cast<char>(type));
  out.append(payload);
  return out;
}

void FrameDecoder::Feed(std::string_view bytes) {
  if (x_error) return;
  if (x_begin > 0) {
    x_buffer.erase(0, x_begin);
    x_begin = 0;
  }
  x_buffer.append(bytes);
}

Result<std::optional<Frame>> FrameDecoder::Next() {
  if (x_error) return *x_error;
  if (x_buffer.size() - x_begin < kFrameHeaderBytes) return std::optional<Frame>();
  std::uint32_t length = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    length |= std::uint32_t{static_cast<unsigned char>(x_buffer[x_begin + i])} << (8 * i);
  }
  const auto type = static_cast<unsigned char>(x_buffer[x_begin + 4]);
  if (length > kMaxFrameBytes) {
    x_error = Malformed(fmt::format("length {} is above the limit of {}", length, kMaxFrameBytes));
  } else if (type < static_cast<unsigned char>(FrameType::kReady) ||
             type > static_cast<unsigned char>(FrameType::kError)) {
    x_error = Malformed(fmt::format("type {} is none of 1 to 5", type));
  }
  if (x_error) {
    x_buffer.clear();
    x_begin = 0;
    return *x_error;
  }
  if (x_buffer.size() - x_begin < kFrameHeaderBytes + length) return std::optional<Frame>();
  Frame frame{static_cast<FrameType>(type), x_buffer.substr(x_begin + kFrameHeaderBytes, length)};
  x_begin += kFrameHeaderBytes + length;
  return std::optional<Frame>(std::move(frame));
}

Status FrameDecoder::Finish() const {
  if (x_error) return *x_error;
  if (x_buffer.size() > x_begin) {
    return Malformed(fmt::format("the stream ends {} bytes into a frame", x_buffer.size() - x_begin));
  }
  return {};
}

Status WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      return Error{ErrorKind::kUnavailable, fmt::format("cannot write to the other process: {}", std::strerror(errno)),
                   "", ""};
    }
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

Status WriteFrame(int fd, FrameType type, std::string_view payload) {
  TRY_ASSIGN(const std::string bytes, EncodeFrame(type, payload));
  return WriteAll(fd, bytes);
}

Result<std::optional<Frame>> ReadFrame(int fd, FrameDecoder& decoder) {
  char buffer[65536];
  for (;;) {
    TRY_ASSIGN(std::optional<Frame> frame, decoder.Next());
    if (frame) return frame;
    const ssize_t n = ::recv(fd, buffer, sizeof buffer, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      return Error{ErrorKind::kUnavailable, fmt::format("cannot read from the other process: {}", std::strerror(errno)),
                   "", ""};
    }
    if (n == 0) {
      TRY(decoder.Finish());
      return std::optional<Frame>();
    }
    decoder.Feed(std::string_view(buffer, static_cast<std::size_t>(n)));
  }
}

}  // namespace caudal
