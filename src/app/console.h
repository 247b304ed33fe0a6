// Where a verb's words go: text for people, one JSON document for programs. Not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/json_fwd.h"

namespace caudal {

enum class OutputFormat { kText, kCsv, kJson };

enum class Color { kNone, kRed, kGreen, kYellow, kDim, kBold };

class Console {
 public:
  /// `color`: what the user allows; nothing is coloured unless standard output is a terminal.
  Console(OutputFormat format, bool color);

  OutputFormat format() const { return x_format; }
  bool json() const { return x_format == OutputFormat::kJson; }
  /// True where standard output is a terminal that can redraw lines.
  bool live() const { return x_live && x_format == OutputFormat::kText; }
  /// Columns of the terminal; 0 = not a terminal, no limit.
  int width() const;

  /// `text` in that colour, where colours are on.
  std::string Paint(Color color, std::string_view text) const;

  /// As it is, to standard output; the caller ends its lines. What could not be written is told by Failure.
  void Write(std::string_view text) const;
  /// Text with a line's end.
  void Line(std::string_view text) const;
  /// One JSON document, one line.
  void Document(const Json& json) const;
  /// Tells of an error: standard error for people, `{"error": ...}` on standard output for programs. Gives its exit code.
  int Fail(const Error& error) const;
  /// Why standard output did not take all that was written; 0 = it did. An errno, of the process.
  static int Failure();
  /// A remark on standard error; nothing with JSON.
  void Remark(std::string_view text) const;

 private:
  OutputFormat x_format;
  bool x_color;
  bool x_live;
};

Json ErrorDocument(const Error& error);

/// 42481 -> "42,481".
std::string Grouped(std::int64_t number);
/// "1 row", "2 rows", "1,000 rows".
std::string Counted(std::int64_t number, std::string_view noun);
/// "812 B", "1.2 MB", powers of 1000 as the limits of caudal.yaml.
std::string SizeText(std::int64_t bytes);
/// "0.8 s", "2 min 05 s", "1 h 03 min".
std::string SecondsText(std::chrono::milliseconds elapsed);
/// The user's local time: "2026-01-31 10:04:05", or the time of day alone.
std::string LocalTime(Timestamp time);
std::string LocalTimeOfDay(Timestamp time);
/// The items with ", " between; past `limit`: "a, b and 7 more".
std::string Joined(const std::vector<std::string>& items, std::size_t limit);
/// `word` as the shell takes it for one argument.
std::string ShellQuoted(std::string_view word);

}  // namespace caudal
