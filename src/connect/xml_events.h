// A stranger's XML, as it streams by. Only xml_events.cc knows the library behind it. Used by one thread.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace caudal {

/// The attributes of one element; valid within OnStart.
class XmlAttributes {
 public:
  explicit XmlAttributes(const char* const* pairs) : x_pairs(pairs) {}
  /// "" where there is none. `name` as written, or behind a prefix.
  std::string_view Of(std::string_view name) const;

 private:
  const char* const* x_pairs;
};

/// Names come without a namespace's prefix; texts are UTF-8, and come in pieces.
class XmlHandler {
 public:
  virtual ~XmlHandler() = default;
  virtual Status OnStart(std::string_view name, const XmlAttributes& attributes) = 0;
  virtual Status OnText(std::string_view text) = 0;
  virtual Status OnEnd(std::string_view name) = 0;
};

class XmlEvents {
 public:
  /// `what` names the document in errors. `handler` outlives it.
  XmlEvents(std::string what, XmlHandler& handler);
  ~XmlEvents();
  XmlEvents(const XmlEvents&) = delete;
  XmlEvents& operator=(const XmlEvents&) = delete;

  /// Errors: the handler's; kCorruption for what is no XML, has a document type declaration, or 100 levels.
  Status Feed(std::string_view bytes);
  /// The end of the document. Errors: kCorruption where it is not at its end.
  Status Finish();

 private:
  struct State;
  State* x_state;
};

}  // namespace caudal
