#include "connect/http_incremental.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/json.h"
#include "connect/paginator.h"

namespace caudal {
namespace {

std::optional<std::int64_t> Whole(const std::string& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// A time as it is written: `2026-01-31T10:00:00.123+01:00`.
struct WrittenTime {
  Timestamp wall{};  // without the zone
  char separator = 0;  // 0 = a date alone
  bool seconds = false;
  std::size_t fraction = 0;  // digits
  std::string zone;

  static std::optional<WrittenTime> Read(const std::string& text) {
    const auto digits = [&](std::size_t at, std::size_t n) {
      if (at + n > text.size()) return false;
      return std::all_of(text.begin() + static_cast<std::ptrdiff_t>(at), text.begin() + static_cast<std::ptrdiff_t>(at + n),
                         [](char c) { return c >= '0' && c <= '9'; });
    };
    if (!digits(0, 4) || !digits(5, 2) || !digits(8, 2) || text[4] != '-' || text[7] != '-') return std::nullopt;
    WrittenTime time;
    std::size_t at = 10;
    if (text.size() > at) {
      time.separator = text[at];
      if ((time.separator != 'T' && time.separator != ' ') || !digits(11, 2) || !digits(14, 2) || text[13] != ':') return std::nullopt;
      at = 16;
      time.seconds = digits(17, 2) && text[16] == ':';
      if (time.seconds) at = 19;
      if (time.seconds && at < text.size() && text[at] == '.') {
        while (digits(at + 1 + time.fraction, 1)) ++time.fraction;
        at += 1 + time.fraction;
      }
      time.zone = text.substr(at);
      const bool known = time.zone.empty() || time.zone == "Z" ||
                         ((time.zone[0] == '+' || time.zone[0] == '-') && time.zone.size() >= 3 && time.zone.size() <= 6 &&
                          time.zone.find_first_not_of("0123456789:", 1) == std::string::npos);
      if (!known) return std::nullopt;
    }
    // Digits behind the microsecond say nothing that a step back could keep.
    const std::size_t kept = time.fraction > 6 ? at - (time.fraction - 6) : at;
    const Result<Timestamp> wall = ParseTimestamp(text.substr(0, kept));
    if (!wall) return std::nullopt;
    time.wall = *wall;
    return time;
  }

  std::string Write() const {
    std::string text = FormatTimestamp(wall);  // 2026-01-31T10:00:00.123456Z
    if (separator == 0) return text.substr(0, 10);
    text[10] = separator;
    if (!seconds) return text.substr(0, 16) + zone;
    if (fraction == 0) return text.substr(0, 19) + zone;
    return text.substr(0, 20 + std::min<std::size_t>(fraction, 6)) + std::string(fraction > 6 ? fraction - 6 : 0, '0') + zone;
  }
};

/// The unit of a number of this size that is a time since 1970.
std::optional<std::chrono::microseconds> EpochUnit(std::int64_t value) {
  if (value >= 100'000'000 && value < 100'000'000'000) return std::chrono::seconds(1);
  if (value >= 100'000'000'000 && value < 100'000'000'000'000) return std::chrono::milliseconds(1);
  if (value >= 100'000'000'000'000) return std::chrono::microseconds(1);
  return std::nullopt;
}

/// `now` in the form of `like`.
std::string NowLike(const std::string& like, Timestamp now) {
  if (const std::optional<std::int64_t> number = Whole(like)) {
    const std::optional<std::chrono::microseconds> unit = EpochUnit(*number);
    return unit ? std::to_string(now.time_since_epoch() / *unit) : "";
  }
  std::optional<WrittenTime> time = WrittenTime::Read(like);
  if (!time) return FormatTimestamp(now).substr(0, 19) + "Z";
  // In the zone of `like`, which is a fixed one: hours and minutes.
  std::chrono::minutes zone{0};
  if (time->zone.size() >= 5) {
    const std::string& z = time->zone;
    zone = std::chrono::hours(std::stoi(z.substr(1, 2))) + std::chrono::minutes(std::stoi(z.substr(z.size() - 2)));
    if (z[0] == '-') zone = -zone;
  }
  time->wall = now + zone;
  return time->Write();
}

/// Later of two cursor values: numbers by size, texts by bytes.
bool IsLater(const std::string& value, bool number, const std::string& than) {
  if (than.empty()) return true;
  if (number) {
    const Json mine = Json::parse(value, nullptr, false);
    const Json other = Json::parse(than, nullptr, false);
    if (other.is_number()) return mine > other;
  }
  return value > than;
}

}  // namespace

Result<IncrementalWords> IncrementalWordsOf(const Json& json, const std::string& parameter) {
  IncrementalWords words;
  words.start_param = parameter;
  const std::map<std::string, std::string*> known = {
      {"cursor_path", &words.cursor_path}, {"start_param", &words.start_param}, {"end_param", &words.end_param},
      {"initial_value", &words.initial_value}, {"end_value", &words.end_value}, {"lag", &words.lag}};
  for (const auto& [name, value] : json.items()) {
    if (name == "type" || value.is_null()) continue;
    const auto word = known.find(name);
    if (word == known.end() || value.is_structured()) {
      return Error{ErrorKind::kInvalidArgument,
                   "incremental knows cursor_path, start_param, end_param, initial_value, end_value and lag, not: " + name,
                   "correct `incremental:` of the endpoint", ""};
    }
    *word->second = value.is_string() ? value.get<std::string>() : value.dump();
  }
  if (!words.cursor_path.empty()) return words;
  return Error{ErrorKind::kInvalidArgument, "incremental needs `cursor_path`, the value of a record that grows",
               "write cursor_path: updated_at", ""};
}

Result<std::string> SteppedBack(const std::string& value, const std::string& lag) {
  const auto misfit = [&](const char* why) {
    return Error{ErrorKind::kInvalidArgument, fmt::format("`lag: {}` {}: {}", lag, why, value),
                 "write a duration for times, a number for numbers, or take `lag` out", ""};
  };
  const std::optional<std::int64_t> steps = Whole(lag);
  const std::optional<std::int64_t> number = Whole(value);
  if (steps) return number ? Result<std::string>(std::to_string(*number - *steps)) : misfit("is a number, and the cursor is none");
  TRY_ASSIGN(const std::chrono::milliseconds back, ParseDuration(lag));
  if (number) {
    const std::optional<std::chrono::microseconds> unit = EpochUnit(*number);
    if (!unit) return misfit("is a duration, and the cursor is no time");
    const std::int64_t units = (std::chrono::microseconds(back) + *unit - std::chrono::microseconds(1)) / *unit;
    return std::to_string(*number - units);
  }
  std::optional<WrittenTime> time = WrittenTime::Read(value);
  if (!time) return misfit("is a duration, and the cursor is no time");
  time->wall -= back;  // of a date, the day that it reaches into is taken whole
  return time->Write();
}

Result<Incremental> Incremental::Make(IncrementalWords words, std::string last, Timestamp now) {
  Incremental made(std::move(words));
  const IncrementalWords& said = made.x_words;
  made.x_start = last.empty() ? said.initial_value : last;
  if (!last.empty() && !said.lag.empty()) {
    TRY_ASSIGN(made.x_start, SteppedBack(last, said.lag));
    // Nothing before the beginning was ever wanted.
    const bool number = Whole(last).has_value();
    if (!said.initial_value.empty() && IsLater(said.initial_value, number, made.x_start)) made.x_start = said.initial_value;
  }
  made.x_value = last.empty() ? said.initial_value : last;
  made.x_end = said.end_value;
  if (made.x_end.empty() && !said.end_param.empty()) {
    made.x_end = NowLike(made.x_value, now);
    if (made.x_end.empty()) {
      return Error{ErrorKind::kInvalidArgument, "`end_param` without `end_value` is the time of the read, and the cursor is no time: " + made.x_value,
                   "write end_value: beside it", ""};
    }
  }
  made.x_tomorrow = FormatTimestamp(now + std::chrono::hours(24)).substr(0, 10);
  return made;
}

Status Incremental::Move(const std::vector<const Json*>& records, const std::string& place) {
  bool any = records.empty();
  for (const Json* record : records) {
    const Json* value = AtPath(*record, x_words.cursor_path);
    if (value == nullptr) continue;
    any = true;
    if (value->is_null() || value->is_structured()) continue;
    const std::string text = value->is_string() ? value->get<std::string>() : value->dump();
    const bool number = value->is_number();
    if (!x_end.empty() && IsLater(text, number, x_end)) continue;
    if (!number && text.size() >= 10 && text.substr(0, 10) > x_tomorrow && WrittenTime::Read(text)) {
      ++x_future;
      continue;
    }
    if (IsLater(text, number, x_value)) x_value = text;
  }
  if (any) return {};
  return Error{ErrorKind::kInvalidArgument, fmt::format("no record has the cursor {}: {}", x_words.cursor_path, place),
               "correct `cursor_path:`", ""};
}

}  // namespace caudal
