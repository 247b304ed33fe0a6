// Numbers about the daemon and its pipelines in Prometheus' text format 0.0.4. Pure functions.
// Source: https://prometheus.io/docs/instrumenting/exposition_formats/
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace caudal {

/// Collects samples; each family's HELP and TYPE come once, in front of its samples. Not thread-safe.
class MetricsText {
 public:
  using Labels = std::vector<std::pair<std::string_view, std::string>>;
  /// Begins a family.
  void Family(std::string_view name, std::string_view type, std::string_view help);
  void Sample(const Labels& labels, double value);
  const std::string& text() const { return x_text; }

 private:
  std::string x_name;
  std::string x_text;
};

}  // namespace caudal
