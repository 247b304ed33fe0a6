#include "project/schedule.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace caudal {
namespace {

Timestamp At(const std::string& text) { return *ParseTimestamp(text); }

Schedule Of(const std::string& text, const std::string& zone = "UTC", OnDst on_dst = OnDst::kByHours, const std::string& name = "daily") {
  auto schedule = Schedule::Parse(text, name, *TimeZone::Find(zone), on_dst);
  EXPECT_TRUE(schedule) << text << ": " << schedule.error().ToString();
  return *schedule;
}

/// The next `n` after `from`, UTC, to the minute.
std::string Next(const Schedule& schedule, const std::string& from, int n) {
  std::string text;
  Timestamp at = At(from);
  for (int i = 0; i < n; ++i) {
    auto next = schedule.NextAfter(at);
    if (!next) return text + " never";
    at = *next;
    text += (i == 0 ? "" : " ") + FormatTimestamp(at).substr(0, 16);
  }
  return text;
}

TEST(Schedule, FieldsNameTheTimesThatCronUsersExpect) {
  struct Case {
    const char *fields, *from, *next;
  };
  for (const Case& c : {
           Case{"0 5 * * *", "2026-01-31T05:00", "2026-02-01T05:00 2026-02-02T05:00"},
           Case{"0 5 * * *", "2026-01-31T04:59:59.999999", "2026-01-31T05:00 2026-02-01T05:00"},
           Case{"*/20 9-10 * * mon-fri", "2026-01-30T10:20", "2026-01-30T10:40 2026-02-02T09:00"},
           Case{"5,35 0 1 jan,JUL *", "2026-01-01T00:05", "2026-01-01T00:35 2026-07-01T00:05"},
           Case{"0 0 29 2 *", "2026-01-01", "2028-02-29T00:00 2032-02-29T00:00"},
           Case{"0 12 L * *", "2026-01-31T12:00", "2026-02-28T12:00 2026-03-31T12:00"},
           Case{"0 12 L-2 * *", "2026-01-31T12:00", "2026-02-26T12:00 2026-03-29T12:00"},
           Case{"0 0 * * friL", "2026-01-01", "2026-01-30T00:00 2026-02-27T00:00"},
           Case{"0 0 * * 5L", "2026-05-01", "2026-05-29T00:00 2026-06-26T00:00"},
           Case{"0 0 * * mon#1", "2026-01-31", "2026-02-02T00:00 2026-03-02T00:00"},
           Case{"0 0 * * 0#5", "2026-01-31", "2026-03-29T00:00 2026-05-31T00:00"},
           Case{"0 0 * * 7", "2026-01-31", "2026-02-01T00:00 2026-02-08T00:00"},
           // Both day fields restricted: either will do, as in cron.
           Case{"0 0 13 * fri", "2026-02-01", "2026-02-06T00:00 2026-02-13T00:00"},
           Case{"0 0 */2 * mon", "2026-02-01", "2026-02-09T00:00 2026-02-23T00:00"},
           Case{"1-10/3 0 1 1 *", "2025-12-31", "2026-01-01T00:01 2026-01-01T00:04"},
           Case{"@hourly", "2026-01-31T10:30", "2026-01-31T11:00 2026-01-31T12:00"},
           Case{"@weekly", "2026-01-31", "2026-02-01T00:00 2026-02-08T00:00"},
           Case{"@yearly", "2026-01-31", "2027-01-01T00:00 2028-01-01T00:00"},
           Case{"every 15m", "2026-01-31T10:30", "2026-01-31T10:45 2026-01-31T11:00"},
           Case{"every 1d", "2026-01-31T10:30", "2026-02-01T00:00 2026-02-02T00:00"},
       }) {
    EXPECT_EQ(Next(Of(c.fields), c.from, 2), c.next) << c.fields;
  }
}

TEST(Schedule, WhatIsNoScheduleSaysWhy) {
  for (const char* text : {"", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "5/10 * * * *",
                           "*/0 * * * *", "9-5 * * * *", "L * * * *", "* * LL * *", "* * L-31 * *", "* * * * fri#6", "* * * * L", "H(5) * * * *",
                           "H(9-5) * * * *", "1,,2 * * * *", "@noon", "every", "every 0s", "every 500ms", "0 0 31 2,4 *", "-1 * * * *"}) {
    auto schedule = Schedule::Parse(text, "daily", TimeZone(), OnDst::kByHours);
    ASSERT_FALSE(schedule) << text;
    EXPECT_FALSE(schedule.error().next.empty()) << text;
  }
}

TEST(Schedule, HSpreadsByNameAndStaysWhereItIs) {
  std::set<std::string> minutes;
  for (int i = 0; i < 50; ++i) {
    const std::string name = "pipeline_" + std::to_string(i);
    const std::string once = Next(Of("H 5 * * *", "UTC", OnDst::kByHours, name), "2026-01-01", 1);
    EXPECT_EQ(once, Next(Of("H 5 * * *", "UTC", OnDst::kByHours, name), "2026-01-01", 1));
    EXPECT_EQ(once.substr(0, 14), "2026-01-01T05:");
    minutes.insert(once);
    EXPECT_LT(Next(Of("H(0-9) 5 * * *", "UTC", OnDst::kByHours, name), "2026-01-01", 1), "2026-01-01T05:10");
    EXPECT_EQ(Of("H/15 * * * *", "UTC", OnDst::kByHours, name).Between(At("2026-01-01"), At("2026-01-02"), 1000).size(), 96u);
  }
  EXPECT_GT(minutes.size(), 25u) << "fifty names share few minutes";
  // A promise: an upgrade does not move anybody's time.
  EXPECT_EQ(Next(Of("H H * * *", "UTC", OnDst::kByHours, "daily"), "2026-01-01", 1), Next(Of("H H * * *"), "2026-01-01", 1));
}

// Madrid: 2026-03-29 02:00 becomes 03:00 (01:00 UTC); 2026-10-25 03:00 becomes 02:00 (01:00 UTC).
TEST(Schedule, AChangedClockNeitherDoublesNorLosesSilently) {
  struct Case {
    const char* fields;
    OnDst rule;
    const char *from, *next;
  };
  for (const Case& c : {
           Case{"30 2 * * *", OnDst::kFirst, "2026-03-28T12:00", "2026-03-29T01:00 2026-03-30T00:30"},
           Case{"30 2 * * *", OnDst::kByHours, "2026-03-28T12:00", "2026-03-29T01:00 2026-03-30T00:30"},
           Case{"30 2 * * *", OnDst::kSkip, "2026-03-28T12:00", "2026-03-30T00:30 2026-03-31T00:30"},
           Case{"30 2 * * *", OnDst::kBoth, "2026-03-28T12:00", "2026-03-29T01:00 2026-03-30T00:30"},
           Case{"30 2 * * *", OnDst::kFirst, "2026-10-24T12:00", "2026-10-25T00:30 2026-10-26T01:30"},
           Case{"30 2 * * *", OnDst::kSkip, "2026-10-24T12:00", "2026-10-25T00:30 2026-10-26T01:30"},
           Case{"30 2 * * *", OnDst::kBoth, "2026-10-24T12:00", "2026-10-25T00:30 2026-10-25T01:30"},
           // Asked inside the hour that comes again.
           Case{"30 2 * * *", OnDst::kFirst, "2026-10-25T00:45", "2026-10-26T01:30 2026-10-27T01:30"},
           Case{"*/10 2 * * *", OnDst::kFirst, "2026-03-28T12:00", "2026-03-29T01:00 2026-03-30T00:00"},
           Case{"0 3 * * *", OnDst::kFirst, "2026-03-28T12:00", "2026-03-29T01:00 2026-03-30T01:00"},
           // Every hour: the hours that pass count.
           Case{"30 * * * *", OnDst::kByHours, "2026-03-29T00:00", "2026-03-29T00:30 2026-03-29T01:30"},
           Case{"30 * * * *", OnDst::kByHours, "2026-10-25T00:00", "2026-10-25T00:30 2026-10-25T01:30"},
           Case{"30 * * * *", OnDst::kSkip, "2026-10-25T00:00", "2026-10-25T00:30 2026-10-25T02:30"},
       }) {
    EXPECT_EQ(Next(Of(c.fields, "Europe/Madrid", c.rule), c.from, 2), c.next) << c.fields << " " << static_cast<int>(c.rule);
  }
  // Lord Howe's clocks move by half an hour, 2026-04-05 02:00 to 01:30 (15:00 UTC the day before).
  EXPECT_EQ(Next(Of("45 * * * *", "Australia/Lord_Howe"), "2026-04-04T14:00", 3), "2026-04-04T14:45 2026-04-04T16:15 2026-04-04T17:15");
}

TEST(Schedule, BetweenAndLastBetweenAgreeWithNextAfter) {
  const Schedule schedule = Of("*/7 2,14 * * *", "America/New_York");
  const Timestamp from = At("2026-03-01"), to = At("2026-03-20");
  const auto times = schedule.Between(from, to, 10'000);
  ASSERT_FALSE(times.empty());
  EXPECT_EQ(schedule.LastBetween(from, to), times.back());
  EXPECT_EQ(schedule.LastBetween(times.back(), to), std::nullopt);
  EXPECT_EQ(schedule.Between(from, to, 3).size(), 3u);
  for (std::size_t i = 1; i < times.size(); ++i) EXPECT_EQ(schedule.NextAfter(times[i - 1]), times[i]);
  EXPECT_EQ(Of("0 0 29 2 *").LastBetween(At("2000-01-01"), At("2026-01-01")), At("2024-02-29"));
}

TEST(TimeZone, UnknownNamesAreRefused) {
  for (const char* name : {"Europe/Madird", "", "../etc/passwd", "/etc/localtime", "Europe/"}) EXPECT_FALSE(TimeZone::Find(name)) << name;
  EXPECT_EQ(FormatLocal(At("2026-03-29T01:00"), *TimeZone::Find("Europe/Madrid")), "2026-03-29 03:00 +02:00");
  EXPECT_EQ(FormatLocal(At("2026-03-29T00:59"), *TimeZone::Find("Europe/Madrid")), "2026-03-29 01:59 +01:00");
  EXPECT_EQ(FormatLocal(At("2026-03-29T01:00"), *TimeZone::Find("America/St_Johns")), "2026-03-28 22:30 -02:30");
}

}  // namespace
}  // namespace caudal
