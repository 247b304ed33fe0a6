// The suite that every StateStore has to pass; SQLite for now.
#include "state/state_store.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace caudal {
namespace {

class StateStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "stateXXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    x_folder = pattern;
    Open();
  }
  void TearDown() override { std::filesystem::remove_all(x_folder); }

  void Open() {
    auto store = MakeSqliteStore(Path());
    ASSERT_TRUE(store) << store.error().ToString();
    x_store = std::move(*store);
  }
  std::string Path() const { return x_folder + "/a/state.db"; }

  RunRecord Run(const std::string& id, const std::string& pipeline) {
    RunRecord run;
    run.id = id;
    run.pipeline = pipeline;
    run.started = x_now;
    return run;
  }
  EventRecord Event(const std::string& kind) { return {0, x_now, kind, "r1", "", "{}"}; }
  TaskRecord Task(TaskStatus status) {
    TaskRecord t;
    t.run = "r1";
    t.name = "erp.orders";
    t.status = status;
    t.started = x_now;
    t.error = "it's \"odd\"\n";
    return t;
  }

  std::string x_folder;
  std::unique_ptr<StateStore> x_store;
  Timestamp x_now = FromMilliseconds(1'780'000'000'123);
};

TEST_F(StateStoreTest, KeepsRunsTasksAndEventsAcrossOpens) {
  ASSERT_TRUE(x_store->BeginRun(Run("r1", "daily"), {Task(TaskStatus::kWaiting)}, Event("run.started")));
  ASSERT_TRUE(x_store->SaveTask(Task(TaskStatus::kSucceeded), Event("task.succeeded")));
  ASSERT_TRUE(x_store->EndRun("r1", RunStatus::kSucceeded, x_now, Event("run.succeeded")));
  Open();
  auto run = x_store->Run("r1");
  ASSERT_TRUE(run);
  EXPECT_EQ(run->status, RunStatus::kSucceeded);
  EXPECT_EQ(run->started, x_now);
  auto tasks = x_store->Tasks("r1");
  ASSERT_TRUE(tasks);
  ASSERT_EQ(tasks->size(), 1u);
  EXPECT_EQ((*tasks)[0].status, TaskStatus::kSucceeded);
  EXPECT_EQ((*tasks)[0].error, "it's \"odd\"\n");
  EXPECT_FALSE((*tasks)[0].ended);
  auto events = x_store->Events(1, 10);
  ASSERT_TRUE(events);
  ASSERT_EQ(events->size(), 2u);
  EXPECT_EQ((*events)[0].kind, "task.succeeded");
}

TEST_F(StateStoreTest, ASecondRunOfAPipelineIsRefusedByName) {
  ASSERT_TRUE(x_store->BeginRun(Run("r1", "daily"), {}, Event("run.started")));
  auto second = x_store->BeginRun(Run("r2", "daily"), {}, Event("run.started"));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::kConflict);
  EXPECT_NE(second.error().message.find("run r1, process " + std::to_string(getpid())), std::string::npos);
  EXPECT_TRUE(x_store->BeginRun(Run("r3", "hourly"), {}, Event("run.started")));
  EXPECT_FALSE(x_store->Run("r2")) << "a refused run leaves nothing";
}

TEST_F(StateStoreTest, ARunWhoseProcessIsGoneReadsAsInterruptedAndCanBeTakenAgain) {
  x_store.reset();
  pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto store = MakeSqliteStore(Path());
    bool ok = store && (*store)->BeginRun(Run("r1", "daily"), {}, Event("run.started"));
    _exit(ok ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  Open();
  EXPECT_EQ(x_store->Run("r1")->status, RunStatus::kInterrupted);
  ASSERT_TRUE(x_store->BeginRun(Run("r2", "daily"), {}, Event("run.started")));
  EXPECT_FALSE(x_store->ReopenRun("r1", Event("run.resumed"))) << "r2 holds the pipeline";
  ASSERT_TRUE(x_store->EndRun("r2", RunStatus::kFailed, x_now, Event("run.failed")));
  ASSERT_TRUE(x_store->ReopenRun("r1", Event("run.resumed")));
  EXPECT_EQ(x_store->Run("r1")->status, RunStatus::kRunning);
}

TEST_F(StateStoreTest, ChecksAreListedNewestFirst) {
  ASSERT_TRUE(x_store->SaveChecks({{"r1", "gold.sales", "revenue.min(0)", "pass", 0, "", "", x_now},
                                   {"r2", "gold.sales", "revenue.min(0)", "fail", 3, "min -1", "3 rows", x_now},
                                   {"r2", "gold.other", "x.not_null", "pass", 0, "", "", x_now}}));
  auto checks = x_store->Checks("gold.sales", 10);
  ASSERT_TRUE(checks);
  ASSERT_EQ(checks->size(), 2u);
  EXPECT_EQ((*checks)[0].verdict, "fail");
  EXPECT_EQ(x_store->Checks("", 2)->size(), 2u);
}

TEST_F(StateStoreTest, AFileThatIsNoDatabaseIsNamedAsCorrupt) {
  x_store.reset();
  std::filesystem::remove_all(x_folder + "/a");
  std::filesystem::create_directories(x_folder + "/a");
  std::ofstream(Path()) << std::string(4096, 'x');
  auto store = MakeSqliteStore(Path());
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().kind, ErrorKind::kCorruption);
  EXPECT_NE(store.error().message.find(Path()), std::string::npos);
}

TEST_F(StateStoreTest, UnknownRunSaysSo) {
  auto run = x_store->Run("nope");
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().kind, ErrorKind::kNotFound);
}

}  // namespace
}  // namespace caudal
