// The table formats that readers find a table in. A value.
#pragma once

namespace caudal {

/// Delta is always there: its log is the table's truth. The others are derived from it.
struct TableFormats {
  bool hudi = false;
  bool iceberg = false;
  friend bool operator==(const TableFormats&, const TableFormats&) = default;
};

inline constexpr TableFormats kAllFormats{true, true};

}  // namespace caudal
