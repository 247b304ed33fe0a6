#include "app/analysis_cache.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

namespace caudal {
namespace {

/// Answers every analysis with the number of times it was asked.
class CountingEngine final : public Engine {
 public:
  Result<JobResult> Run(const Job& job, const RunOptions&, JobCost*) override {
    ++asked;
    if (!std::holds_alternative<AnalyzeJob>(job)) return JobResult(MoveResult{});
    if (fails) return Error{ErrorKind::kTimeout, "it took too long", "", ""};
    Analysis analysis;
    analysis.name = "answer " + std::to_string(asked);
    return JobResult(AnalyzeResult{{analysis}});
  }
  int asked = 0;
  bool fails = false;
};

class AnalysisCacheTest : public ::testing::Test {
 protected:
  AnalysisCacheTest() {
    std::string folder = ::testing::TempDir() + "/cacheXXXXXX";
    EXPECT_NE(::mkdtemp(folder.data()), nullptr);
    x_file = folder + "/analysis.json";
  }
  static std::string Ask(Engine& engine, const std::string& sql) {
    auto result = RunAnalyze(engine, AnalyzeJob{{}, {{"q", sql, ""}}}, RunOptions{}, nullptr);
    return result ? result->queries.at(0).name : result.error().message;
  }
  std::string x_file;
  CountingEngine x_under;
};

TEST_F(AnalysisCacheTest, AsksOnceForOneQueryAcrossLives) {
  {
    auto cache = MakeAnalysisCache(x_under, x_file, "build 1");
    EXPECT_EQ(Ask(*cache, "SELECT 1"), "answer 1");
    EXPECT_EQ(Ask(*cache, "SELECT 1"), "answer 1");
    EXPECT_EQ(Ask(*cache, "SELECT 2"), "answer 2");
  }
  auto cache = MakeAnalysisCache(x_under, x_file, "build 1");
  EXPECT_EQ(Ask(*cache, "SELECT 2"), "answer 2");
  EXPECT_EQ(Ask(*cache, "SELECT 1"), "answer 1");
  EXPECT_EQ(x_under.asked, 2);
}

TEST_F(AnalysisCacheTest, ForgetsTheAnswersOfAnotherBuild) {
  { Ask(*MakeAnalysisCache(x_under, x_file, "build 1"), "SELECT 1"); }
  EXPECT_EQ(Ask(*MakeAnalysisCache(x_under, x_file, "build 2"), "SELECT 1"), "answer 2");
}

TEST_F(AnalysisCacheTest, KeepsNoFailureAndNoOtherJob) {
  auto cache = MakeAnalysisCache(x_under, x_file, "build 1");
  x_under.fails = true;
  EXPECT_EQ(Ask(*cache, "SELECT 1"), "it took too long");
  x_under.fails = false;
  EXPECT_EQ(Ask(*cache, "SELECT 1"), "answer 2");
  EXPECT_TRUE(RunMove(*cache, MoveJob{}, RunOptions{}, nullptr));
  EXPECT_TRUE(RunMove(*cache, MoveJob{}, RunOptions{}, nullptr));
  EXPECT_EQ(x_under.asked, 4);
}

TEST_F(AnalysisCacheTest, ABrokenFileCostsTheCacheAlone) {
  std::ofstream(x_file) << "{\"program\": 7, ";
  EXPECT_EQ(Ask(*MakeAnalysisCache(x_under, x_file, "build 1"), "SELECT 1"), "answer 1");
  EXPECT_EQ(Ask(*MakeAnalysisCache(x_under, x_file, "build 1"), "SELECT 1"), "answer 1");
  EXPECT_EQ(Ask(*MakeAnalysisCache(x_under, "/proc/nowhere/x.json", "build 1"), "SELECT 1"), "answer 2");
}

}  // namespace
}  // namespace caudal
