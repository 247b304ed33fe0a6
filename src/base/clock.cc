#include "base/clock.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <utility>

namespace caudal {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

class MachineClock final : public Clock {
 public:
  Timestamp Now() const override {
    return std::chrono::time_point_cast<microseconds>(std::chrono::system_clock::now());
  }
};

struct Parts {
  int year;
  unsigned month, day;
  int hour, minute, second, micros;
};

Parts Split(Timestamp t) {
  auto day = std::chrono::floor<std::chrono::days>(t);
  std::chrono::year_month_day ymd{day};
  std::chrono::hh_mm_ss<microseconds> time{t - day};
  return {static_cast<int>(ymd.year()),
          static_cast<unsigned>(ymd.month()),
          static_cast<unsigned>(ymd.day()),
          static_cast<int>(time.hours().count()),
          static_cast<int>(time.minutes().count()),
          static_cast<int>(time.seconds().count()),
          static_cast<int>(time.subseconds().count())};
}

Error NotATime(std::string_view text) {
  return Error{ErrorKind::kInvalidArgument, "not a time: '" + std::string(text) + "'",
               "write it as 2026-01-31 or 2026-01-31T10:00:00Z (UTC)", ""};
}

/// Reads exactly `digits` digits at the front of `text`; false where they are not there.
bool TakeNumber(std::string_view& text, std::size_t digits, int& out) {
  if (text.size() < digits) return false;
  auto [end, error] = std::from_chars(text.data(), text.data() + digits, out);
  if (error != std::errc() || end != text.data() + digits || text[0] == '-') return false;
  text.remove_prefix(digits);
  return true;
}

bool TakeChar(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text[0]) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

constexpr std::array<std::pair<std::string_view, std::int64_t>, 5> kUnits{
    {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};

}  // namespace

const Clock& SystemClock() {
  static const MachineClock clock;
  return clock;
}

std::string FormatTimestamp(Timestamp t) {
  auto p = Split(t);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", p.year, p.month, p.day, p.hour, p.minute, p.second,
                     p.micros);
}

std::string FormatTimestampMs(Timestamp t) {
  auto p = Split(t);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", p.year, p.month, p.day, p.hour, p.minute, p.second,
                     p.micros / 1000);
}

std::string FormatInstant(Timestamp t) {
  auto p = Split(t);
  return fmt::format("{:04}{:02}{:02}{:02}{:02}{:02}{:03}", p.year, p.month, p.day, p.hour, p.minute, p.second,
                     p.micros / 1000);
}

Result<Timestamp> ParseTimestamp(std::string_view text) {
  std::string_view rest = text;
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  std::int64_t micros = 0;
  if (!TakeNumber(rest, 4, year) || !TakeChar(rest, "-") || !TakeNumber(rest, 2, month) || !TakeChar(rest, "-") ||
      !TakeNumber(rest, 2, day)) {
    return NotATime(text);
  }
  if (TakeChar(rest, "T ")) {
    if (!TakeNumber(rest, 2, hour) || !TakeChar(rest, ":") || !TakeNumber(rest, 2, minute)) return NotATime(text);
    if (TakeChar(rest, ":") && !TakeNumber(rest, 2, second)) return NotATime(text);
    if (TakeChar(rest, ".")) {
      std::int64_t scale = 100'000;
      std::size_t digits = 0;
      while (!rest.empty() && rest[0] >= '0' && rest[0] <= '9') {
        micros += (rest[0] - '0') * scale;
        scale /= 10;
        rest.remove_prefix(1);
        ++digits;
      }
      if (digits == 0 || digits > 9) return NotATime(text);
    }
  }
  if (rest == "+00" || rest == "+00:00") rest = "";
  TakeChar(rest, "Z");
  std::chrono::year_month_day ymd{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                  std::chrono::day{static_cast<unsigned>(day)}};
  if (!rest.empty() || !ymd.ok() || hour > 23 || minute > 59 || second > 59) return NotATime(text);
  return Timestamp{std::chrono::sys_days{ymd}} + std::chrono::hours{hour} + std::chrono::minutes{minute} +
         std::chrono::seconds{second} + microseconds{micros};
}

std::int64_t MillisecondsOf(Timestamp t) { return std::chrono::floor<milliseconds>(t.time_since_epoch()).count(); }
Timestamp FromMilliseconds(std::int64_t ms) { return Timestamp{milliseconds{ms}}; }

Result<milliseconds> ParseDuration(std::string_view text) {
  std::string_view rest = text;
  std::int64_t total = 0;
  bool any = false;
  while (!rest.empty()) {
    std::int64_t n = 0;
    auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), n);
    if (error != std::errc() || n < 0 || n > 1'000'000'000) break;
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    std::size_t letters = 0;
    while (letters < rest.size() && rest[letters] >= 'a' && rest[letters] <= 'z') ++letters;
    std::int64_t scale = 0;
    for (const auto& [unit, ms] : kUnits) {
      if (unit == rest.substr(0, letters)) scale = ms;
    }
    if (scale == 0) break;
    total += n * scale;
    any = true;
    rest.remove_prefix(letters);
  }
  if (!any || !rest.empty()) {
    return Error{ErrorKind::kInvalidArgument, "not a duration: '" + std::string(text) + "'",
                 "write a number and a unit of ms, s, m, h, d, such as 15m or 48h", ""};
  }
  return milliseconds{total};
}

std::string FormatDuration(milliseconds d) {
  std::int64_t rest = d.count();
  if (rest <= 0) return "0s";
  std::string text;
  for (auto it = kUnits.rbegin(); it != kUnits.rend(); ++it) {
    std::int64_t n = rest / it->second;
    if (n == 0) continue;
    text += std::to_string(n);
    text += it->first;
    rest -= n * it->second;
  }
  return text;
}

}  // namespace caudal
