// The daemon with its threads, over projects without tables: their runs are real, and over in a moment.
#include "flow/daemon.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "flow/run_log.h"
#include "state/schedule_store.h"

namespace caudal {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;

/// Real time, so many times as fast.
class FastClock final : public Clock {
 public:
  FastClock(Timestamp start, int times) : x_start(start), x_times(times) {}
  Timestamp Now() const override {
    return x_start + std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - x_real) * x_times;
  }

 private:
  const Timestamp x_start;
  const int x_times;
  const std::chrono::steady_clock::time_point x_real = std::chrono::steady_clock::now();
};

/// No table asks for it.
class IdleEngine final : public Engine {
 public:
  Result<JobResult> Run(const Job&, const RunOptions&, JobCost*) override { return Error{ErrorKind::kInternal, "nothing runs here", "", ""}; }
};

class DaemonTest : public ::testing::Test, public ReleaseSource {
 protected:
  DaemonTest() {
    std::string pattern = ::testing::TempDir() + "daemonXXXXXX";
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    x_folder = pattern;
    x_state = *MakeSqliteStore(x_folder + "/state.db");
    x_store = *MakeLocalStore(x_folder + "/lake");
    x_project.folder = x_folder;
    x_project.hash = "one";
  }
  ~DaemonTest() override { std::filesystem::remove_all(x_folder); }

  void Add(const std::string& name, const std::string& schedule, CatchUp catch_up = CatchUp::kAll) {
    PipelineConfig pipeline;
    pipeline.name = name;
    pipeline.schedule = schedule;
    pipeline.timer = *Schedule::Parse(schedule, name, TimeZone(), OnDst::kByHours);
    pipeline.catch_up = catch_up;
    x_project.pipelines.push_back(pipeline);
  }

  // ReleaseSource: a folder of which the test says whether it has changed, and whether it is good.
  std::string Fingerprint() override { return std::to_string(x_version.load()); }
  Result<std::shared_ptr<const Workspace>> Load() override {
    if (x_broken) return Error{ErrorKind::kInvalidArgument, "a mistake", "mend it", "caudal.yaml:1:1"};
    struct Release {
      Project project;
      std::optional<Workspace> workspace;
    };
    auto release = std::make_shared<Release>();
    release->project = x_project;
    release->project.hash = "hash" + std::to_string(x_version.load());
    release->workspace.emplace(Workspace{release->project, *x_store, x_engine, *x_state, x_clock, x_connectors, x_folder + "/lake", x_folder + "/lake/.staging"});
    const Workspace* workspace = &*release->workspace;
    return std::shared_ptr<const Workspace>(std::move(release), workspace);
  }

  std::unique_ptr<Daemon> Make() {
    return std::make_unique<Daemon>(*x_state, x_clock, *this,
                                    [this](const LogLine& line) {
                                      const std::lock_guard lock(x_mutex);
                                      x_log.push_back(line.event);
                                    },
                                    DaemonOptions{milliseconds(5000), milliseconds(50)});
  }
  std::size_t Logged(const std::string& event) {
    const std::lock_guard lock(x_mutex);
    return static_cast<std::size_t>(std::count(x_log.begin(), x_log.end(), event));
  }
  /// Serves until `enough`, or for a minute.
  void ServeUntil(Daemon& daemon, const std::function<bool()>& enough) {
    std::atomic<int> stops{0};
    std::thread watch([&] {
      for (int i = 0; i < 3000 && !enough(); ++i) {
        std::this_thread::sleep_for(milliseconds(20));
        static_cast<void>(daemon.ActiveRuns());
        static_cast<void>(daemon.project());
      }
      stops = 1;
    });
    Status served = daemon.Serve(stops);
    watch.join();
    EXPECT_TRUE(served) << served.error().ToString();
  }
  /// A run that a process of old left behind.
  void LeaveBehind(const std::string& id, const std::string& pipeline) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto store = MakeSqliteStore(x_folder + "/state.db");
      RunRecord run;
      run.id = id;
      run.pipeline = pipeline;
      run.cause = "schedule";
      run.command = RunRequestToJson({});
      run.started = x_clock.Now();
      run.scheduled = run.started;
      const bool begun = store && (*store)->BeginRun(run, {}, RunEvent("run.started", run, run.started));
      _exit(begun ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0);
  }

  std::string x_folder;
  FastClock x_clock{*ParseTimestamp("2026-01-01T00:00:30"), 60};
  std::unique_ptr<StateStore> x_state;
  std::unique_ptr<ObjectStore> x_store;
  IdleEngine x_engine;
  std::vector<ConnectorSpec> x_connectors;
  Project x_project;
  std::atomic<int> x_version{1};
  std::atomic<bool> x_broken{false};
  std::mutex x_mutex;
  std::vector<std::string> x_log;
};

TEST_F(DaemonTest, ManyPipelinesAtOnceEachRunEveryTimeOnce) {
  for (int i = 0; i < 40; ++i) Add("p" + std::to_string(i), "*/2 * * * *");
  x_project.runs = 4;
  auto daemon = Make();
  ServeUntil(*daemon, [&] { return Logged("run.succeeded") >= 120; });
  std::map<std::string, std::vector<Timestamp>> times;
  const auto runs = x_state->Runs(10'000);
  ASSERT_TRUE(runs);
  for (auto run = runs->rbegin(); run != runs->rend(); ++run) {
    EXPECT_EQ(run->status, RunStatus::kSucceeded);
    times[run->pipeline].push_back(*run->scheduled);
  }
  EXPECT_EQ(times.size(), 40u);
  for (auto& [pipeline, list] : times) {
    std::sort(list.begin(), list.end());
    for (std::size_t i = 1; i < list.size(); ++i) EXPECT_EQ(list[i] - list[i - 1], minutes(2)) << pipeline << ": lost or doubled";
  }
  EXPECT_TRUE(daemon->ActiveRuns().empty());
}

TEST_F(DaemonTest, WhatWasLeftBehindIsTakenOnceAndNotForEver) {
  Add("daily", "0 5 1 1 *");
  LeaveBehind("r1", "daily");
  ServeUntil(*Make(), [&] { return Logged("run.succeeded") >= 1; });
  EXPECT_EQ(x_state->Run("r1")->status, RunStatus::kSucceeded);
  EXPECT_EQ(x_state->Run("r1")->resumed, 1);
  ServeUntil(*Make(), [&] { return Logged("daemon.started") >= 2; });
  EXPECT_EQ(x_state->Run("r1")->resumed, 1);
  EXPECT_EQ(x_state->Runs(10)->size(), 1u);
}

TEST_F(DaemonTest, ARunThatTookTheDaemonWithItThreeTimesIsLeftToPeople) {
  Add("daily", "0 5 1 1 *");
  LeaveBehind("r1", "daily");
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(x_state->ReopenRun("r1", {0, x_clock.Now(), "run.resumed", "r1", "", "{}"}));
    ASSERT_TRUE(x_state->EndRun("r1", RunStatus::kInterrupted, x_clock.Now(), {0, x_clock.Now(), "run.interrupted", "r1", "", "{}"}));
  }
  ServeUntil(*Make(), [&] { return Logged("run.left") >= 1; });
  EXPECT_EQ(x_state->Run("r1")->status, RunStatus::kFailed);
  const auto events = x_state->Events(0, 100);
  EXPECT_TRUE(std::any_of(events->begin(), events->end(), [](const EventRecord& e) { return e.kind == "run.abandoned"; }));
}

TEST_F(DaemonTest, OfAPausedPipelineNothingIsTakenAgain) {
  Add("daily", "0 5 1 1 *");
  LeaveBehind("r1", "daily");
  ASSERT_TRUE(x_state->schedules().SetPaused("daily", x_clock.Now(), {0, x_clock.Now(), "pipeline.paused", "", "", "{}"}));
  ServeUntil(*Make(), [&] { return Logged("run.left") >= 1; });
  EXPECT_EQ(x_state->Run("r1")->status, RunStatus::kInterrupted);
}

TEST_F(DaemonTest, AFolderWithMistakesIsToldOnceAndTheLastGoodGoesOn) {
  Add("often", "* * * * *", CatchUp::kLast);
  auto daemon = Make();
  std::size_t before = 0;
  ServeUntil(*daemon, [&] {
    if (x_version == 1 && Logged("run.succeeded") >= 1) {
      x_broken = true;
      x_version = 2;
      before = Logged("run.succeeded");
    }
    if (x_version == 2 && Logged("project.broken") >= 1 && Logged("run.succeeded") > before + 1) {
      x_broken = false;
      x_version = 3;
    }
    return Logged("project.loaded") >= 1;
  });
  EXPECT_EQ(Logged("project.broken"), 1u);
  EXPECT_EQ(daemon->project()->hash, "hash3");
}

TEST_F(DaemonTest, WithMistakesItDoesNotStart) {
  x_broken = true;
  auto daemon = Make();
  const std::atomic<int> stops{0};
  Status served = daemon->Serve(stops);
  ASSERT_FALSE(served);
  EXPECT_EQ(served.error().kind, ErrorKind::kInvalidArgument);
  EXPECT_FALSE(daemon->project());
}

TEST_F(DaemonTest, ARunThatIsAskedForHasItsIdAtOnceAndBeginsOnce) {
  Add("daily", "0 3 1 1 *");
  const auto daemon = Make();
  RunRequest request;
  request.pipeline = "daily";
  EXPECT_EQ(daemon->Ask(request, "ann").error().kind, ErrorKind::kUnavailable) << "nothing is loaded yet";
  std::string first, second;
  bool asked = false;
  ServeUntil(*daemon, [&] {
    if (!daemon->project()) return false;
    if (!asked) {
      asked = true;
      RunRequest other;
      other.pipeline = "dayly";
      EXPECT_EQ(daemon->Ask(other, "ann").error().next, "did you mean 'daily'?");
      EXPECT_EQ(daemon->AskRetry("nope", {}, "ann").error().kind, ErrorKind::kNotFound);
      EXPECT_EQ(daemon->Cancel("nope", "ann").error().kind, ErrorKind::kNotFound);
      const auto run = daemon->Ask(request, "ann");
      EXPECT_TRUE(run);
      first = run ? run->run : "";
    }
    if (second.empty() && Logged("run.succeeded") == 1) {
      EXPECT_EQ(daemon->AskRetry(first, {}, "ann").error().kind, ErrorKind::kConflict) << "it succeeded";
      EXPECT_EQ(daemon->Cancel(first, "ann").error().kind, ErrorKind::kConflict) << "it has ended";
      const auto run = daemon->Ask(request, "bob");
      second = run ? run->run : "none";
    }
    return Logged("run.succeeded") == 2 && daemon->ActiveRuns().empty();
  });
  EXPECT_EQ(Logged("run.started"), 2u);
  const auto run = x_state->Run(first);
  ASSERT_TRUE(run);
  EXPECT_EQ(run->cause, "api");
  EXPECT_EQ(RunRequestFromJson(run->command)->by, "ann");
  EXPECT_TRUE(x_state->Run(second));
  EXPECT_EQ(daemon->Ask(request, "ann").error().kind, ErrorKind::kUnavailable) << "it has ended";
}

}  // namespace
}  // namespace caudal
