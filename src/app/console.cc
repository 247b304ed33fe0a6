#include "app/console.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "app/exit_code.h"
#include "base/json.h"
#include "serve/rows_document.h"

namespace caudal {
namespace {

bool ColorsWanted() {
  const char* no_color = std::getenv("NO_COLOR");  // https://no-color.org: present and not empty
  const char* terminal = std::getenv("TERM");
  return (no_color == nullptr || *no_color == '\0') && terminal != nullptr && std::string_view(terminal) != "dumb";
}

bool CanRedraw() {
  const char* terminal = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) == 1 && terminal != nullptr && std::string_view(terminal) != "dumb";
}

std::string_view CodeOf(Color color) {
  switch (color) {
    case Color::kRed: return "31";
    case Color::kGreen: return "32";
    case Color::kYellow: return "33";
    case Color::kDim: return "2";
    case Color::kBold: return "1";
    case Color::kNone: break;
  }
  return "";
}

std::string FormatLocal(Timestamp time, const char* form) {
  const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  char text[32];
  const std::size_t size = std::strftime(text, sizeof text, form, &parts);
  return std::string(text, size);
}

std::atomic<int> g_failure{0};

}  // namespace

Console::Console(OutputFormat format, bool color)
    : x_format(format), x_color(color && ColorsWanted() && ::isatty(STDOUT_FILENO) == 1), x_live(CanRedraw()) {}

int Console::width() const {
  winsize size{};
  if (!x_live || ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

std::string Console::Paint(Color color, std::string_view text) const {
  if (!x_color || color == Color::kNone) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", CodeOf(color), text);
}

void Console::Write(std::string_view text) const {
  errno = 0;
  const bool whole = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if ((!whole || std::fflush(stdout) != 0) && g_failure == 0) g_failure = errno != 0 ? errno : EIO;
}

int Console::Failure() { return g_failure; }

void Console::Line(std::string_view text) const { Write(std::string(text) + "\n"); }

void Console::Document(const Json& json) const { Line(DumpJson(json)); }

int Console::Fail(const Error& error) const {
  if (json()) {
    Document(ErrorDocument(error));
  } else {
    const bool color = x_color && ::isatty(STDERR_FILENO) == 1;
    std::string text = color ? Paint(Color::kRed, "error") : "error";
    text += ": " + (error.where.empty() ? "" : error.where + ": ") + error.message + "\n";
    if (!error.next.empty()) text += "  next: " + error.next + "\n";
    std::fflush(stdout);
    std::fputs(text.c_str(), stderr);
  }
  return ExitCodeOf(error.kind);
}

void Console::Remark(std::string_view text) const {
  if (!json()) std::fputs((std::string(text) + "\n").c_str(), stderr);
}

Json ErrorDocument(const Error& error) {
  return Json{{"error", ErrorObject(error)}};
}

std::string Grouped(std::int64_t number) {
  const std::string digits = fmt::format("{}", number);
  const std::size_t first = digits[0] == '-' ? 1 : 0;
  std::string grouped;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > first && (digits.size() - i) % 3 == 0) grouped += ',';
    grouped += digits[i];
  }
  return grouped;
}

std::string Counted(std::int64_t number, std::string_view noun) {
  return fmt::format("{} {}{}", Grouped(number), noun, number == 1 ? "" : "s");
}

std::string SizeText(std::int64_t bytes) {
  if (bytes < 1000) return fmt::format("{} B", bytes);
  double size = static_cast<double>(bytes);
  for (const char* unit : {"KB", "MB", "GB", "TB"}) {
    size /= 1000;
    if (size < 999.95) return fmt::format("{:.{}f} {}", size, size < 99.95 ? 1 : 0, unit);
  }
  return fmt::format("{:.0f} PB", size / 1000);
}

std::string SecondsText(std::chrono::milliseconds elapsed) {
  const std::int64_t ms = elapsed.count();
  if (ms < 60'000) return fmt::format("{:.{}f} s", static_cast<double>(ms) / 1000, ms < 100 ? 2 : 1);
  const std::int64_t seconds = ms / 1000;
  if (seconds < 3600) return fmt::format("{} min {:02} s", seconds / 60, seconds % 60);
  return fmt::format("{} h {:02} min", seconds / 3600, seconds % 3600 / 60);
}

std::string LocalTime(Timestamp time) { return FormatLocal(time, "%Y-%m-%d %H:%M:%S"); }

std::string LocalTimeOfDay(Timestamp time) { return FormatLocal(time, "%H:%M:%S"); }

std::string Joined(const std::vector<std::string>& items, std::size_t limit) {
  std::string text;
  for (std::size_t i = 0; i < items.size() && i < limit; ++i) text += (i == 0 ? "" : ", ") + items[i];
  if (items.size() > limit) text += fmt::format(" and {} more", items.size() - limit);
  return text;
}

std::string ShellQuoted(std::string_view word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:@%,";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string_view::npos) return std::string(word);
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace caudal
