// The project's SQL analyzer over an engine, for tests.
#pragma once

#include <utility>
#include <vector>

#include "engine/engine.h"
#include "project/analyzer.h"

namespace caudal {

class EngineAnalyzer final : public SqlAnalyzer {
 public:
  explicit EngineAnalyzer(Engine& engine) : x_engine(engine) {}
  Result<std::vector<Analysis>> Analyze(const std::vector<CatalogTable>& tables,
                                        const std::vector<AnalyzeQuery>& queries) override {
    TRY_ASSIGN(AnalyzeResult result, RunAnalyze(x_engine, AnalyzeJob{tables, queries}, {}, nullptr));
    return std::move(result.queries);
  }

 private:
  Engine& x_engine;
};

}  // namespace caudal
