#include "project/option_form.h"

#include <algorithm>
#include <charconv>

#include "base/clock.h"
#include "data/name.h"
#include "project/file_context.h"

namespace caudal {
namespace {

bool LeavesFolder(std::string_view path) {
  int depth = 0;
  while (!path.empty()) {
    std::size_t slash = path.find('/');
    std::string_view part = path.substr(0, slash);
    if (part == "..") --depth;
    if (!part.empty() && part != "." && part != "..") ++depth;
    if (depth < 0) return true;
    path = slash == std::string_view::npos ? "" : path.substr(slash + 1);
  }
  return false;
}

std::string InUnit(const OptionSpec& spec, std::int64_t n) {
  if (spec.type == OptionType::kDuration) return std::to_string(n) + "ms";
  return std::to_string(n) + (spec.type == OptionType::kSize ? " bytes" : "");
}

std::optional<OptionMistake> OutOfRange(const OptionSpec& spec, std::int64_t n, const std::string& text) {
  if (n >= spec.least && n <= spec.most) return std::nullopt;
  const bool open = spec.most == std::numeric_limits<std::int64_t>::max();
  const std::string range = open ? "at least " + InUnit(spec, spec.least) : "from " + InUnit(spec, spec.least) + " to " + InUnit(spec, spec.most);
  return OptionMistake{"should be " + range + ", not '" + text + "'", spec.description};
}

std::optional<OptionMistake> MistakeOfInteger(const OptionSpec& spec, const std::string& text) {
  const std::optional<std::int64_t> n = ParseInteger(text);
  if (!n) return OptionMistake{"should be a whole number, not '" + text + "'", spec.description};
  return OutOfRange(spec, *n, text);
}

std::optional<OptionMistake> MistakeOfDuration(const OptionSpec& spec, const std::string& text) {
  const Result<std::chrono::milliseconds> duration = ParseDuration(text);
  if (!duration) return OptionMistake{"is " + duration.error().message, duration.error().next};
  return OutOfRange(spec, duration->count(), text);
}

std::optional<OptionMistake> MistakeOfSize(const OptionSpec& spec, const std::string& text) {
  const std::optional<std::int64_t> size = ParseSize(text);
  if (!size) return OptionMistake{"is not a size: '" + text + "'", "write a number and a unit, such as 64MB"};
  return OutOfRange(spec, *size, text);
}

std::optional<OptionMistake> MistakeOfPath(const OptionSpec& spec, const std::string& text) {
  if (text.empty()) return OptionMistake{"is empty", spec.description};
  if (text[0] == '/' || !LeavesFolder(text)) return std::nullopt;
  return OptionMistake{"leads out of the project folder: '" + text + "'", "write an absolute path"};
}

/// What stands behind the host's ':'; "" where nothing does.
std::optional<std::string_view> PortOf(std::string_view host) {
  const std::size_t bracket = host.rfind(']');
  const std::size_t colon = host.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon == std::string_view::npos) return std::nullopt;
  return host.substr(colon + 1);
}

std::optional<OptionMistake> MistakeOfUrl(const OptionSpec& spec, const std::string& text) {
  const std::string example = (spec.schemes.empty() ? std::string("https") : spec.schemes.back()) + "://host/path";
  const std::size_t scheme = text.find("://");
  const std::string_view rest = std::string_view(text).substr(std::min(text.size(), scheme + 3));
  const std::string_view host = rest.substr(0, rest.find_first_of("/?#"));
  const bool blank = text.find_first_of(" \t\r\n") != std::string::npos;
  if (scheme == std::string::npos || scheme == 0 || host.empty() || host[0] == ':' || blank) {
    // A text with '@' may be a password in the wrong place: it is not repeated.
    const bool quiet = text.find('@') != std::string::npos;
    return OptionMistake{quiet ? "is no URL" : "is no URL: '" + text + "'", "write it as " + example};
  }
  if (host.find('@') != std::string_view::npos) {
    return OptionMistake{"holds credentials", "take them out of the URL, and write them as ${NAME} in the options for them"};
  }
  const std::string word = LowerName(text.substr(0, scheme));
  if (!spec.schemes.empty() && std::find(spec.schemes.begin(), spec.schemes.end(), word) == spec.schemes.end()) {
    std::string all;
    for (const std::string& one : spec.schemes) all += (all.empty() ? "" : " or ") + one;
    return OptionMistake{"begins with '" + word + "://', and only " + all + " can be asked", "write it as " + example};
  }
  const std::optional<std::string_view> port = PortOf(host);
  const std::optional<std::int64_t> number = port ? ParseInteger(*port) : std::optional<std::int64_t>(1);
  if (!number || *number < 1 || *number > 65535) {
    return OptionMistake{"has a port that is none: '" + std::string(*port) + "'", "write a port from 1 to 65535, or leave it out"};
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::int64_t> ParseInteger(std::string_view text) {
  std::int64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return n;
}

std::optional<OptionMistake> FormMistakeOf(const OptionSpec& spec, const std::string& text) {
  const bool line_end = text.find_first_of("\r\n") != std::string::npos;
  switch (spec.form) {
    case OptionForm::kAny: return std::nullopt;
    case OptionForm::kLine:
      if (!line_end) return std::nullopt;
      return OptionMistake{"holds a line end", "write it in one line"};
    case OptionForm::kCharacter: {
      const bool word = std::find(spec.words.begin(), spec.words.end(), text) != spec.words.end();
      const bool character = text.size() == 1 && !line_end && static_cast<unsigned char>(text[0]) < 0x80;
      if (word || character) return std::nullopt;
      std::string also;
      for (const std::string& one : spec.words) also += ", or " + one;
      return OptionMistake{"should be one ASCII character, not '" + text + "'", "write one character in quotes, such as \";\"" + also};
    }
    case OptionForm::kGlob:
      if (text.empty()) return OptionMistake{"is empty", spec.description};
      if (text[0] == '/') return OptionMistake{"begins at the root: '" + text + "'", "write it below the location, such as \"*.csv\""};
      if (("/" + text + "/").find("/../") != std::string::npos) {
        return OptionMistake{"holds '..': '" + text + "'", "write it below the location, and change the location where the files lie elsewhere"};
      }
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<OptionMistake> MistakeOf(const OptionSpec& spec, const std::string& text) {
  switch (spec.type) {
    case OptionType::kInteger: return MistakeOfInteger(spec, text);
    case OptionType::kBoolean:
      if (ParseBoolean(text)) return std::nullopt;
      return OptionMistake{"should be true or false, not '" + text + "'", spec.description};
    case OptionType::kDuration: return MistakeOfDuration(spec, text);
    case OptionType::kSize: return MistakeOfSize(spec, text);
    case OptionType::kPath: return MistakeOfPath(spec, text);
    case OptionType::kUrl: return MistakeOfUrl(spec, text);
    case OptionType::kPlace: return text.find("://") == std::string::npos ? MistakeOfPath(spec, text) : MistakeOfUrl(spec, text);
    default: break;
  }
  if (spec.required && text.empty()) return OptionMistake{"is empty", spec.description};
  return FormMistakeOf(spec, text);
}

}  // namespace caudal
