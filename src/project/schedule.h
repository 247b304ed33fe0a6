// When a pipeline wakes: five cron fields in a time zone, or an interval. Pure functions of their arguments and of the time
// zone database: no clock, no I/O. Words and rules: docs/project.md#schedules. A value; thread-safe to read.
#pragma once

#include <array>
#include <bitset>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/time_zone.h"

namespace caudal {

/// What becomes of a local time that does not exist, or comes twice, because clocks are changed.
enum class OnDst {
  kByHours,  // the default: for a schedule of every hour the hours that pass count; else as kFirst
  kSkip,     // not there: left out; twice: the first
  kFirst,    // not there: once, when the clock has been put forward; twice: the first
  kBoth,     // not there: once, when the clock has been put forward; twice: both
};

/// The days, hours and minutes that five cron fields name. Local time, as minutes since 1970.
class CronFields {
 public:
  /// `name` spreads what is written as H. Errors: kInvalidArgument, "has '25' as its hour (0 to 23)".
  static Result<CronFields> Parse(std::string_view text, std::string_view name);

  /// The first that is `from` or later and before `end`.
  std::optional<std::int64_t> Next(std::int64_t from, std::int64_t end) const;
  bool every_hour() const { return x_hours.count() == 24; }

 private:
  friend class CronParser;
  bool IsDay(std::chrono::year_month_day day) const;

  std::bitset<60> x_minutes;
  std::bitset<24> x_hours;
  std::bitset<32> x_days, x_days_from_last;  // of the month; 0 from the last = the last
  std::bitset<13> x_months;
  std::bitset<7> x_weekdays, x_last_weekdays;  // the last such day of the month
  std::array<std::bitset<7>, 6> x_nth_weekdays;  // [2] = the second of the month
  bool x_days_are_stars = false, x_weekdays_are_stars = false;
};

class Schedule {
 public:
  /// `name`: of the pipeline. Errors: kInvalidArgument whose message goes behind "the schedule".
  static Result<Schedule> Parse(std::string_view text, std::string_view name, TimeZone zone, OnDst on_dst);

  /// The first time after `t`; nothing where none comes within nine years.
  std::optional<Timestamp> NextAfter(Timestamp t) const;
  /// Those in (from, to], oldest first, `limit` at most.
  std::vector<Timestamp> Between(Timestamp from, Timestamp to, std::size_t limit) const;
  /// The newest in (from, to].
  std::optional<Timestamp> LastBetween(Timestamp from, Timestamp to) const;

  const TimeZone& zone() const { return x_zone; }

 private:
  std::optional<Timestamp> NextIn(const TimeZone::Stretch& stretch, Timestamp after) const;

  std::optional<CronFields> x_fields;
  std::chrono::milliseconds x_interval{0};  // where there are no fields: multiples of it since 1970, UTC
  TimeZone x_zone;
  OnDst x_on_dst = OnDst::kByHours;
};

}  // namespace caudal
