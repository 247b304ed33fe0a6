// Time as a dependency: tests hand in a clock that they move by hand.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace caudal {

/// Wall time in UTC with microseconds, as Parquet and the open table formats keep it.
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;

/// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp Now() const = 0;
};

/// The machine's clock. Lives for the whole process.
const Clock& SystemClock();

/// A clock that stands still until told otherwise. For tests.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(Timestamp start) : x_now(start) {}
  Timestamp Now() const override { return x_now; }
  void Advance(std::chrono::microseconds by) { x_now += by; }

 private:
  Timestamp x_now;
};

/// "2026-01-31T10:00:00.123456Z"; ms: three digits of the second's fraction.
std::string FormatTimestamp(Timestamp t);
std::string FormatTimestampMs(Timestamp t);
/// "20260131100000123": a Hudi instant, UTC.
std::string FormatInstant(Timestamp t);
/// Reads "2026-01-31", "2026-01-31T10:00[:00[.123456]][Z]" with 'T' or a blank; no zone means UTC.
Result<Timestamp> ParseTimestamp(std::string_view text);

std::int64_t MillisecondsOf(Timestamp t);
Timestamp FromMilliseconds(std::int64_t ms);

/// "5m", "48h", "7d", "90s", "250ms". Errors: kInvalidArgument that lists the units.
Result<std::chrono::milliseconds> ParseDuration(std::string_view text);
/// The shortest of those forms: "5m", "1h30m".
std::string FormatDuration(std::chrono::milliseconds d);

}  // namespace caudal
