#include "app/questions.h"

#include <poll.h>
#include <unistd.h>

namespace caudal {
namespace {

constexpr int kPollMs = 200;

std::string Trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

Error Missing(const Question& question) {
  const std::string choices = question.choices.empty() ? "" : "; there are: " + Joined(question.choices, 30);
  return Error{ErrorKind::kInvalidArgument, question.text + ": not given" + choices, "write " + question.option + ", or answer on a terminal", ""};
}

}  // namespace

Questions::Questions(const Console& console, const CancelFlag& cancel)
    : x_console(console), x_cancel(cancel), x_can_ask(!console.json() && ::isatty(STDIN_FILENO) == 1) {}

Result<std::string> Questions::Ask(const Question& question) const {
  if (!x_can_ask) {
    if (question.required && question.fallback.empty()) return Missing(question);
    return question.fallback;
  }
  std::string prompt = question.text;
  if (!question.choices.empty()) prompt += " (" + Joined(question.choices, 30) + ")";
  if (!question.fallback.empty()) prompt += " [" + question.fallback + "]";
  x_console.Write(prompt + ": ");
  TRY_ASSIGN(const std::string line, ReadLine());
  const std::string answer = Trimmed(line);
  if (!answer.empty()) return answer;
  if (question.required && question.fallback.empty()) return Missing(question);
  return question.fallback;
}

// Byte by byte, so that nothing of the next answer is taken.
Result<std::string> Questions::ReadLine() const {
  std::string line;
  for (;;) {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    const int ready = ::poll(&input, 1, kPollMs);
    if (x_cancel) return Error{ErrorKind::kCancelled, "stopped at a question; nothing was written", "", ""};
    if (ready <= 0) continue;
    char c = 0;
    const ssize_t got = ::read(STDIN_FILENO, &c, 1);
    if (got <= 0) return Error{ErrorKind::kInvalidArgument, "the answers ended before the questions; nothing was written", "see `caudal init source --help`", ""};
    if (c == '\n') return line;
    line += c;
  }
}

}  // namespace caudal
