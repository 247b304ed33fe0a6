// Time zones of the machine's tz database: what local clocks showed, and will show, at an instant. Only time_zone.cc knows
// the library. Thread-safe; values.
#pragma once

#include <chrono>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace caudal {

class TimeZone {
 public:
  /// UTC, which needs no database.
  TimeZone() = default;
  /// "Europe/Madrid". Errors: kInvalidArgument for a name that the database does not have, kUnavailable where the machine
  /// has no database.
  static Result<TimeZone> Find(const std::string& name);

  /// A stretch of time with one offset from UTC: local time = UTC + offset.
  struct Stretch {
    Timestamp begin, end;  // end is the first instant after it
    std::chrono::seconds offset{0};
  };
  Stretch At(Timestamp t) const;

  const std::string& name() const { return x_name; }

 private:
  std::string x_name = "UTC";
  const void* x_zone = nullptr;  // of the database, which lives as long as the process; null = UTC
};

/// "2026-03-29 03:00 +02:00": the zone's clock.
std::string FormatLocal(Timestamp t, const TimeZone& zone);

}  // namespace caudal
