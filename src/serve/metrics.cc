#include "serve/metrics.h"

#include <fmt/format.h>

namespace caudal {
namespace {

std::string Escaped(std::string_view value) {
  std::string text;
  for (const char c : value) {
    if (c == '\\' || c == '"') text += '\\';
    text += c == '\n' ? std::string("\\n") : std::string(1, c);
  }
  return text;
}

}  // namespace

void MetricsText::Family(std::string_view name, std::string_view type, std::string_view help) {
  x_name = name;
  x_text += fmt::format("# HELP {0} {2}\n# TYPE {0} {1}\n", name, type, help);
}

void MetricsText::Sample(const Labels& labels, double value) {
  x_text += x_name;
  for (std::size_t i = 0; i < labels.size(); ++i) x_text += fmt::format("{}{}=\"{}\"", i == 0 ? "{" : ",", labels[i].first, Escaped(labels[i].second));
  if (!labels.empty()) x_text += "}";
  x_text += fmt::format(" {}\n", value);
}

}  // namespace caudal
