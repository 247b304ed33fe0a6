// Questions to the person at the terminal. Used by one thread.
#pragma once

#include <string>
#include <vector>

#include "app/console.h"
#include "base/result.h"
#include "engine/engine.h"

namespace caudal {

struct Question {
  std::string text;                  // "Folder of the files"
  std::string option;                // "--location": what to type where nobody can be asked
  std::string fallback;              // of an empty answer
  bool required = false;             // an empty answer is none
  std::vector<std::string> choices;  // shown
};

class Questions {
 public:
  /// `cancel` ends a question that waits. Nobody is asked where standard input is no terminal, or programs read the answer.
  Questions(const Console& console, const CancelFlag& cancel);

  bool can_ask() const { return x_can_ask; }
  /// The answer without blanks around it, or the fallback. Errors: kInvalidArgument naming the option where a required answer is
  /// missing; kCancelled.
  Result<std::string> Ask(const Question& question) const;

 private:
  Result<std::string> ReadLine() const;

  const Console& x_console;
  const CancelFlag& x_cancel;
  bool x_can_ask;
};

}  // namespace caudal
