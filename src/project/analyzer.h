// The engine's parser, as the project sees it: results of analyze jobs as values. The app puts an engine behind it.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "data/analysis.h"

namespace caudal {

class SqlAnalyzer {
 public:
  virtual ~SqlAnalyzer() = default;
  virtual Result<std::vector<Analysis>> Analyze(const std::vector<CatalogTable>& tables,
                                                const std::vector<AnalyzeQuery>& queries) = 0;
};

}  // namespace caudal
