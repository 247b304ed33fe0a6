#include "connect/excel_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>

namespace caudal {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;
constexpr double kLastSerial = 2'958'466;  // the day after 9999-12-31

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// -?digits without leading zeros: some programs write whole numbers with more digits than Excel has, and mean each.
bool IsPlainInteger(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  if (text.empty() || (text[0] == '0' && text.size() > 1)) return false;
  for (const char c : text) {
    if (!IsDigit(c)) return false;
  }
  return true;
}

/// Significant digits of a number as fmt writes it.
int DigitsOf(std::string_view text) {
  int digits = 0;
  int zeros = 0;  // those at the end, that may not count
  for (const char c : text.substr(0, text.find('e'))) {
    if (!IsDigit(c)) continue;
    if (c == '0') {
      zeros += digits > 0 ? 1 : 0;
    } else {
      digits += zeros + 1;
      zeros = 0;
    }
  }
  return digits;
}

std::string PlainNumber(double value) {
  if (value == 0) return "0";
  if (std::fabs(value) < 1e15 && std::trunc(value) == value) return fmt::format("{:.0f}", value);
  const std::string exact = fmt::format("{}", value);
  if (DigitsOf(exact) <= 15) return std::fabs(value) < 1e18 && std::trunc(value) == value ? fmt::format("{:.0f}", value) : exact;
  // 29.990000000000002 is what adding 9.99 and 20 gives, and 29.99 is what Excel shows.
  const std::string shown = fmt::format("{:.15g}", value);
  if (DigitsOf(shown) > 12) return exact;
  double rounded = value;
  std::from_chars(shown.data(), shown.data() + shown.size(), rounded);
  return std::trunc(rounded) == rounded && std::fabs(rounded) < 1e15 ? fmt::format("{:.0f}", rounded) : fmt::format("{}", rounded);
}

/// A character of 16 bits.
void AppendUtf8(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
    return;
  }
  if (code < 0x800) {
    out.push_back(static_cast<char>(0xC0 | (code >> 6)));
  } else {
    out.push_back(static_cast<char>(0xE0 | (code >> 12)));
    out.push_back(static_cast<char>(0x80 | ((code >> 6) & 0x3F)));
  }
  out.push_back(static_cast<char>(0x80 | (code & 0x3F)));
}

std::string Clock(std::int64_t ms) {
  std::string text = fmt::format("{:02}:{:02}:{:02}", ms / 3'600'000, ms / 60'000 % 60, ms / 1000 % 60);
  if (ms % 1000 != 0) text += fmt::format(".{:03}", ms % 1000);
  return text;
}

std::string Day(std::int64_t days, bool since_1904) {
  // Day 0, and the leap day that 1900 did not have, are days of Excel alone: no calendar has them.
  if (!since_1904 && days == 0) return "1900-01-00";
  if (!since_1904 && days == 60) return "1900-02-29";
  namespace c = std::chrono;
  const c::sys_days zero = since_1904 ? c::sys_days(c::year{1904} / 1 / 1) : c::sys_days(c::year{1899} / 12 / (days < 60 ? 31 : 30));
  const c::year_month_day day(zero + c::days(days));
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(day.year()), static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
}

}  // namespace

NumberForm FormOfId(int id) {
  if ((id >= 14 && id <= 17) || (id >= 27 && id <= 31) || id == 36 || (id >= 50 && id <= 54) || id == 57 || id == 58) return NumberForm::kDate;
  if ((id >= 18 && id <= 21) || (id >= 32 && id <= 35) || id == 45 || id == 47 || id == 55 || id == 56) return NumberForm::kTime;
  if (id == 46) return NumberForm::kElapsed;
  return id == 22 ? NumberForm::kMoment : NumberForm::kNumber;
}

NumberForm FormOfCode(std::string_view code) {
  bool day = false;
  bool month_or_minute = false;
  bool time = false;
  for (std::size_t i = 0; i < code.size(); ++i) {
    const char c = code[i];
    if (c == ';') break;  // of what is positive
    if (c == '\\' || c == '_' || c == '*') {
      ++i;
    } else if (c == '"') {
      i = std::min(code.find('"', i + 1), code.size());
    } else if (c == '[') {
      const std::size_t close = std::min(code.find(']', i), code.size());
      const char inside = static_cast<char>(i + 1 < close ? code[i + 1] | 0x20 : 0);
      const std::string_view word = code.substr(i + 1, close - i - 1);
      const bool counts = (inside == 'h' || inside == 'm' || inside == 's') && word.find_first_not_of(word[0]) == std::string_view::npos;
      if (counts) return NumberForm::kElapsed;
      i = close;
    } else if ((c | 0x20) == 'g' && code.size() - i >= 7 && (code[i + 1] | 0x20) == 'e' && (code[i + 2] | 0x20) == 'n') {
      i += 6;  // General
    } else {
      const char lower = static_cast<char>(c | 0x20);
      day = day || lower == 'y' || lower == 'd';
      time = time || lower == 'h' || lower == 's';
      month_or_minute = month_or_minute || lower == 'm';
    }
  }
  day = day || (month_or_minute && !time);
  if (day) return time ? NumberForm::kMoment : NumberForm::kDate;
  return time ? NumberForm::kTime : NumberForm::kNumber;
}

std::string NumberText(std::string_view written, NumberForm form, bool since_1904) {
  if (form == NumberForm::kNumber && IsPlainInteger(written)) return written == "-0" ? "0" : std::string(written);
  double value = 0;
  const char* end = written.data() + written.size();
  const auto [at, error] = std::from_chars(written.data() + (written.starts_with('+') ? 1 : 0), end, value);
  if (error != std::errc() || at != end || !std::isfinite(value)) return std::string(written);
  if (form == NumberForm::kNumber || value < 0 || value >= kLastSerial) return PlainNumber(value);
  const std::int64_t ms = std::llround(value * static_cast<double>(kDayMs));
  if (form == NumberForm::kElapsed || (form == NumberForm::kTime && value < 1)) return Clock(ms);
  std::string text = Day(ms / kDayMs, since_1904);
  if (form != NumberForm::kDate || ms % kDayMs != 0) text += " " + Clock(ms % kDayMs);
  return text;
}

std::string WithoutEscapes(std::string text) {
  std::size_t at = text.find("_x");
  if (at == std::string::npos) return text;
  std::string out;
  std::size_t done = 0;
  for (; at != std::string::npos; at = text.find("_x", at)) {
    std::uint32_t code = 0;
    const char* last = text.data() + at + 6;
    bool escape = at + 7 <= text.size() && text[at + 6] == '_';
    if (escape) {
      const auto [end, error] = std::from_chars(text.data() + at + 2, last, code, 16);
      escape = error == std::errc() && end == last && code != 0 && (code < 0xD800 || code > 0xDFFF);
    }
    out.append(text, done, at - done);
    if (escape) {
      AppendUtf8(out, code);
    } else {
      out += "_x";
    }
    at += escape ? 7 : 2;
    done = at;
  }
  return out.append(text, done);
}

}  // namespace caudal
