#include "base/clock.h"

#include <gtest/gtest.h>

namespace caudal {
namespace {

using std::chrono::milliseconds;

TEST(ClockTest, FormatsAndReadsTimestamps) {
  auto t = ParseTimestamp("2026-01-31T10:00:00.123456Z");
  ASSERT_TRUE(t);
  EXPECT_EQ(FormatTimestamp(*t), "2026-01-31T10:00:00.123456Z");
  EXPECT_EQ(FormatTimestampMs(*t), "2026-01-31T10:00:00.123Z");
  EXPECT_EQ(FormatInstant(*t), "20260131100000123");
  EXPECT_EQ(FormatTimestamp(*ParseTimestamp("2026-01-31")), "2026-01-31T00:00:00.000000Z");
  EXPECT_EQ(FormatTimestamp(*ParseTimestamp("2026-01-31 10:05")), "2026-01-31T10:05:00.000000Z");
  EXPECT_EQ(FormatTimestamp(*ParseTimestamp("2026-01-31 10:05:01.5+00")), "2026-01-31T10:05:01.500000Z");
}

TEST(ClockTest, RefusesWhatIsNoTime) {
  for (const char* text : {"", "2026", "2026-13-01", "2026-02-30", "2026-01-01T25:00", "2026-01-01T10", "2026-01-01x",
                           "2026-01-01T10:00:00.", "-026-01-01", "2026-01-01T10:00+02:00"}) {
    EXPECT_FALSE(ParseTimestamp(text)) << text;
  }
}

TEST(ClockTest, MillisecondsBeforeTheEpochRoundDown) {
  EXPECT_EQ(MillisecondsOf(Timestamp{std::chrono::microseconds{-1}}), -1);
  EXPECT_EQ(MillisecondsOf(FromMilliseconds(-5)), -5);
}

TEST(DurationTest, ReadsUnitsAndSums) {
  EXPECT_EQ(*ParseDuration("15m"), milliseconds{900'000});
  EXPECT_EQ(*ParseDuration("1h30m"), milliseconds{5'400'000});
  EXPECT_EQ(*ParseDuration("250ms"), milliseconds{250});
  EXPECT_EQ(FormatDuration(milliseconds{5'400'250}), "1h30m250ms");
  EXPECT_EQ(FormatDuration(*ParseDuration("48h")), "2d");
}

TEST(DurationTest, RefusesWhatIsNoDuration) {
  for (const char* text : {"", "5", "m", "5 m", "-5m", "5y", "5m x", "99999999999h"}) {
    auto d = ParseDuration(text);
    ASSERT_FALSE(d) << text;
    EXPECT_EQ(d.error().kind, ErrorKind::kInvalidArgument);
  }
}

}  // namespace
}  // namespace caudal
