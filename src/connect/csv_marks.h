// Where the bytes of a block are that matter to CSV. Pure.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace caudal {

/// Appends the positions in `bytes` of delimiter, line feed and quote, in order, each plus `base`. Returns whether a
/// byte is no ASCII. `quote` = delimiter where nothing quotes.
bool FindCsvMarks(std::string_view bytes, std::uint32_t base, char delimiter, char quote,
                  std::vector<std::uint32_t>& marks);

}  // namespace caudal
