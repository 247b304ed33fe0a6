#include "connect/xml_events.h"

#include <expat.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace caudal {
namespace {

constexpr int kMostLevels = 100;
constexpr std::size_t kMostAtOnce = std::size_t{64} << 20;

std::string_view WithoutPrefix(std::string_view name) {
  const std::size_t colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

}  // namespace

struct XmlEvents::State {
  std::string what;
  XmlHandler& handler;
  XML_Parser parser = XML_ParserCreate(nullptr);
  std::optional<Error> failed = std::nullopt;
  int levels = 0;

  void Take(Status status) {
    if (status || failed) return;
    failed = std::move(status).error();
    XML_StopParser(parser, XML_FALSE);
  }
  Error Broken(const std::string& why) const {
    return Error{ErrorKind::kCorruption, fmt::format("{}: {}", what, why), "ask for the file again", ""};
  }
  Status Parse(std::string_view bytes, bool last) {
    if (failed) return *failed;
    const XML_Status status = XML_Parse(parser, bytes.data(), static_cast<int>(bytes.size()), last ? 1 : 0);
    if (failed) return *failed;
    if (status == XML_STATUS_OK) return {};
    failed = Broken(fmt::format("{} in line {}", XML_ErrorString(XML_GetErrorCode(parser)), XML_GetCurrentLineNumber(parser)));
    return *failed;
  }

  static void Start(void* user, const XML_Char* name, const XML_Char** pairs) {
    auto* state = static_cast<State*>(user);
    if (++state->levels > kMostLevels) return state->Take(state->Broken("more than 100 levels"));
    state->Take(state->handler.OnStart(WithoutPrefix(name), XmlAttributes(pairs)));
  }
  static void End(void* user, const XML_Char* name) {
    auto* state = static_cast<State*>(user);
    --state->levels;
    state->Take(state->handler.OnEnd(WithoutPrefix(name)));
  }
  static void Text(void* user, const XML_Char* text, int length) {
    auto* state = static_cast<State*>(user);
    state->Take(state->handler.OnText(std::string_view(text, static_cast<std::size_t>(length))));
  }
  /// Entities of one's own are how a small document grows without bounds, or names other files.
  static void Doctype(void* user, const XML_Char*, const XML_Char*, const XML_Char*, int) {
    auto* state = static_cast<State*>(user);
    state->Take(state->Broken("a document type declaration, which no such file has"));
  }
};

std::string_view XmlAttributes::Of(std::string_view name) const {
  for (const char* const* pair = x_pairs; *pair != nullptr; pair += 2) {
    if (WithoutPrefix(pair[0]) == name) return pair[1];
  }
  return {};
}

XmlEvents::XmlEvents(std::string what, XmlHandler& handler) : x_state(new State{std::move(what), handler}) {
  XML_SetUserData(x_state->parser, x_state);
  XML_SetElementHandler(x_state->parser, &State::Start, &State::End);
  XML_SetCharacterDataHandler(x_state->parser, &State::Text);
  XML_SetStartDoctypeDeclHandler(x_state->parser, &State::Doctype);
}

XmlEvents::~XmlEvents() {
  XML_ParserFree(x_state->parser);
  delete x_state;
}

Status XmlEvents::Feed(std::string_view bytes) {
  for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), kMostAtOnce))) {
    TRY(x_state->Parse(bytes.substr(0, kMostAtOnce), false));
  }
  return {};
}

Status XmlEvents::Finish() { return x_state->Parse({}, true); }

}  // namespace caudal
