#include "connect/json_outline.h"

#include "base/json.h"

namespace caudal {
namespace {

constexpr std::size_t kNone = std::string_view::npos;

/// Positions in a body; each call gives the one behind what it skipped, or kNone.
class Skimmer {
 public:
  explicit Skimmer(std::string_view body) : x_body(body) {}

  std::size_t Blanks(std::size_t at) const { return x_body.find_first_not_of(" \t\r\n", at); }
  char At(std::size_t at) const { return at < x_body.size() ? x_body[at] : '\0'; }

  /// `at` is at the opening quote.
  std::size_t String(std::size_t at) const {
    for (++at;;) {
      at = x_body.find_first_of("\"\\", at);
      if (at == kNone) return kNone;
      if (x_body[at] == '"') return at + 1;
      at += 2;
    }
  }

  std::size_t Value(std::size_t at) const {
    const char first = At(at);
    if (first == '"') return String(at);
    if (first != '{' && first != '[') {
      const std::size_t end = x_body.find_first_of(",]} \t\r\n", at);
      return end == at ? kNone : end;
    }
    std::string closers;
    while (at < x_body.size()) {
      const char c = x_body[at];
      if (c == '"') {
        at = String(at);
        if (at == kNone) return kNone;
        continue;
      }
      ++at;
      if (c == '{') closers.push_back('}');
      if (c == '[') closers.push_back(']');
      if (c != '}' && c != ']') continue;
      if (closers.back() != c) return kNone;
      closers.pop_back();
      if (closers.empty()) return at;
    }
    return kNone;
  }

  /// The value of the member `name` of the object at `at`.
  std::size_t Member(std::size_t at, const std::string& name) const {
    if (At(at) != '{') return kNone;
    for (at = Blanks(at + 1); At(at) == '"'; at = Blanks(at + 1)) {
      const std::size_t end = String(at);
      if (end == kNone) return kNone;
      const std::string_view key = x_body.substr(at + 1, end - at - 2);
      if (key.find('\\') != kNone) return kNone;
      at = Blanks(end);
      if (At(at) != ':') return kNone;
      at = Blanks(at + 1);
      if (key == name) return at;
      at = Blanks(Value(at));
      if (At(at) != ',') return kNone;
    }
    return kNone;
  }

 private:
  std::string_view x_body;
};

}  // namespace

std::optional<JsonOutline> OutlineOf(std::string_view body, const std::vector<std::string>& selector) {
  const Skimmer skim(body);
  std::size_t begin = skim.Blanks(0);
  for (const std::string& step : selector) {
    begin = skim.Member(begin, step);
    if (begin == kNone) return std::nullopt;
  }
  if (skim.At(begin) != '[') return std::nullopt;
  JsonOutline outline;
  std::size_t at = skim.Blanks(begin + 1);
  while (skim.At(at) != ']') {
    at = skim.Blanks(skim.Value(at));
    ++outline.records;
    if (skim.At(at) == ']') break;
    if (skim.At(at) != ',') return std::nullopt;
    at = skim.Blanks(at + 1);
    if (skim.At(at) == ']') return std::nullopt;  // a comma behind the last
  }
  std::string rest(body.substr(0, begin + 1));
  rest += body.substr(at);
  Json parsed = Json::parse(rest, nullptr, false);
  if (parsed.is_discarded()) return std::nullopt;
  outline.rest = std::make_shared<const Json>(std::move(parsed));
  return outline;
}

}  // namespace caudal
