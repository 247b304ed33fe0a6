#include "connect/text_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/ids.h"

namespace caudal {
namespace {

constexpr std::int64_t kGroup = 16;
constexpr std::int64_t kPageBytes = 16 << 10;
constexpr std::size_t kPages = 2048;  // 32 MiB

}  // namespace

TextStore::TextStore(const std::string& folder) : x_path(folder + "/texts-" + NewToken()), x_pages(kPages) {}

TextStore::~TextStore() {
  if (x_fd >= 0) ::close(x_fd);
  std::remove(x_path.c_str());
}

Status TextStore::Add(std::string_view text) {
  if (!x_file.open()) TRY(x_file.Open(x_path));
  if (x_size % kGroup == 0) x_groups.push_back(x_bytes);
  const auto length = static_cast<std::uint32_t>(text.size());
  char head[sizeof length];
  std::memcpy(head, &length, sizeof length);
  x_file.buffer().append(head, sizeof head).append(text);
  x_bytes += static_cast<std::int64_t>(sizeof head + text.size());
  ++x_size;
  return x_file.Drain();
}

Status TextStore::Close() {
  if (!x_file.open()) return {};
  TRY(x_file.Close());
  x_fd = ::open(x_path.c_str(), O_RDONLY | O_CLOEXEC);
  if (x_fd >= 0) return {};
  return Error{ErrorKind::kInternal, std::string("cannot read a staging file: ") + std::strerror(errno), "", ""};
}

Status TextStore::Copy(std::int64_t from, std::size_t length, char* to) {
  while (length > 0) {
    const std::int64_t number = from / kPageBytes;
    Page& page = x_pages[static_cast<std::size_t>(number) % kPages];
    if (page.number != number) {
      page.bytes.resize(static_cast<std::size_t>(std::min(kPageBytes, x_bytes - number * kPageBytes)));
      const ssize_t n = ::pread(x_fd, page.bytes.data(), page.bytes.size(), number * kPageBytes);
      if (n != static_cast<ssize_t>(page.bytes.size())) return Error{ErrorKind::kInternal, "a staging file cannot be read: " + x_path, "", ""};
      page.number = number;
    }
    const auto begin = static_cast<std::size_t>(from % kPageBytes);
    const std::size_t n = std::min(length, page.bytes.size() - begin);
    std::memcpy(to, page.bytes.data() + begin, n);
    to += n;
    from += static_cast<std::int64_t>(n);
    length -= n;
  }
  return {};
}

Result<std::string_view> TextStore::At(std::int64_t index) {
  std::int64_t at = x_groups[static_cast<std::size_t>(index / kGroup)];
  std::uint32_t length = 0;
  for (std::int64_t left = index % kGroup;; --left) {
    char head[sizeof length];
    TRY(Copy(at, sizeof head, head));
    std::memcpy(&length, head, sizeof length);
    at += static_cast<std::int64_t>(sizeof head);
    if (left == 0) break;
    at += length;
  }
  x_text.resize(length);
  TRY(Copy(at, length, x_text.data()));
  return std::string_view(x_text);
}

}  // namespace caudal
