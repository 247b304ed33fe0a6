#include "connect/staged_batches.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/json.h"

namespace caudal {
namespace {

constexpr std::size_t kMaxRejectText = std::size_t{1} << 20;

Error FileError(const char* what, const std::string& path) {
  const int number = errno;
  const ErrorKind kind = number == ENOSPC || number == EDQUOT ? ErrorKind::kUnavailable
                         : number == EACCES || number == EPERM ? ErrorKind::kPermission
                                                               : ErrorKind::kInternal;
  return Error{kind, fmt::format("cannot {} a staging file: {}: {}", what, std::strerror(number), path),
               number == ENOSPC ? "free space on the disk, then run again" : "", ""};
}

}  // namespace

AppendFile::~AppendFile() {
  if (x_fd >= 0) ::close(x_fd);
}

Status AppendFile::Open(const std::string& path) {
  x_path = path;
  x_buffer.reserve(kBufferBytes + (kBufferBytes >> 2));
  x_fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (x_fd < 0) return FileError("create", path);
  return {};
}

Status AppendFile::Flush() {
  std::string_view left = x_buffer;
  while (!left.empty()) {
    const ssize_t n = ::write(x_fd, left.data(), left.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return FileError("write", x_path);
    left.remove_prefix(static_cast<std::size_t>(n));
  }
  x_buffer.clear();
  return {};
}

Status AppendFile::Write(std::string_view bytes) {
  x_buffer.append(bytes);
  return Drain();
}

Status AppendFile::Close() {
  if (x_fd < 0) return {};
  TRY(Flush());
  const int fd = x_fd;
  x_fd = -1;
  if (::close(fd) != 0) return FileError("close", x_path);
  return {};
}

Status StagedBatches::Select(const StagedBatch& like) {
  const auto same = [&](const StagedBatch& batch) {
    return batch.kind == like.kind && batch.columns == like.columns && batch.delimiter == like.delimiter &&
           batch.quote == like.quote && batch.escape == like.escape;
  };
  const auto found = std::find_if(x_batches.begin(), x_batches.end(), same);
  const auto index = static_cast<std::size_t>(found - x_batches.begin());
  if (found == x_batches.end()) {
    x_batches.push_back(like);
    x_batches.back().facts.resize(like.columns.size());
    x_batches.back().path =
        fmt::format("{}/batch-{}.{}", x_folder, index, like.kind == "csv" ? "csv" : "lines");
  } else if (index == x_current && x_file.open()) {
    return {};
  }
  TRY(x_file.Close());
  x_current = index;
  return x_file.Open(x_batches[index].path);
}

Status StagedBatches::SelectCsv(const std::vector<std::string>& columns, const ChunkFormat& format) {
  StagedBatch like;
  like.kind = "csv";
  like.columns = columns;
  like.delimiter = format.delimiter;
  like.quote = format.quote;
  like.escape = format.escape;
  return Select(like);
}

Status StagedBatches::SelectLines() {
  StagedBatch like;
  like.kind = "ndjson";
  return Select(like);
}

void StagedBatches::AddParquet(const std::string& path, std::int64_t chunk, const ChunkFormat& format) {
  StagedBatch& batch = x_batches.emplace_back();
  batch.kind = "parquet";
  batch.path = path;
  batch.first_chunk = chunk;
  batch.partition_values = format.partition_values;
  batch.numbered = format.numbered;
}

Status StagedBatches::Reject(const SplitReject& reject) {
  if (!x_rejects.open()) {
    x_rejects_path = x_folder + "/rejects.ndjson";
    TRY(x_rejects.Open(x_rejects_path));
  }
  ++x_rejected;
  std::string text = reject.text.substr(0, kMaxRejectText);
  if (ValidUtf8Prefix(text) < text.size()) text = Latin1ToUtf8(text);
  const Json line{{"chunk", reject.chunk}, {"row", reject.row}, {"reason", reject.reason}, {"text", text}};
  return x_rejects.Write(DumpJson(line) + "\n");
}

Status StagedBatches::Finish(StagedRead& read) {
  TRY(x_file.Close());
  TRY(x_rejects.Close());
  read.batches = std::move(x_batches);
  read.rejects_path = x_rejects_path;
  read.rejected = x_rejected;
  return {};
}

std::size_t ValidUtf8Prefix(std::string_view bytes) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  std::size_t i = 0;
  while (i < bytes.size()) {
    std::uint64_t eight = 0;
    if (i + 8 <= bytes.size()) {
      std::memcpy(&eight, bytes.data() + i, 8);
      if ((eight & 0x8080808080808080U) == 0) {
        i += 8;
        continue;
      }
    }
    const unsigned char c = at(i);
    if (c < 0x80) {
      ++i;
      continue;
    }
    const std::size_t length = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
    if (c < 0xC2 || c > 0xF4 || i + length > bytes.size()) return i;
    for (std::size_t k = 1; k < length; ++k) {
      if ((at(i + k) & 0xC0) != 0x80) return i;
    }
    const unsigned char d = at(i + 1);
    if ((c == 0xE0 && d < 0xA0) || (c == 0xED && d > 0x9F) || (c == 0xF0 && d < 0x90) || (c == 0xF4 && d > 0x8F)) {
      return i;
    }
    i += length;
  }
  return i;
}

std::string Latin1ToUtf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 8);
  for (const char raw : bytes) {
    const auto c = static_cast<unsigned char>(raw);
    if (c < 0x80) {
      out.push_back(raw);
    } else {
      out.push_back(static_cast<char>(0xC0 | (c >> 6)));
      out.push_back(static_cast<char>(0x80 | (c & 0x3F)));
    }
  }
  return out;
}

}  // namespace caudal
