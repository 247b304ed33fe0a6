// The last line of a file that says how many rows stand before it. It is no row: what lies before it goes on, it itself is
// held back and looked at. Used by one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace caudal {

/// `pattern`: a text with {rows} once, and * for anything: "TRAILER;*;{rows}". Nothing where `line` does not match it.
std::optional<std::int64_t> RowsOfTrailer(std::string_view pattern, std::string_view line);

class Trailer {
 public:
  /// `what` names the file in errors.
  Trailer(std::string pattern, std::string what) : x_pattern(std::move(pattern)), x_what(std::move(what)) {}

  /// Gives on all but the last line. Errors: those of `out`; kCorruption for a last line of more than 1 MiB.
  Status Feed(std::string_view bytes, const std::function<Status(std::string_view)>& out);
  /// The file ends. Errors: kCorruption where the line held back is no trailer, or tells another number.
  Status Check(std::int64_t rows) const;

 private:
  std::string x_pattern;
  std::string x_what;
  std::string x_held;
};

}  // namespace caudal
