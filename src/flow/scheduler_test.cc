// Simulated years: the clock is moved by hand, runs are records in a real state store.
#include "flow/scheduler.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <utility>

#include "base/json.h"

namespace caudal {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

Timestamp At(const std::string& text) { return *ParseTimestamp(text); }

class SchedulerTest : public ::testing::Test {
 protected:
  SchedulerTest() {
    std::string pattern = ::testing::TempDir() + "schedulerXXXXXX";
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    x_folder = pattern;
    x_state = *MakeSqliteStore(x_folder + "/state.db");
  }
  ~SchedulerTest() override { std::filesystem::remove_all(x_folder); }

  PipelineConfig& Add(const std::string& name, const std::string& schedule, CatchUp catch_up = CatchUp::kLast, const std::string& zone = "UTC") {
    PipelineConfig pipeline;
    pipeline.name = name;
    pipeline.schedule = schedule;
    pipeline.time_zone = *TimeZone::Find(zone);
    if (!schedule.empty()) pipeline.timer = *Schedule::Parse(schedule, name, pipeline.time_zone, OnDst::kByHours);
    pipeline.catch_up = catch_up;
    x_project->pipelines.push_back(pipeline);
    return x_project->pipelines.back();
  }

  /// A daemon that has just started, with what the state store remembers.
  void Start() {
    x_scheduler = std::make_unique<Scheduler>(*x_state, x_clock);
    x_scheduler->Load(x_project);
    Look();
  }

  /// Begins what is due, as the daemon does; each run succeeds at once unless its pipeline is held.
  void Look() {
    auto due = x_scheduler->Due(x_held);
    ASSERT_TRUE(due) << due.error().ToString();
    for (const DueRun& run : *due) {
      RunRecord record;
      record.id = "r" + std::to_string(++x_runs);
      record.pipeline = run.request.pipeline;
      record.cause = run.request.cause;
      record.scheduled = run.request.scheduled;
      record.followed = run.request.followed;
      record.started = x_clock.Now();
      x_began.push_back(record.pipeline + (record.scheduled ? " " + FormatTimestamp(*record.scheduled).substr(0, 16) : ""));
      ASSERT_TRUE(x_state->BeginRun(record, {}, {0, x_clock.Now(), "run.started", record.id, "", "{}"}));
      for (const EventRecord& told : run.told) ASSERT_TRUE(x_state->schedules().Tell(told));
      ASSERT_TRUE(x_state->EndRun(record.id, x_fail ? RunStatus::kFailed : RunStatus::kSucceeded, x_clock.Now(), {0, x_clock.Now(), "run.ended", record.id, "", "{}"}));
    }
  }

  void Pass(std::chrono::microseconds time, std::chrono::microseconds step) {
    const Timestamp until = x_clock.Now() + time;
    while (x_clock.Now() < until) {
      x_clock.Advance(std::min(step, std::chrono::microseconds(until - x_clock.Now())));
      Look();
    }
  }

  std::vector<std::string> Took() { return std::exchange(x_began, {}); }

  /// Bodies of events of a kind, a text each.
  std::vector<std::string> Events(const std::string& kind) {
    std::vector<std::string> bodies;
    const auto events = x_state->Events(0, 100'000);
    EXPECT_TRUE(events);
    for (const EventRecord& event : *events) {
      if (event.kind == kind) bodies.push_back(event.body);
    }
    return bodies;
  }

  std::string x_folder;
  FakeClock x_clock{At("2026-01-01T00:00:30")};
  std::unique_ptr<StateStore> x_state;
  std::shared_ptr<Project> x_project = std::make_shared<Project>();
  std::unique_ptr<Scheduler> x_scheduler;
  std::set<std::string> x_held;
  std::vector<std::string> x_began;
  bool x_fail = false;
  int x_runs = 0;
};

TEST_F(SchedulerTest, AYearOfADailyPipelineAcrossBothChangesOfTheClock) {
  const PipelineConfig& daily = Add("daily", "30 2 * * *", CatchUp::kLast, "Europe/Madrid");
  const Timestamp from = x_clock.Now();
  Start();
  Pass(hours(24 * 365), minutes(7));
  std::vector<std::string> expected;
  for (const Timestamp t : daily.timer->Between(from, x_clock.Now(), 1000)) expected.push_back("daily " + FormatTimestamp(t).substr(0, 16));
  EXPECT_EQ(expected.size(), 365u);
  EXPECT_EQ(Took(), expected);
}

TEST_F(SchedulerTest, ANewPipelineBeginsWithWhatComesNext) {
  Add("daily", "0 5 * * *");
  Start();
  EXPECT_TRUE(Took().empty()) << "five o'clock of yesterday is nobody's business";
  Pass(hours(5), minutes(1));
  EXPECT_EQ(Took(), std::vector<std::string>{"daily 2026-01-01T05:00"});
}

TEST_F(SchedulerTest, AnEditedScheduleBeginsWithWhatComesNext) {
  Add("daily", "0 5 * * *");
  Start();
  Pass(hours(12), minutes(1));
  EXPECT_EQ(Took().size(), 1u);
  x_project->pipelines.clear();
  Add("daily", "0 9 * * *");
  Start();
  Pass(hours(20), minutes(1));
  EXPECT_TRUE(Took().empty()) << "nine o'clock had passed when somebody wrote it";
  Pass(hours(1), minutes(1));
  EXPECT_EQ(Took(), std::vector<std::string>{"daily 2026-01-02T09:00"});
}

TEST_F(SchedulerTest, MissedTimesFollowCatchUp) {
  Add("none", "0 * * * *", CatchUp::kNone);
  Add("last", "0 * * * *", CatchUp::kLast);
  Add("all", "0 * * * *", CatchUp::kAll);
  Start();
  x_clock.Advance(hours(3) + minutes(30));  // the daemon was down
  Start();
  EXPECT_EQ(Took(), (std::vector<std::string>{"all 2026-01-01T01:00", "last 2026-01-01T03:00"}));
  Pass(minutes(2), minutes(1));
  EXPECT_EQ(Took(), (std::vector<std::string>{"all 2026-01-01T02:00", "all 2026-01-01T03:00"}));
  ASSERT_EQ(Events("schedule.missed").size(), 1u) << "never lost silently";
  EXPECT_NE(Events("schedule.missed")[0].find("\"times\":3"), std::string::npos) << Events("schedule.missed")[0];
  ASSERT_EQ(Events("schedule.folded").size(), 1u);
  EXPECT_NE(Events("schedule.folded")[0].find("\"times\":2"), std::string::npos);
  Pass(minutes(29), minutes(1));
  EXPECT_EQ(Took().size(), 3u) << "all three are on time again";
}

TEST_F(SchedulerTest, WhatComesWhileItsRunIsRunningWaitsByCatchUp) {
  Add("all", "*/10 * * * *", CatchUp::kAll);
  Add("last", "*/10 * * * *", CatchUp::kLast);
  Add("none", "*/10 * * * *", CatchUp::kNone);
  Start();
  x_held = {"all", "last", "none"};
  Pass(minutes(30), minutes(1));
  EXPECT_TRUE(Took().empty());
  x_held.clear();
  Pass(minutes(3), minutes(1));
  EXPECT_EQ(Took(), (std::vector<std::string>{"all 2026-01-01T00:10", "last 2026-01-01T00:30", "all 2026-01-01T00:20", "all 2026-01-01T00:30"}));
  EXPECT_EQ(Events("schedule.missed").size(), 3u);
}

TEST_F(SchedulerTest, WhoWaitsForASlotIsNotLateByIt) {
  Add("none", "0 1 * * *", CatchUp::kNone);
  Start();
  Pass(minutes(59), minutes(1));
  x_clock.Advance(minutes(1));
  ASSERT_EQ(x_scheduler->Due({})->size(), 1u) << "due on time, and the daemon has no slot";
  x_clock.Advance(minutes(20));
  Look();
  EXPECT_EQ(Took(), std::vector<std::string>{"none 2026-01-01T01:00"});
  EXPECT_TRUE(Events("schedule.missed").empty());
}

TEST_F(SchedulerTest, AClockThatIsSetBackALittleRunsNothingTwice) {
  Add("tens", "*/10 * * * *");
  Start();
  Pass(minutes(61), minutes(1));
  EXPECT_EQ(Took().size(), 6u);
  x_clock.Advance(-minutes(45));
  Pass(minutes(45), minutes(1));
  EXPECT_TRUE(Took().empty());
  Pass(minutes(10), minutes(1));
  EXPECT_EQ(Took(), std::vector<std::string>{"tens 2026-01-01T01:10"});
}

TEST_F(SchedulerTest, AClockThatStoodFarAheadDoesNotSilenceThePipelineForYears) {
  Add("tens", "*/10 * * * *");
  Start();
  x_clock.Advance(hours(24 * 365 * 4));
  Look();
  EXPECT_EQ(Took().size(), 1u);
  x_clock.Advance(-hours(24 * 365 * 4));
  Pass(minutes(21), minutes(1));
  EXPECT_EQ(Took(), (std::vector<std::string>{"tens 2026-01-01T00:10", "tens 2026-01-01T00:20"}));
  EXPECT_EQ(Events("clock.went_back").size(), 1u);
}

TEST_F(SchedulerTest, APausedPipelineBeginsNothingAndMissesNothingAfterwards) {
  Add("tens", "*/10 * * * *", CatchUp::kAll);
  Start();
  ASSERT_TRUE(x_state->schedules().SetPaused("tens", x_clock.Now(), {0, x_clock.Now(), "pipeline.paused", "", "", "{}"}));
  Pass(hours(2), minutes(1));
  ASSERT_TRUE(x_state->schedules().SetPaused("tens", std::nullopt, {0, x_clock.Now(), "pipeline.resumed", "", "", "{}"}));
  Pass(minutes(10), minutes(1));
  EXPECT_EQ(Took(), std::vector<std::string>{"tens 2026-01-01T02:10"});
}

TEST_F(SchedulerTest, AfterOthersItRunsWhenEachHasSucceededAndOnce) {
  Add("bills", "0 1 * * *");
  Add("orders", "0 2 * * *");
  Add("report", "").after = {"bills", "orders"};
  Start();
  Pass(hours(24), minutes(1));
  EXPECT_EQ(Took(), (std::vector<std::string>{"bills 2026-01-01T01:00", "orders 2026-01-01T02:00", "report"}));
  x_fail = true;
  Pass(hours(24), minutes(1));
  EXPECT_EQ(Took().size(), 2u) << "what they failed to do is no reason to report";
  x_fail = false;
  Start();
  Pass(hours(24), minutes(1));
  EXPECT_EQ(Took().back(), "report");
}

TEST_F(SchedulerTest, ANewFollowerDoesNotRunForSuccessesOfThePast) {
  Add("bills", "0 1 * * *");
  Start();
  Pass(hours(2), minutes(1));
  Took();
  Add("report", "").after = {"bills"};
  Start();
  Pass(hours(1), minutes(1));
  EXPECT_TRUE(Took().empty());
}

TEST_F(SchedulerTest, AMissedDeadlineIsToldOnceAndAKeptOneNever) {
  PipelineConfig& late = Add("late", "0 5 * * mon-fri");
  late.deadline = "09:00";
  PipelineConfig& kept = Add("kept", "0 6 * * *");
  kept.deadline = "09:00";
  Start();
  Pass(hours(24), minutes(5));
  EXPECT_TRUE(Events("deadline.missed").empty());
  x_held = {"late"};
  Pass(hours(24), minutes(5));  // Friday the 2nd: not begun by nine
  ASSERT_EQ(Events("deadline.missed").size(), 1u);
  EXPECT_NE(Events("deadline.missed")[0].find("\"deadline\":\"2026-01-02T09:00:00.000Z\""), std::string::npos) << Events("deadline.missed")[0];
  Start();
  Pass(hours(48), minutes(5));
  EXPECT_EQ(Events("deadline.missed").size(), 1u) << "nothing was due on Saturday and Sunday";
  x_clock.Advance(hours(10));  // down from midnight to ten of Monday: neither was run
  Start();
  EXPECT_EQ(Events("deadline.missed").size(), 3u);
}

TEST_F(SchedulerTest, ManyPipelinesThatAreSpreadLoseNothing) {
  for (int i = 0; i < 8; ++i) Add("p" + std::to_string(i), "H/15 * * * *");
  Start();
  Pass(hours(6), minutes(1));
  EXPECT_EQ(Took().size(), 8u * 24u);
}

}  // namespace
}  // namespace caudal
