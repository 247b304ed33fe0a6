#include "serve/answer_cache.h"

#include <gtest/gtest.h>

namespace caudal {
namespace {

using std::chrono::milliseconds;

class AnswerCacheTest : public ::testing::Test {
 protected:
  AnswerCacheTest() {
    x_ground.changes = 7;
    x_ground.now = FromMilliseconds(1'780'000'000'000);
    x_response.body = "{}";
  }
  bool Has(const std::string& asked, const AnswerGround& ground) const { return x_cache.Find(asked, ground).has_value(); }

  AnswerCache x_cache;
  AnswerGround x_ground;
  HttpResponse x_response;
};

TEST_F(AnswerCacheTest, AnAnswerIsGoodForASecondWhileNothingChanges) {
  x_cache.Keep("/runs?limit=2", x_ground, x_response);
  EXPECT_TRUE(Has("/runs?limit=2", x_ground));
  EXPECT_FALSE(Has("/runs?limit=3", x_ground));
  AnswerGround other = x_ground;
  other.now += milliseconds(999);
  EXPECT_TRUE(Has("/runs?limit=2", other));
  other.now += milliseconds(1);
  EXPECT_FALSE(Has("/runs?limit=2", other));
  other = x_ground;
  other.now -= milliseconds(1);
  EXPECT_FALSE(Has("/runs?limit=2", other)) << "the clock went back";
  other = x_ground;
  other.changes = 8;
  EXPECT_FALSE(Has("/runs?limit=2", other));
  other = x_ground;
  other.waiting = "a run";
  EXPECT_FALSE(Has("/runs?limit=2", other));
}

TEST_F(AnswerCacheTest, ANewGroundDropsWhatStoodOnTheOld) {
  x_cache.Keep("/a?", x_ground, x_response);
  AnswerGround next = x_ground;
  next.changes = 8;
  x_cache.Keep("/b?", next, x_response);
  EXPECT_TRUE(Has("/b?", next));
  EXPECT_FALSE(Has("/a?", next));
  EXPECT_FALSE(Has("/a?", x_ground));
}

TEST_F(AnswerCacheTest, RefusalsAndLargeAnswersAreNotKept) {
  x_response.status = 404;
  x_cache.Keep("/a?", x_ground, x_response);
  x_response.status = 200;
  x_response.body.assign(std::size_t{2} << 20, 'x');
  x_cache.Keep("/b?", x_ground, x_response);
  EXPECT_FALSE(Has("/a?", x_ground));
  EXPECT_FALSE(Has("/b?", x_ground));
}

}  // namespace
}  // namespace caudal
