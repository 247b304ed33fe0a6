// Writers that die, and writers that race: real processes on a real folder.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "lake/lake_fixture.h"
#include "lake/whole_fixture.h"

namespace caudal {
namespace {

class CommitKill : public LakeFixture {
 protected:
  std::unique_ptr<ObjectStore> Open(const std::string& name) {
    return std::move(MakeLocalStore(x_folder + "/" + name)).value();
  }
};

TEST_F(CommitKill, AtEveryStep) {
  std::string last_step;
  int points = 0;
  for (int point = 1; point < 100; ++point) {
    std::string root = "lake" + std::to_string(point);
    auto store = Open(root);
    Table table(*store, "silver/orders", SystemClock(), kAllFormats);
    ASSERT_TRUE(table.Commit(Create(Orders({"region"}))));
    Change change = Append(0, {Stage(5, {{"region", "us"}}), Stage(6, {{"region", "a/b"}})});
    change.rejects = {Stage(2)};
    change.task = "run/1";
    int step_pipe[2];
    ASSERT_EQ(pipe(step_pipe), 0);
    pid_t child = fork();
    if (child == 0) {
      auto own = std::move(MakeLocalStore(x_folder + "/" + root)).value();
      Table writer(*own, "silver/orders", SystemClock(), kAllFormats);
      int seen = 0;
      writer.set_probe([&](std::string_view step) {
        if (++seen != point) return;
        (void)!write(step_pipe[1], step.data(), step.size());
        kill(getpid(), SIGKILL);
      });
      _exit(writer.Commit(change) ? 0 : 1);
    }
    close(step_pipe[1]);
    char buffer[64] = {};
    (void)!read(step_pipe[0], buffer, sizeof buffer - 1);
    close(step_pipe[0]);
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFEXITED(status)) {
      EXPECT_EQ(WEXITSTATUS(status), 0);
      break;
    }
    ++points;
    last_step = buffer;
    SCOPED_TRACE("killed after step " + last_step);
    auto seen = std::move(table.Latest()).value();
    EXPECT_TRUE((seen->version == 0 && seen->rows() == 0) || (seen->version == 1 && seen->rows() == 11))
        << "a reader sees before or after, even unhealed";
    ASSERT_TRUE(table.Heal());
    ExpectWhole(*store, table);
    bool after = (*table.Latest())->version == 1;
    auto rejects = table.Rejects().Latest();
    EXPECT_EQ(after, rejects.has_value() && (*rejects)->rows() == 2);
    auto again = table.Commit(change);
    ASSERT_TRUE(again) << again.error().ToString();
    EXPECT_EQ(again->already_applied, after);
    EXPECT_EQ((*table.Latest())->rows(), 11);
    ExpectWhole(*store, table);
  }
  EXPECT_EQ(last_step, "done");
  EXPECT_GE(points, 10);
}

/// Every writer appends on what it last saw; all of it must land, one after another.
void AppendMany(ObjectStore& store, const std::vector<Change>& changes, bool& good) {
  Table table(store, "silver/orders", SystemClock(), kAllFormats);
  for (Change change : changes) {
    auto latest = table.Latest();
    if (!latest) return;
    change.base_version = (*latest)->version;
    if (!table.Commit(change)) return;
  }
  good = true;
}

void ExpectAllLanded(ObjectStore& store, std::size_t commits, std::int64_t rows) {
  Table table(store, "silver/orders", SystemClock(), kAllFormats);
  auto latest = std::move(table.Latest()).value();
  EXPECT_EQ(latest->version, static_cast<std::int64_t>(commits));
  EXPECT_EQ(latest->rows(), rows);
  std::set<std::string> tasks;
  auto history = std::move(table.History(0, latest->version)).value();
  for (std::size_t i = 0; i < history.size(); ++i) {
    tasks.insert(history[i].task);
    if (i > 0) {
      EXPECT_LT(history[i - 1].instant, history[i].instant);
    }
  }
  EXPECT_EQ(tasks.size(), commits);
  ExpectWhole(store, table);
}

TEST_F(CommitKill, EightProcessesFiftyAppendsEach) {
  constexpr int kWriters = 8, kAppends = 50;
  auto store = Open("lake");
  Table table(*store, "silver/orders", SystemClock(), kAllFormats);
  ASSERT_TRUE(table.Commit(Create(Orders())));
  std::vector<pid_t> children;
  for (int w = 0; w < kWriters; ++w) {
    std::vector<Change> changes;
    for (int i = 0; i < kAppends; ++i) {
      changes.push_back(Append(0, {Stage(1)}));
      changes.back().task = std::to_string(w) + "/" + std::to_string(i);
    }
    pid_t child = fork();
    if (child == 0) {
      auto own = std::move(MakeLocalStore(x_folder + "/lake")).value();
      bool good = false;
      AppendMany(*own, changes, good);
      _exit(good ? 0 : 1);
    }
    children.push_back(child);
  }
  for (pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  ExpectAllLanded(*store, kWriters * kAppends, kWriters * kAppends);
}

TEST_F(CommitKill, EightThreadsFiftyAppendsEachWithOneTable) {
  constexpr int kWriters = 8, kAppends = 50;
  auto store = MakeMemoryStore();
  Table table(*store, "silver/orders", SystemClock(), kAllFormats);
  ASSERT_TRUE(table.Commit(Create(Orders())));
  std::vector<Change> all;
  for (int i = 0; i < kWriters * kAppends; ++i) {
    all.push_back(Append(0, {Stage(1)}));
    all.back().task = "t/" + std::to_string(i);
  }
  std::vector<std::thread> threads;
  for (std::size_t w = 0; w < kWriters; ++w) {
    threads.emplace_back([&, w] {
      for (std::size_t i = 0; i < kAppends; ++i) EXPECT_TRUE(table.Commit(all[w * kAppends + i]));
    });
  }
  for (auto& thread : threads) thread.join();
  ExpectAllLanded(*store, kWriters * kAppends, kWriters * kAppends);
}

TEST_F(CommitKill, CreationHasOneWinner) {
  for (int round = 0; round < 20; ++round) {
    auto store = MakeMemoryStore();
    std::atomic<int> created{0}, refused{0};
    std::vector<std::thread> threads;
    for (int w = 0; w < 8; ++w) {
      threads.emplace_back([&] {
        Table table(*store, "t", SystemClock(), kAllFormats);
        auto outcome = table.Commit(Create(Orders()));
        if (outcome) ++created;
        if (!outcome && outcome.error().kind == ErrorKind::kAlreadyExists) ++refused;
      });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(created, 1);
    EXPECT_EQ(refused, 7);
  }
}

}  // namespace
}  // namespace caudal
