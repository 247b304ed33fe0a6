#include "connect/trailer.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace caudal {
namespace {

constexpr std::string_view kRows = "{rows}";
constexpr std::size_t kLongestLine = std::size_t{1} << 20;

bool Digit(char c) { return c >= '0' && c <= '9'; }

/// * stands for anything.
bool Fits(std::string_view pattern, std::string_view text) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == text;
  if (!text.starts_with(pattern.substr(0, star))) return false;
  pattern.remove_prefix(star + 1);
  for (std::size_t at = star; at <= text.size(); ++at) {
    if (Fits(pattern, text.substr(at))) return true;
  }
  return false;
}

std::string_view WithoutLineEnd(std::string_view line) {
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

std::optional<std::int64_t> RowsOfTrailer(std::string_view pattern, std::string_view line) {
  const std::size_t word = pattern.find(kRows);
  if (word == std::string_view::npos) return std::nullopt;
  const std::string_view before = pattern.substr(0, word);
  const std::string_view after = pattern.substr(word + kRows.size());
  for (std::size_t begin = 0; begin < line.size(); ++begin) {
    if (!Digit(line[begin]) || (begin > 0 && Digit(line[begin - 1]))) continue;
    std::size_t end = begin;
    while (end < line.size() && Digit(line[end])) ++end;
    if (!Fits(before, line.substr(0, begin)) || !Fits(after, line.substr(end))) continue;
    std::int64_t rows = 0;
    const auto [_, error] = std::from_chars(line.data() + begin, line.data() + end, rows);
    if (error == std::errc()) return rows;
  }
  return std::nullopt;
}

Status Trailer::Feed(std::string_view bytes, const std::function<Status(std::string_view)>& out) {
  x_held.append(bytes);
  // The last line may be followed by line ends alone.
  const std::size_t end = WithoutLineEnd(x_held).size();
  const std::size_t line = end == 0 ? std::string::npos : x_held.rfind('\n', end - 1);
  if (line != std::string::npos) {
    TRY(out(std::string_view(x_held).substr(0, line + 1)));
    x_held.erase(0, line + 1);
  }
  if (x_held.size() <= kLongestLine) return {};
  return Error{ErrorKind::kCorruption, x_what + " has a line of more than 1 MiB, and no trailer so far", "take `trailer:` out, or correct the file", ""};
}

Status Trailer::Check(std::int64_t rows) const {
  const std::string_view line = WithoutLineEnd(x_held);
  const std::optional<std::int64_t> said = RowsOfTrailer(x_pattern, line);
  if (!said) {
    return Error{ErrorKind::kCorruption,
                 fmt::format("{} has no trailer: its last line is '{}', not like '{}'; the file is cut", x_what, line.substr(0, 80), x_pattern),
                 "ask for the whole file again, or correct `trailer:`", ""};
  }
  if (*said == rows) return {};
  return Error{ErrorKind::kCorruption, fmt::format("{} has {} rows, and its trailer says {}", x_what, rows, *said), "ask for the whole file again", ""};
}

}  // namespace caudal
