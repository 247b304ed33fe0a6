// Values as text, typed: how they compare, and how DuckDB and the Delta log spell them. Pure functions.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "data/type.h"

namespace caudal {

/// Order of two values of `type` given as text; absent where the text is no such value (NaN, infinity, dates before
/// year 1) or the type has no order: callers then assume nothing.
std::optional<std::strong_ordering> CompareValues(const Type& type, std::string_view a, std::string_view b);

/// "2026-01-01 01:00:00.123+00": what DuckDB prints for a TIMESTAMPTZ in UTC.
std::string DuckDbTimestamp(Timestamp t);

/// True where `text` may stand in JSON as a number, unquoted.
bool IsJsonNumber(std::string_view text);

}  // namespace caudal
