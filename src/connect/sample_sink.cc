#include "connect/sample_sink.h"

namespace caudal {
namespace {

constexpr std::size_t kEnoughBytes = std::size_t{1} << 20;
constexpr int kEnoughChunks = 3;

}  // namespace

Status SampleSink::Begin(std::string_view origin, const ChunkFormat& format) {
  if (x_full) return Stop();
  x_lines = (format.kind == "csv" || format.kind == "ndjson") && format.compression == "none";
  x_held.clear();
  return x_to.Begin(origin, format);
}

Status SampleSink::Append(std::string_view bytes) {
  if (!x_lines) return x_to.Append(bytes);
  x_held += bytes;
  if (x_held.size() <= kEnoughBytes) return {};
  const std::size_t end = x_held.rfind('\n', kEnoughBytes);
  if (end == std::string::npos) return {};
  x_held.resize(end + 1);
  TRY(Close());
  return Stop();
}

Status SampleSink::EndPage(std::string_view url, std::string_view members) {
  TRY(x_to.EndPage(url, members));
  TRY(x_to.End());
  return Stop();
}

Status SampleSink::End() {
  TRY(Close());
  x_full = ++x_chunks >= kEnoughChunks;
  return {};
}

Status SampleSink::Close() {
  if (x_lines && !x_held.empty()) TRY(x_to.Append(x_held));
  x_held.clear();
  return x_to.End();
}

Status SampleSink::Stop() {
  x_full = true;
  return Error{ErrorKind::kCancelled, "the sample is full", "", ""};
}

}  // namespace caudal
