#include "flow/interval.h"

#include <gtest/gtest.h>

namespace caudal {
namespace {

class IntervalTest : public ::testing::Test {
 protected:
  IntervalTest() {
    x_model.materialize = Materialize::kMerge;
    x_model.time_column = "At";
    SetType(TypeKind::kDate);
    x_range = {*ParseTimestamp("2010-12-01"), *ParseTimestamp("2010-12-09")};
  }
  void SetType(TypeKind kind) {
    OutputColumn column;
    column.field = {"at", Type{kind, 0, 0, {}}, 0};
    x_model.analysis.columns = {column};
  }
  std::optional<Interval> Next(const std::string& cursor) { return NextInterval(x_model, cursor, x_range, x_now); }

  ModelConfig x_model;
  TimeRange x_range;
  Timestamp x_now = *ParseTimestamp("2026-01-31T10:11:12.123456");
};

TEST_F(IntervalTest, EndsBehindTheNewestDayAndBeginsWithItAgain) {
  EXPECT_EQ(Next(""), (Interval{"2010-12-01", "2010-12-10", "2010-12-09"}));
  EXPECT_EQ(Next("2010-12-07"), (Interval{"2010-12-07", "2010-12-10", "2010-12-09"}));
  EXPECT_EQ(Next("2010-12-09"), (Interval{"2010-12-09", "2010-12-10", "2010-12-09"}));
  EXPECT_EQ(Next("2010-12-20"), (Interval{"2010-12-20", "2010-12-21", "2010-12-20"})) << "the cursor never goes back";
  x_model.late = std::chrono::hours{48};
  EXPECT_EQ(Next("2010-12-09")->from, "2010-12-07");
}

TEST_F(IntervalTest, AppendsWhatIsOver) {
  x_model.materialize = Materialize::kAppend;
  EXPECT_EQ(Next(""), (Interval{"2010-12-01", "2010-12-09", "2010-12-09"}));
  EXPECT_EQ(Next("2010-12-09"), std::nullopt);
}

TEST_F(IntervalTest, NobodyKnowsTheInputsTime) {
  x_range = {};
  EXPECT_EQ(Next(""), (Interval{"1970-01-01", "2026-02-01", "2026-01-31"}));
}

TEST_F(IntervalTest, InstantsAllowForBoundsInMilliseconds) {
  SetType(TypeKind::kTimestamptz);
  x_range.newest = *ParseTimestamp("2010-12-09T01:02:03.124");  // of a value of .1234
  EXPECT_EQ(Next(""), (Interval{"2010-12-01T00:00:00.000000Z", "2010-12-09T01:02:03.125000Z", "2010-12-09T01:02:03.123000Z"}));
  EXPECT_EQ(Next("2010-12-09T01:02:03.123000Z"),
            (Interval{"2010-12-09T01:02:03.123000Z", "2010-12-09T01:02:03.125000Z", "2010-12-09T01:02:03.123000Z"}));
}

TEST_F(IntervalTest, ABackfillMayBeOpen) {
  EXPECT_EQ(GivenInterval(x_model, {"2010-12-03", "2010-12-05"}, x_range, x_now), (Interval{"2010-12-03", "2010-12-05", ""}));
  EXPECT_EQ(GivenInterval(x_model, {"", ""}, x_range, x_now), (Interval{"2010-12-01", "2010-12-10", ""}));
}

TEST_F(IntervalTest, SaysItAsACondition) {
  EXPECT_EQ(InInterval(x_model, {"2010-12-03", "2010-12-05", ""}),
            R"(("At" >= CAST('2010-12-03' AS DATE) AND "At" < CAST('2010-12-05' AS DATE)))");
}

}  // namespace
}  // namespace caudal
