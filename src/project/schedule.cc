#include "project/schedule.h"

#include <algorithm>
#include <utility>

namespace caudal {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;

/// Every date of a leap year comes within it, and the fifth Monday of a February.
constexpr hours kHorizon{24 * 366 * 9};
constexpr std::string_view kEvery = "every ";

/// Whole minutes of local time, rounded up.
std::int64_t LocalMinute(Timestamp t, seconds offset) { return std::chrono::ceil<minutes>(t + offset).time_since_epoch().count(); }

Timestamp InstantOf(std::int64_t local_minute, seconds offset) { return Timestamp(minutes(local_minute)) - offset; }

}  // namespace

Result<Schedule> Schedule::Parse(std::string_view text, std::string_view name, TimeZone zone, OnDst on_dst) {
  Schedule schedule;
  schedule.x_zone = std::move(zone);
  schedule.x_on_dst = on_dst;
  if (text.starts_with(kEvery)) {
    const std::string_view length = text.substr(kEvery.size());
    const auto interval = ParseDuration(length);
    if (!interval || *interval < seconds{1}) {
      return Error{ErrorKind::kInvalidArgument, "is no interval: '" + std::string(text) + "'",
                   "write every 15m, at least every 1s, or minute hour day month weekday, such as \"0 5 * * *\"", ""};
    }
    schedule.x_interval = *interval;
    return schedule;
  }
  TRY_ASSIGN(schedule.x_fields, CronFields::Parse(text, name));
  using namespace std::chrono_literals;
  if (!schedule.NextAfter(Timestamp(std::chrono::sys_days(2024y / 1 / 1)))) {
    return Error{ErrorKind::kInvalidArgument, "never comes: '" + std::string(text) + "'", "name a day that its months have", ""};
  }
  return schedule;
}

std::optional<Timestamp> Schedule::NextAfter(Timestamp t) const {
  if (!x_fields) {
    const microseconds since = t.time_since_epoch();
    return Timestamp((since / microseconds(x_interval) + 1) * microseconds(x_interval));
  }
  for (TimeZone::Stretch stretch = x_zone.At(t);; stretch = x_zone.At(stretch.end)) {
    if (auto next = NextIn(stretch, t)) return next;
    if (stretch.end > t + kHorizon) return std::nullopt;
  }
}

/// The first one in a stretch of one offset. The stretch before it tells which local times it skips or repeats.
std::optional<Timestamp> Schedule::NextIn(const TimeZone::Stretch& stretch, Timestamp after) const {
  const seconds before = x_zone.At(stretch.begin - microseconds(1)).offset;
  const seconds shift = stretch.offset - before;
  // Hours that pass count, so a clock that is put forward or back by hours loses and doubles nothing.
  const bool by_hours = x_on_dst == OnDst::kByHours && x_fields->every_hour() && shift % hours(1) == seconds(0);
  if (stretch.begin > after && shift > seconds(0) && !by_hours && x_on_dst != OnDst::kSkip) {
    const bool lost = x_fields->Next(LocalMinute(stretch.begin, before), LocalMinute(stretch.begin, stretch.offset)).has_value();
    if (lost) return stretch.begin;
  }
  std::int64_t from = LocalMinute(std::max(stretch.begin, after + microseconds(1)), stretch.offset);
  if (shift < seconds(0) && !by_hours && x_on_dst != OnDst::kBoth) from = std::max(from, LocalMinute(stretch.begin, before));
  const Timestamp end = std::min(stretch.end, after + kHorizon);
  const auto next = x_fields->Next(from, LocalMinute(end, stretch.offset));
  if (!next) return std::nullopt;
  return InstantOf(*next, stretch.offset);
}

std::vector<Timestamp> Schedule::Between(Timestamp from, Timestamp to, std::size_t limit) const {
  std::vector<Timestamp> times;
  for (auto next = NextAfter(from); next && *next <= to && times.size() < limit; next = NextAfter(*next)) times.push_back(*next);
  return times;
}

std::optional<Timestamp> Schedule::LastBetween(Timestamp from, Timestamp to) const {
  // Steps back in growing strides: a gap of a year must not be walked minute by minute.
  for (microseconds stride = minutes(1);; stride *= 8) {
    const Timestamp start = to - from > stride ? to - stride : from;
    std::optional<Timestamp> last;
    for (auto next = NextAfter(start); next && *next <= to; next = NextAfter(*next)) last = next;
    if (last || start <= from) return last;
  }
}

}  // namespace caudal
