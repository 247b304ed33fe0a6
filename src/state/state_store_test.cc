// The suite that every StateStore has to pass; SQLite for now.
#include "state/state_store.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "state/access_store.h"
#include "state/alert_store.h"
#include "state/history_store.h"
#include "state/schedule_store.h"
#include "state/sqlite.h"

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

TEST_F(StateStoreTest, ChangesTellsOfEverybodysChanges) {
  const std::int64_t before = *x_store->Changes();
  EXPECT_EQ(*x_store->Changes(), before);
  ASSERT_TRUE(x_store->BeginRun(Run("r1", "daily"), {}, Event("run.started")));
  const std::int64_t own = *x_store->Changes();
  EXPECT_NE(own, before);
  auto other = *MakeSqliteStore(Path());
  ASSERT_TRUE(other->SaveTask(Task(TaskStatus::kRunning), Event("task.started")));
  const std::int64_t theirs = *x_store->Changes();
  EXPECT_NE(theirs, own);
  ASSERT_TRUE(x_store->Tasks("r1"));
  EXPECT_EQ(*x_store->Changes(), theirs);
}

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

TEST_F(StateStoreTest, ARunAndTheTimeItIsForAreOneTransaction) {
  const Timestamp five = x_now - std::chrono::minutes(1);
  RunRecord run = Run("r1", "daily");
  run.cause = "schedule";
  run.scheduled = five;
  ASSERT_TRUE(x_store->BeginRun(run, {}, Event("run.started")));
  RunRecord second = Run("r2", "daily");
  second.scheduled = x_now;
  ASSERT_FALSE(x_store->BeginRun(second, {}, Event("run.started")));
  auto schedules = x_store->schedules().Schedules();
  ASSERT_TRUE(schedules);
  ASSERT_EQ(schedules->size(), 1u);
  EXPECT_EQ((*schedules)[0].handled, five) << "a refused run handles nothing";
  EXPECT_EQ((*schedules)[0].succeeded, 0);
  ASSERT_TRUE(x_store->EndRun("r1", RunStatus::kSucceeded, x_now, Event("run.succeeded")));
  Open();
  EXPECT_EQ((*x_store->schedules().Schedules())[0].succeeded, 2) << "the event's sequence";
  auto last = x_store->schedules().LastRun("daily");
  ASSERT_TRUE(last);
  ASSERT_TRUE(*last);
  EXPECT_EQ((*last)->scheduled, five);
  EXPECT_EQ((*last)->cause, "schedule");
  EXPECT_FALSE(*x_store->schedules().LastRun("hourly"));
  EXPECT_TRUE(*x_store->schedules().SucceededSince("daily", x_now));
  EXPECT_FALSE(*x_store->schedules().SucceededSince("daily", x_now + std::chrono::seconds(1)));
  // One that follows another notes which success it follows; one by hand takes nothing of it back.
  RunRecord after = Run("r3", "report");
  after.cause = "after";
  after.followed = 2;
  ASSERT_TRUE(x_store->BeginRun(after, {}, Event("run.started")));
  ASSERT_TRUE(x_store->EndRun("r3", RunStatus::kFailed, x_now, Event("run.failed")));
  ASSERT_TRUE(x_store->BeginRun(Run("r4", "report"), {}, Event("run.started")));
  schedules = x_store->schedules().Schedules();
  ASSERT_EQ(schedules->size(), 2u);
  EXPECT_EQ((*schedules)[1].followed, 2);
  EXPECT_EQ((*schedules)[1].succeeded, 0);
}

TEST_F(StateStoreTest, TakenAgainIsCounted) {
  ASSERT_TRUE(x_store->BeginRun(Run("r1", "daily"), {}, Event("run.started")));
  ASSERT_TRUE(x_store->EndRun("r1", RunStatus::kInterrupted, x_now, Event("run.interrupted")));
  ASSERT_TRUE(x_store->ReopenRun("r1", Event("run.resumed")));
  EXPECT_EQ(x_store->Run("r1")->resumed, 1);
}

TEST_F(StateStoreTest, PausesTimesAndDeadlinesAreKept) {
  ScheduleStore& schedules = x_store->schedules();
  ASSERT_TRUE(schedules.SetPaused("daily", x_now, Event("pipeline.paused")));
  ASSERT_TRUE(schedules.Handle("daily", x_now + std::chrono::hours(1), {Event("schedule.missed")}));
  ASSERT_TRUE(schedules.HandleDeadline("daily", x_now + std::chrono::hours(2), {}));
  Open();
  auto all = x_store->schedules().Schedules();
  ASSERT_EQ(all->size(), 1u);
  EXPECT_EQ((*all)[0].paused, x_now);
  EXPECT_EQ((*all)[0].handled, x_now + std::chrono::hours(1));
  EXPECT_EQ((*all)[0].deadline, x_now + std::chrono::hours(2));
  ASSERT_TRUE(x_store->schedules().SetPaused("daily", std::nullopt, Event("pipeline.resumed")));
  EXPECT_FALSE((*x_store->schedules().Schedules())[0].paused);
  ASSERT_TRUE(x_store->schedules().Tell(Event("daemon.started")));
  EXPECT_EQ(x_store->Events(0, 10)->size(), 4u);
  // Met: of a new one nothing before counts, of one with another schedule no time does.
  ASSERT_TRUE(x_store->schedules().Meet("hourly", "0 * * * *", x_now));
  ASSERT_TRUE(x_store->schedules().Meet("daily", "0 9 * * *", x_now + std::chrono::hours(3)));
  all = x_store->schedules().Schedules();
  EXPECT_EQ((*all)[0].handled, x_now + std::chrono::hours(3));
  EXPECT_EQ((*all)[0].followed, 0);
  EXPECT_EQ((*all)[0].spec, "0 9 * * *");
  EXPECT_EQ((*all)[1].followed, 4);
}

TEST_F(StateStoreTest, TheOutboxKeepsAMessageUntilItIsTakenAndOneOfAKey) {
  ASSERT_TRUE(x_store->schedules().Tell(Event("old")));
  AlertStore& alerts = x_store->alerts();
  EXPECT_EQ(*alerts.Cursor(), 1) << "nobody is told of the past";
  ASSERT_TRUE(x_store->schedules().Tell(Event("new")));
  EXPECT_EQ(*alerts.Cursor(), 1);
  const AlertRecord one{0, "ops", "run/r1", "{}", x_now, 0, x_now, ""};
  AlertRecord other = one;
  other.channel = "mail";
  ASSERT_TRUE(alerts.Advance(2, {{"daily", "{\"since\":1}"}}, {one, one, other}));
  ASSERT_TRUE(alerts.Advance(2, {}, {one}));
  EXPECT_EQ(*alerts.Cursor(), 2);
  EXPECT_EQ(*alerts.Subject("daily"), "{\"since\":1}");
  EXPECT_EQ(*alerts.Subject("hourly"), "");
  auto waiting = alerts.Waiting("ops", x_now, 10);
  ASSERT_TRUE(waiting);
  ASSERT_EQ(waiting->size(), 1u);
  const Timestamp later = x_now + std::chrono::minutes(1);
  ASSERT_TRUE(alerts.Postpone({(*waiting)[0].id}, later, "no route"));
  EXPECT_TRUE(alerts.Waiting("ops", x_now, 10)->empty());
  waiting = alerts.Waiting("ops", later, 10);
  ASSERT_EQ(waiting->size(), 1u);
  EXPECT_EQ((*waiting)[0].tries, 1);
  EXPECT_EQ((*waiting)[0].error, "no route");
  ASSERT_TRUE(alerts.Sent({(*waiting)[0].id}, later));
  EXPECT_TRUE(alerts.Waiting("ops", later, 10)->empty());
  const auto mail = alerts.Waiting("mail", later, 10);
  ASSERT_EQ(mail->size(), 1u);
  ASSERT_TRUE(alerts.GiveUp({(*mail)[0].id}, "gone", Event("alert.given_up")));
  EXPECT_TRUE(alerts.Waiting("mail", later, 10)->empty());
  ASSERT_TRUE(x_store->SaveChecks({{"r1", "t", "a", "pass", 0, "", "", x_now}, {"r2", "t", "b", "fail", 1, "", "", x_now}}));
  EXPECT_EQ(alerts.ChecksOf("r2")->size(), 1u);
}

TEST_F(StateStoreTest, AStoreOfTheFirstVersionIsBroughtForwardWithItsRuns) {
  x_store.reset();
  std::filesystem::remove_all(x_folder + "/a");
  std::filesystem::create_directories(x_folder + "/a");
  {
    auto old = Database::Open(Path(), Access::kWrite);
    ASSERT_TRUE(old);
    ASSERT_TRUE((*old)->Execute(R"(
CREATE TABLE run (id TEXT PRIMARY KEY, pipeline TEXT NOT NULL, release TEXT NOT NULL, command TEXT NOT NULL, status TEXT NOT NULL,
  started INTEGER NOT NULL, ended INTEGER, process TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX run_running ON run(pipeline) WHERE status = 'running';
CREATE TABLE task (run TEXT NOT NULL, name TEXT NOT NULL, status TEXT NOT NULL, attempt INTEGER NOT NULL, started INTEGER, ended INTEGER,
  error_kind TEXT NOT NULL, error TEXT NOT NULL, error_next TEXT NOT NULL, version INTEGER NOT NULL,
  rows_read INTEGER NOT NULL, rows_written INTEGER NOT NULL, rows_rejected INTEGER NOT NULL,
  bytes_written INTEGER NOT NULL, peak_memory INTEGER NOT NULL, cpu_ms INTEGER NOT NULL, note TEXT NOT NULL,
  staged TEXT NOT NULL, PRIMARY KEY (run, name)) WITHOUT ROWID;
CREATE TABLE verdict (id INTEGER PRIMARY KEY, run TEXT NOT NULL, tbl TEXT NOT NULL, chk TEXT NOT NULL, verdict TEXT NOT NULL,
  failing_rows INTEGER NOT NULL, observed TEXT NOT NULL, message TEXT NOT NULL, at INTEGER NOT NULL);
CREATE INDEX verdict_table ON verdict(tbl, id);
CREATE TABLE event (sequence INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, kind TEXT NOT NULL, run TEXT NOT NULL,
  task TEXT NOT NULL, body TEXT NOT NULL);
INSERT INTO run VALUES ('r1', 'daily', 'h', '{}', 'succeeded', 1000000, 2000000, '1:2:3');
PRAGMA user_version = 1;)"));
  }
  Open();
  auto run = x_store->Run("r1");
  ASSERT_TRUE(run);
  EXPECT_EQ(run->cause, "hand");
  EXPECT_FALSE(run->scheduled);
  ASSERT_TRUE(x_store->BeginRun(Run("r2", "daily"), {}, Event("run.started")));
  Open();
  EXPECT_EQ(x_store->Runs(10)->size(), 2u);
}

TEST_F(StateStoreTest, PagesOfRunsNameEachRunOnceNewestFirst) {
  for (int i = 0; i < 7; ++i) {
    const std::string id = "r" + std::to_string(i);
    if (i % 3 != 0) x_now += std::chrono::seconds(1);  // some begin in the same moment
    ASSERT_TRUE(x_store->BeginRun(Run(id, i % 2 == 0 ? "even" : "odd"), {}, Event("run.started")));
    ASSERT_TRUE(x_store->EndRun(id, i == 4 ? RunStatus::kFailed : RunStatus::kSucceeded, x_now, Event("run.ended")));
  }
  const auto ids = [&](RunFilter filter) {
    std::string all;
    do {
      const auto page = x_store->history().Runs(filter);
      EXPECT_TRUE(page);
      EXPECT_LE(page->runs.size(), static_cast<std::size_t>(filter.limit));
      for (const RunRecord& run : page->runs) all += run.id + " ";
      filter.cursor = page->next;
    } while (!filter.cursor.empty());
    return all;
  };
  EXPECT_EQ(ids({"", {}, "", 2}), "r6 r5 r4 r3 r2 r1 r0 ");
  EXPECT_EQ(ids({"even", {}, "", 3}), "r6 r4 r2 r0 ");
  EXPECT_EQ(ids({"", RunStatus::kFailed, "", 1}), "r4 ");
  EXPECT_EQ(ids({"odd", RunStatus::kFailed, "", 1}), "");
  EXPECT_EQ(x_store->history().Runs({"", {}, "tomorrow", 5}).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(x_store->history().LastRuns()->at("odd").id, "r5");
}

TEST_F(StateStoreTest, ARunWhoseProcessIsGoneIsFoundAsInterrupted) {
  ASSERT_TRUE(x_store->BeginRun(Run("r1", "daily"), {Task(TaskStatus::kRunning)}, Event("run.started")));
  EXPECT_EQ(x_store->history().Runs({"", RunStatus::kRunning, "", 5})->runs.size(), 1u);
  {
    auto database = Database::Open(Path(), Access::kWrite);
    ASSERT_TRUE((*database)->Execute("UPDATE run SET process = '1:1:another boot'"));
  }
  EXPECT_EQ(x_store->history().Runs({"", RunStatus::kInterrupted, "", 5})->runs.size(), 1u);
  EXPECT_TRUE(x_store->history().Runs({"", RunStatus::kRunning, "", 5})->runs.empty());
  EXPECT_EQ(x_store->history().TasksOf("erp.orders", 5)->size(), 1u);
}

TEST_F(StateStoreTest, TheLastAdminStays) {
  AccessStore& access = x_store->access();
  const auto user = [&](const std::string& name, const std::string& role) { return UserRecord{name, role, "hash", x_now, {}}; };
  ASSERT_TRUE(access.SetSetupKey("k", x_now + std::chrono::hours(1)));
  EXPECT_FALSE(access.AddFirstUser("wrong", x_now, user("eve", "admin"), Event("e")));
  EXPECT_FALSE(access.AddFirstUser("k", x_now + std::chrono::hours(2), user("eve", "admin"), Event("e"))) << "too late";
  ASSERT_TRUE(access.AddFirstUser("k", x_now, user("ann", "admin"), Event("e")));
  ASSERT_TRUE(access.SetSetupKey("k", x_now + std::chrono::hours(1)));
  EXPECT_FALSE(access.AddFirstUser("k", x_now, user("eve", "admin"), Event("e"))) << "there is a user";
  EXPECT_EQ(access.AddUser(user("ann", "viewer"), Event("e")).error().kind, ErrorKind::kAlreadyExists);
  ASSERT_TRUE(access.AddUser(user("bob", "viewer"), Event("e")));
  EXPECT_EQ(access.RemoveUser("ann", Event("e")).error().kind, ErrorKind::kConflict);
  EXPECT_EQ(access.ChangeUser(user("ann", "viewer"), "", Event("e")).error().kind, ErrorKind::kConflict);
  EXPECT_EQ((*access.User("ann"))->role, "admin");
  ASSERT_TRUE(access.ChangeUser(user("bob", "admin"), "", Event("e")));
  EXPECT_TRUE(access.RemoveUser("ann", Event("e")));
  EXPECT_EQ(access.RemoveUser("ann", Event("e")).error().kind, ErrorKind::kNotFound);
}

TEST_F(StateStoreTest, ASessionHasItsUsersRoleOfNowAndEndsWithAChange) {
  AccessStore& access = x_store->access();
  for (const char* name : {"ann", "bob"}) ASSERT_TRUE(access.AddUser({name, "admin", "hash", x_now, {}}, Event("e")));
  for (const char* hash : {"one", "two"}) {
    ASSERT_TRUE(access.NoteLogin("ann", x_now, {hash, "ann", "", x_now, x_now, x_now + std::chrono::hours(1)}, Event("e")));
  }
  EXPECT_EQ((*access.SessionOf("one"))->role, "admin");
  ASSERT_TRUE(access.ChangeUser({"ann", "viewer", "other", x_now, {}}, "two", Event("e")));
  EXPECT_FALSE(*access.SessionOf("one"));
  EXPECT_EQ((*access.SessionOf("two"))->role, "viewer");
  ASSERT_TRUE(access.RemoveUser("ann", Event("e")));
  EXPECT_FALSE(*access.SessionOf("two"));
}

TEST_F(StateStoreTest, UnknownRunSaysSo) {
  auto run = x_store->Run("nope");
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().kind, ErrorKind::kNotFound);
}

}  // namespace
}  // namespace caudal
