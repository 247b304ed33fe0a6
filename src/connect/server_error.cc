#include "connect/server_error.h"

#include <fmt/format.h>

#include <algorithm>

namespace caudal {
namespace {

std::string Filled(std::string_view pattern, const SourceRequest& request, const Options& options) {
  return fmt::format(fmt::runtime(pattern), fmt::arg("host", options.Text("host", "")), fmt::arg("port", options.Integer("port", 0)),
                     fmt::arg("user", options.Text("user", "")), fmt::arg("database", options.Text("database", "")),
                     fmt::arg("sslmode", options.Text("sslmode", "prefer")), fmt::arg("stream", request.stream));
}

}  // namespace

bool Explained(std::span<const ServerMeaning> meanings, const SourceRequest& request, const Options& options,
               const std::string& words, Error& error) {
  for (const ServerMeaning& meaning : meanings) {
    if (error.message.find(meaning.said) == std::string::npos) continue;
    const std::string what = Filled(meaning.what, request, options);
    error = Error{meaning.kind, words.empty() ? what : what + ": " + words, Filled(meaning.next, request, options), error.where};
    return true;
  }
  return false;
}

Error ExplainedValue(const std::string& words, const Error& error) {
  return Error{ErrorKind::kInvalidArgument, "a value cannot be held by its column's type: " + words,
               "leave the column out with `select:`, or cast it in a `query:`", error.where};
}

std::string OneLine(std::string_view words) {
  while (!words.empty() && (words.back() == '\n' || words.back() == ' ')) words.remove_suffix(1);
  std::string line(words.substr(0, 300));
  std::replace(line.begin(), line.end(), '\n', ' ');
  std::replace(line.begin(), line.end(), '\t', ' ');
  return line;
}

}  // namespace caudal
