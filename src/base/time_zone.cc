#include "base/time_zone.h"

#include <date/tz.h>
#include <fmt/format.h>

#include <algorithm>
#include <exception>

namespace caudal {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

const date::time_zone& ZoneOf(const void* zone) { return *static_cast<const date::time_zone*>(zone); }

/// A form that no path outside the database has.
bool IsZoneName(const std::string& name) {
  const auto is_part = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '/' || c == '+' || c == '-';
  };
  return !name.empty() && name[0] != '/' && std::all_of(name.begin(), name.end(), is_part);
}

}  // namespace

Result<TimeZone> TimeZone::Find(const std::string& name) {
  TimeZone zone;
  if (name == "UTC") return zone;
  const Error unknown{ErrorKind::kInvalidArgument, "no time zone is called '" + name + "'", "write one such as Europe/Madrid or UTC", ""};
  if (!IsZoneName(name)) return unknown;
  try {
    static_cast<void>(date::get_tzdb());
  } catch (const std::exception& failure) {
    return Error{ErrorKind::kUnavailable, std::string("this machine has no time zone database: ") + failure.what(), "install tzdata", ""};
  }
  try {
    zone.x_zone = date::locate_zone(name);
  } catch (const std::exception&) {
    return unknown;
  }
  zone.x_name = name;
  return zone;
}

TimeZone::Stretch TimeZone::At(Timestamp t) const {
  using std::chrono::sys_days;
  using namespace std::chrono_literals;
  // Far enough for every schedule, and inside what microseconds can count.
  const Timestamp least{sys_days{1800y / 1 / 1}}, most{sys_days{3000y / 1 / 1}};
  if (x_zone == nullptr) return Stretch{least, most, seconds{0}};
  const date::sys_info info = ZoneOf(x_zone).get_info(std::chrono::floor<seconds>(t));
  return Stretch{std::max(least, Timestamp(std::max(info.begin, std::chrono::floor<seconds>(least)))),
                 std::min(most, Timestamp(std::min(info.end, std::chrono::floor<seconds>(most)))), info.offset};
}

std::string FormatLocal(Timestamp t, const TimeZone& zone) {
  const seconds offset = zone.At(t).offset;
  std::string text = FormatTimestamp(t + offset).substr(0, 19);
  text[10] = ' ';
  if (text.ends_with(":00")) text.resize(16);
  const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(offset < seconds{0} ? -offset : offset).count();
  return fmt::format("{} {}{:02}:{:02}", text, offset < seconds{0} ? '-' : '+', minutes / 60, minutes % 60);
}

}  // namespace caudal
