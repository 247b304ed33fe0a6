#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <utility>

#include "base/ids.h"
#include "data/name.h"
#include "project/schedule.h"

namespace caudal {
namespace {

constexpr std::int64_t kMinutesADay = 24 * 60;

struct Field {
  const char* name;
  int least, most;
  std::vector<std::string> words;  // names of least, least + 1, ...
};

enum FieldIndex { kMinute, kHour, kDay, kMonth, kWeekday };

const std::vector<Field>& Fields() {
  static const std::vector<Field> kFields = {
      {"minute", 0, 59, {}},
      {"hour", 0, 23, {}},
      {"day of the month", 1, 31, {}},
      {"month", 1, 12, {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
      {"day of the week", 0, 7, {"sun", "mon", "tue", "wed", "thu", "fri", "sat"}}};
  return kFields;
}

constexpr std::pair<std::string_view, std::string_view> kShort[] = {
    {"@hourly", "0 * * * *"}, {"@daily", "0 0 * * *"},   {"@midnight", "0 0 * * *"}, {"@weekly", "0 0 * * 0"},
    {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}};

std::vector<std::string_view> SplitAt(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::optional<int> Integer(std::string_view text, int least, int most) {
  int n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc() || end != text.data() + text.size() || n < least || n > most) return std::nullopt;
  return n;
}

std::optional<int> ValueOf(std::string_view text, const Field& field) {
  for (std::size_t i = 0; i < field.words.size(); ++i) {
    if (SameName(text, field.words[i])) return field.least + static_cast<int>(i);
  }
  return Integer(text, field.least, field.most);
}

bool TakeEnd(std::string_view& text, char end) {
  if (text.size() < 2 || text.back() != end) return false;
  text.remove_suffix(1);
  return true;
}

unsigned LastDayOf(std::chrono::year_month_day day) {
  return static_cast<unsigned>(std::chrono::year_month_day_last(day.year(), std::chrono::month_day_last(day.month())).day());
}

}  // namespace

/// Reads the parts of one field after the other into the bits.
class CronParser {
 public:
  explicit CronParser(std::string_view name) : x_name(name) {}

  /// False: the part is none.
  bool Part(std::string_view part, int index) {
    if (index == kDay && part.starts_with('L')) return LastDay(part);
    if (index == kWeekday && part != "*" && (part.back() == 'L' || part.find('#') != std::string_view::npos)) return NthWeekday(part);
    const Field& field = Fields()[static_cast<std::size_t>(index)];
    const std::size_t slash = part.find('/');
    int step = 1;
    if (slash != std::string_view::npos) {
      const auto given = Integer(part.substr(slash + 1), 1, field.most);
      if (!given) return false;
      step = *given;
      part = part.substr(0, slash);
    }
    if (part.starts_with('H')) return Spread(part, index, slash != std::string_view::npos ? std::optional(step) : std::nullopt);
    int first = field.least, last = index == kWeekday ? 6 : field.most;
    if (part == "*") {
      if (index == kDay) x_cron.x_days_are_stars = true;
      if (index == kWeekday) x_cron.x_weekdays_are_stars = true;
    } else {
      const std::size_t dash = part.find('-');
      const auto from = ValueOf(part.substr(0, dash), field);
      const auto to = dash == std::string_view::npos ? from : ValueOf(part.substr(dash + 1), field);
      if (!from || !to || *from > *to || (dash == std::string_view::npos && slash != std::string_view::npos)) return false;
      first = *from;
      last = *to;
    }
    for (int value = first; value <= last; value += step) Set(index, value);
    return true;
  }

  CronFields Take() { return std::move(x_cron); }

 private:
  void Set(int index, int value) {
    const auto bit = static_cast<std::size_t>(value);
    switch (index) {
      case kMinute: x_cron.x_minutes.set(bit); return;
      case kHour: x_cron.x_hours.set(bit); return;
      case kDay: x_cron.x_days.set(bit); return;
      case kMonth: x_cron.x_months.set(bit); return;
      default: x_cron.x_weekdays.set(bit % 7);
    }
  }

  /// L, or L-3: three days before the last.
  bool LastDay(std::string_view part) {
    part.remove_prefix(1);
    if (part.empty()) return x_cron.x_days_from_last.set(0), true;
    const auto before = part[0] == '-' ? Integer(part.substr(1), 1, 30) : std::nullopt;
    if (before) x_cron.x_days_from_last.set(static_cast<std::size_t>(*before));
    return before.has_value();
  }

  /// friL or 5L: the last of the month; fri#2: the second.
  bool NthWeekday(std::string_view part) {
    const Field& field = Fields()[kWeekday];
    if (TakeEnd(part, 'L')) {
      const auto day = ValueOf(part, field);
      if (day) x_cron.x_last_weekdays.set(static_cast<std::size_t>(*day % 7));
      return day.has_value();
    }
    const std::size_t mark = part.find('#');
    if (mark == std::string_view::npos) return false;
    const auto day = ValueOf(part.substr(0, mark), field);
    const auto nth = Integer(part.substr(mark + 1), 1, 5);
    if (!day || !nth) return false;
    x_cron.x_nth_weekdays[static_cast<std::size_t>(*nth)].set(static_cast<std::size_t>(*day % 7));
    return true;
  }

  /// H, H(0-29), H/15, H(0-29)/10: values that the pipeline's name chooses, the same for ever.
  bool Spread(std::string_view part, int index, std::optional<int> step) {
    const Field& field = Fields()[static_cast<std::size_t>(index)];
    int first = field.least, last = index == kDay ? 28 : index == kWeekday ? 6 : field.most;
    part.remove_prefix(1);
    if (!part.empty()) {
      if (part.front() != '(' || !TakeEnd(part, ')')) return false;
      part.remove_prefix(1);
      const std::size_t dash = part.find('-');
      if (dash == std::string_view::npos) return false;
      const auto from = ValueOf(part.substr(0, dash), field);
      const auto to = ValueOf(part.substr(dash + 1), field);
      if (!from || !to || *from > *to) return false;
      first = *from;
      last = *to;
    }
    const std::string digest = Sha256Hex(std::string(x_name) + ":" + field.name).substr(0, 8);
    const auto number = static_cast<int>(std::strtoul(digest.c_str(), nullptr, 16) & 0x7fffffff);
    const int start = first + number % std::min(step.value_or(last - first + 1), last - first + 1);
    for (int value = start; value <= last; value += step.value_or(last)) {
      Set(index, value);
      if (!step) break;
    }
    return true;
  }

  CronFields x_cron;
  std::string_view x_name;
};

Result<CronFields> CronFields::Parse(std::string_view text, std::string_view name) {
  for (const auto& [word, fields] : kShort) {
    if (text == word) text = fields;
  }
  const std::string next = "write minute hour day month weekday, such as \"0 5 * * *\"";
  std::vector<std::string_view> fields;
  for (std::string_view part : SplitAt(text, ' ')) {
    if (!part.empty()) fields.push_back(part);
  }
  if (fields.size() != 5) {
    return Error{ErrorKind::kInvalidArgument,
                 "has " + std::to_string(fields.size()) + (fields.size() == 1 ? " field" : " fields") + ", not 5", next, ""};
  }
  CronParser parser(name);
  for (std::size_t i = 0; i < fields.size(); ++i) {
    for (std::string_view part : SplitAt(fields[i], ',')) {
      if (!part.empty() && parser.Part(part, static_cast<int>(i))) continue;
      const Field& field = Fields()[i];
      return Error{ErrorKind::kInvalidArgument,
                   "has '" + std::string(fields[i]) + "' as its " + field.name + " (" + std::to_string(field.least) + " to " +
                       std::to_string(field.most) + ")",
                   next, ""};
    }
  }
  return parser.Take();
}

bool CronFields::IsDay(std::chrono::year_month_day day) const {
  if (!x_months[static_cast<unsigned>(day.month())]) return false;
  const unsigned of_month = static_cast<unsigned>(day.day()), last = LastDayOf(day);
  const std::size_t weekday = std::chrono::weekday(std::chrono::sys_days(day)).c_encoding();
  const bool by_day = x_days[of_month] || x_days_from_last[last - of_month];
  const bool by_weekday = x_weekdays[weekday] || x_nth_weekdays[(of_month - 1) / 7 + 1][weekday] ||
                          (x_last_weekdays[weekday] && of_month + 7 > last);
  // As cron does: where both are restricted, either will do.
  return x_days_are_stars || x_weekdays_are_stars ? by_day && by_weekday : by_day || by_weekday;
}

std::optional<std::int64_t> CronFields::Next(std::int64_t from, std::int64_t end) const {
  std::int64_t day_number = from >= 0 ? from / kMinutesADay : -((-from + kMinutesADay - 1) / kMinutesADay);
  std::int64_t of_day = from - day_number * kMinutesADay;
  for (; day_number * kMinutesADay < end; ++day_number, of_day = 0) {
    if (!IsDay(std::chrono::year_month_day(std::chrono::sys_days(std::chrono::days(day_number))))) continue;
    for (std::int64_t hour = of_day / 60; hour < 24; ++hour) {
      if (!x_hours[static_cast<std::size_t>(hour)]) continue;
      for (std::int64_t minute = hour == of_day / 60 ? of_day % 60 : 0; minute < 60; ++minute) {
        if (!x_minutes[static_cast<std::size_t>(minute)]) continue;
        const std::int64_t found = day_number * kMinutesADay + hour * 60 + minute;
        return found < end ? std::optional(found) : std::nullopt;
      }
    }
  }
  return std::nullopt;
}

}  // namespace caudal
