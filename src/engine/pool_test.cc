// The pool with the real binary: CAUDAL_BINARY, set by CTest.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "engine/engine.h"

namespace caudal {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using ::testing::HasSubstr;

constexpr const char* kLongQuery =
    "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range % 7 = b.range % 11";

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<pid_t> ChildrenOf(pid_t parent) {
  std::vector<pid_t> children;
  for (const auto& task : fs::directory_iterator("/proc/" + std::to_string(parent) + "/task")) {
    std::istringstream list(ReadFile(task.path().string() + "/children"));
    for (pid_t pid = 0; list >> pid;) children.push_back(pid);
  }
  return children;
}

long long StatusOf(pid_t pid, const std::string& name) {
  std::istringstream status(ReadFile("/proc/" + std::to_string(pid) + "/status"));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name + ":")) return std::stoll(line.substr(name.size() + 1));
  }
  return -1;
}

pid_t BusiestChild() {
  pid_t busiest = -1;
  for (const pid_t pid : ChildrenOf(::getpid())) {
    if (busiest < 0 || StatusOf(pid, "Threads") > StatusOf(busiest, "Threads")) busiest = pid;
  }
  return busiest;
}

bool EventuallyGone(pid_t pid) {
  for (int i = 0; i < 1000; ++i) {
    const std::string state = ReadFile("/proc/" + std::to_string(pid) + "/stat");
    if (state.empty() || state.find(") Z ") != std::string::npos) return true;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return false;
}

ComputeJob Query(const std::string& sql) {
  ComputeJob job;
  Step step;
  step.kind = Step::Kind::kQuery;
  step.name = "q";
  step.sql = sql;
  step.max_rows = 10;
  job.steps = {step};
  return job;
}

#ifdef __SANITIZE_ADDRESS__
constexpr std::int64_t kPlentyMib = 2048;  // a worker at rest has half a GiB then
#else
constexpr std::int64_t kPlentyMib = 512;
#endif

RunOptions Limits(std::int64_t memory_mib) {
  RunOptions options;
  options.limits.memory_bytes = memory_mib << 20;
  options.limits.timeout = std::chrono::minutes(5);
  return options;
}

// An engine whose first workers die.
class DyingEngine : public Engine {
 public:
  explicit DyingEngine(int deaths) : x_deaths(deaths) {}
  Result<JobResult> Run(const Job&, const RunOptions&, JobCost*) override {
    if (x_deaths-- > 0) return Error{ErrorKind::kUnavailable, "the worker process died", "", ""};
    return JobResult(AnalyzeResult{});
  }

 private:
  int x_deaths;
};

TEST(Analyze, IsAskedOfAnotherWorkerWhenOneDies) {
  DyingEngine twice(2);
  EXPECT_TRUE(RunAnalyze(twice, AnalyzeJob{}, RunOptions{}, nullptr));
  DyingEngine always(3);
  EXPECT_EQ(RunAnalyze(always, AnalyzeJob{}, RunOptions{}, nullptr).error().kind, ErrorKind::kUnavailable);
}

class PoolTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::getenv("CAUDAL_BINARY") == nullptr) GTEST_SKIP() << "CAUDAL_BINARY is not set; CTest sets it";
    std::string pattern = ::testing::TempDir() + "/poolXXXXXX";
    x_folder = ::mkdtemp(pattern.data());
  }
  void TearDown() override {
    if (!x_folder.empty()) fs::remove_all(x_folder);
  }

  PoolOptions Options() const { return PoolOptions{std::getenv("CAUDAL_BINARY"), 1, x_folder + "/tmp", true}; }

  std::unique_ptr<Engine> Pool() const {
    auto pool = MakeWorkerPool(Options());
    EXPECT_TRUE(pool) << pool.error().message;
    return pool ? std::move(*pool) : nullptr;
  }

  static void ExpectWorks(Engine& engine) {
    JobCost cost;
    const auto result = RunCompute(engine, Query("SELECT 41 + 1"), Limits(kPlentyMib), &cost);
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result->steps[0].rows.rows[0][0], "42");
    EXPECT_GT(cost.peak_memory_bytes, 1 << 20);
    EXPECT_LT(cost.peak_memory_bytes, kPlentyMib << 20);
  }

  std::string x_folder;
};

TEST_F(PoolTest, ComputesWritesAndCleansUp) {
  const auto pool = Pool();
  ASSERT_NE(pool, nullptr);
  fs::create_directories(x_folder + "/out");
  ComputeJob job;
  job.output_folder = x_folder + "/out";
  job.parameters["n"] = Parameter{ParseType("BIGINT").value(), "7"};
  Step write;
  write.kind = Step::Kind::kWrite;
  write.name = "w";
  write.sql = "SELECT i + $n AS id, i % 2 AS p FROM range(100) r(i)";
  write.user_sql = true;
  write.layout.folder = x_folder + "/out/w";
  write.layout.columns =
      Schema{{Field{"id", ParseType("BIGINT").value(), 1}, Field{"p", ParseType("BIGINT").value(), 2}}};
  write.layout.partition_by = {"p"};
  job.steps = {write};
  const auto written = RunCompute(*pool, job, Limits(kPlentyMib), nullptr);
  ASSERT_TRUE(written) << written.error().message;
  const std::vector<WrittenFile>& files = written->steps.at(0).files;
  ASSERT_EQ(files.size(), 2U);
  EXPECT_EQ(files[1].partition.at("p"), "1");

  ComputeJob read = Query("SELECT sum(id), count(*) FROM s.t");
  read.inputs.push_back(TableInput{"s", "t", write.layout.columns, {files[0].path, files[1].path}, false});
  const auto sums = RunCompute(*pool, read, Limits(kPlentyMib), nullptr);
  ASSERT_TRUE(sums) << sums.error().message;
  EXPECT_EQ(sums->steps[0].rows.rows[0][0], "5650");
  EXPECT_EQ(sums->steps[0].rows.rows[0][1], "100");
}

TEST_F(PoolTest, SpillsIntoItsOwnFolderWhichGoesWithIt) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer's allocator keeps more beside DuckDB's count than the ceiling leaves";
#endif
  auto pool = Pool();
  ASSERT_NE(pool, nullptr);
  bool spilled = false;
  RunOptions options = Limits(256);
  options.progress = [&](const JobProgress&) {
    for (const auto& entry : fs::recursive_directory_iterator(x_folder + "/tmp")) spilled |= entry.is_regular_file();
  };
  const auto result = RunCompute(*pool,
                                 Query("SELECT count(*) FROM (SELECT hash(range) h, repeat('x', 50) r FROM "
                                       "range(2500000) ORDER BY h, r LIMIT 2000000)"),
                                 options, nullptr);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_TRUE(spilled);
  pool.reset();
  EXPECT_TRUE(fs::is_empty(x_folder + "/tmp"));
}

TEST_F(PoolTest, DoesTheOtherKinds) {
  const auto pool = Pool();
  ASSERT_NE(pool, nullptr);
  AnalyzeJob analyze;
  analyze.tables.push_back(CatalogTable{"s", "t", Schema{{Field{"d", ParseType("DATE").value(), 0}}}});
  analyze.queries.push_back(AnalyzeQuery{"g.q", "SELECT d, count(*) AS n FROM s.t GROUP BY d", "d"});
  const auto analyzed = RunAnalyze(*pool, analyze, Limits(kPlentyMib), nullptr);
  ASSERT_TRUE(analyzed) << analyzed.error().message;
  EXPECT_TRUE(analyzed->queries.at(0).partition_wise);

  fs::create_directories(x_folder + "/staging");
  std::ofstream(x_folder + "/staging/a") << "hello";
  MoveJob move;
  move.store_url = "file://" + x_folder + "/lake";
  move.items.push_back(MoveJob::Item{x_folder + "/staging/a", "deep/er/a"});
  fs::create_directories(x_folder + "/lake");
  const auto moved = RunMove(*pool, move, Limits(kPlentyMib), nullptr);
  ASSERT_TRUE(moved) << moved.error().message;
  EXPECT_EQ(ReadFile(x_folder + "/lake/deep/er/a"), "hello");

  ExtractJob extract;
  extract.connector = "no such connector";
  extract.staging_folder = x_folder + "/staging";
  const auto extracted = RunExtract(*pool, extract, Limits(kPlentyMib), nullptr);
  ASSERT_FALSE(extracted);
  EXPECT_NE(extracted.error().kind, ErrorKind::kUnavailable) << extracted.error().message;
}

TEST_F(PoolTest, AnErrorOfTheJobComesBackAsItIs) {
  const auto pool = Pool();
  ASSERT_NE(pool, nullptr);
  const auto result = RunCompute(*pool, Query("SELECT nope"), Limits(kPlentyMib), nullptr);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kInvalidArgument);
  EXPECT_THAT(result.error().message, HasSubstr("nope"));
}

TEST_F(PoolTest, AKilledWorkerFailsOneRunWithTheCause) {
  const auto pool = Pool();
  ASSERT_NE(pool, nullptr);
  std::atomic<bool> running{false};
  RunOptions options = Limits(kPlentyMib);
  options.progress = [&](const JobProgress&) { running = true; };
  std::thread victim([&] {
    const auto result = RunCompute(*pool, Query(kLongQuery), options, nullptr);
    EXPECT_FALSE(result);
    if (!result) {
      EXPECT_EQ(result.error().kind, ErrorKind::kUnavailable);
      EXPECT_THAT(result.error().message, HasSubstr("SIGKILL"));
    }
    running = true;  // also where it ended before its time
  });
  while (!running) std::this_thread::sleep_for(milliseconds(10));
  ExpectWorks(*pool);
  ::kill(BusiestChild(), SIGKILL);
  victim.join();
  ExpectWorks(*pool);
}

TEST_F(PoolTest, AWorkerThatDiesWhileItWaitsFailsNoRun) {
  const auto pool = Pool();
  ASSERT_NE(pool, nullptr);
  for (const pid_t pid : ChildrenOf(::getpid())) {
    ::kill(pid, SIGKILL);
    EXPECT_TRUE(EventuallyGone(pid));
  }
  ExpectWorks(*pool);
}

TEST_F(PoolTest, MemoryThatDuckDbDoesNotCountHitsTheCeiling) {
  const auto pool = Pool();
  ASSERT_NE(pool, nullptr);
  JobCost cost;
  // Strings of one vector live in a heap beside the buffer manager.
  const auto result =
      RunCompute(*pool, Query("SELECT max(length(repeat(repeat(range::VARCHAR || 'x', 1000), 1000))) FROM range(4000)"),
                 Limits(300), &cost);
  ASSERT_FALSE(result) << result->steps[0].rows.rows[0][0].value_or("") << " peak " << cost.peak_memory_bytes;
  EXPECT_EQ(result.error().kind, ErrorKind::kUnavailable) << result.error().message;
  EXPECT_THAT(result.error().message, ::testing::AnyOf(HasSubstr("memory ceiling of 300 MiB"), HasSubstr("Memory")));
  RecordProperty("cause", result.error().message);
  EXPECT_LT(cost.peak_memory_bytes, std::int64_t{700} << 20);
  EXPECT_GT(cost.peak_memory_bytes, std::int64_t{200} << 20) << "it did not get far enough to prove anything";
  ExpectWorks(*pool);
}

TEST_F(PoolTest, ATimeOutEndsTheJob) {
  const auto pool = Pool();
  ASSERT_NE(pool, nullptr);
  RunOptions options = Limits(kPlentyMib);
  options.limits.timeout = milliseconds(500);
  const auto result = RunCompute(*pool, Query(kLongQuery), options, nullptr);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kTimeout);
  EXPECT_THAT(result.error().message, HasSubstr("500ms"));
  ExpectWorks(*pool);
}

TEST_F(PoolTest, ACancelEndsTheJobAndItsProcess) {
  const auto pool = Pool();
  ASSERT_NE(pool, nullptr);
  CancelFlag cancel{false};
  pid_t worker = -1;
  RunOptions options = Limits(kPlentyMib);
  options.cancel = &cancel;
  options.progress = [&](const JobProgress& progress) {
    EXPECT_GT(progress.memory_bytes, 1 << 20);
    worker = BusiestChild();
    cancel = true;
  };
  const auto result = RunCompute(*pool, Query(kLongQuery), options, nullptr);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kCancelled);
  EXPECT_TRUE(EventuallyGone(worker));
}

TEST_F(PoolTest, ManyThreadsShareIt) {
  const auto pool = Pool();
  ASSERT_NE(pool, nullptr);
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) threads.emplace_back([&] { ExpectWorks(*pool); });
  for (std::thread& thread : threads) thread.join();
}

TEST_F(PoolTest, ARunningWorkerIsConfined) {
  const auto pool = Pool();
  ASSERT_NE(pool, nullptr);
  CancelFlag cancel{false};
  RunOptions options = Limits(kPlentyMib);
  options.cancel = &cancel;
  options.progress = [&](const JobProgress&) {
    const pid_t worker = BusiestChild();
    EXPECT_EQ(StatusOf(worker, "Seccomp"), 2);
    EXPECT_EQ(StatusOf(worker, "NoNewPrivs"), 1);
    const std::string environment = ReadFile("/proc/" + std::to_string(worker) + "/environ");
    EXPECT_EQ(environment.find("CAUDAL_BINARY"), std::string::npos);
    cancel = true;
  };
  EXPECT_EQ(RunCompute(*pool, Query(kLongQuery), options, nullptr).error().kind, ErrorKind::kCancelled);
}

TEST_F(PoolTest, WorkersDieWithTheirParent) {
  int told[2];
  ASSERT_EQ(::pipe(told), 0);
  const pid_t parent = ::fork();
  if (parent == 0) {
    auto pool = MakeWorkerPool(Options());
    if (!pool) ::_exit(1);
    RunOptions options = Limits(kPlentyMib);
    options.progress = [&](const JobProgress&) {
      const std::vector<pid_t> workers = ChildrenOf(::getpid());
      [[maybe_unused]] const ssize_t n = ::write(told[1], workers.data(), workers.size() * sizeof(pid_t));
      ::close(told[1]);
      for (;;) ::pause();
    };
    (void)RunCompute(**pool, Query(kLongQuery), options, nullptr);
    ::_exit(2);
  }
  ::close(told[1]);
  pid_t workers[16];
  const ssize_t n = ::read(told[0], workers, sizeof workers);
  ::close(told[0]);
  ::kill(parent, SIGKILL);
  int status = 0;
  ::waitpid(parent, &status, 0);
  ASSERT_GT(n, 0);
  for (std::size_t i = 0; i < static_cast<std::size_t>(n) / sizeof(pid_t); ++i) {
    EXPECT_TRUE(EventuallyGone(workers[i])) << workers[i];
  }
}

TEST_F(PoolTest, AProgramThatIsNoneIsSaidAtOnce) {
  PoolOptions options = Options();
  options.executable = x_folder + "/nothing";
  const auto missing = MakeWorkerPool(options);
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, HasSubstr("cannot execute"));
  options.executable = "/bin/true";
  const auto other = MakeWorkerPool(options);
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().message, HasSubstr("exit code 0"));
}

}  // namespace
}  // namespace caudal
