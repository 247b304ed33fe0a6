// Random projects, random sequences of loads, late rows, deletes, partial and failing runs, changed definitions: what the
// tables hold at the end must equal a full rebuild. A sequence that fails is tried again without each of its steps, and told
// with those that it needs.
//
// CAUDAL_PROPERTY_SEED=n runs one sequence and tells what it did; CAUDAL_PROPERTY_COUNT=n runs another number of them.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "app/forking_engine_testing.h"
#include "app/random_sequence_testing.h"
#include "app/test_folder_testing.h"

namespace caudal {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t kSequences = 50;
#else
constexpr std::uint64_t kSequences = 500;
#endif

constexpr unsigned kMostWorkers = 64;

std::optional<std::uint64_t> NumberOf(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr) return std::nullopt;
  return std::stoull(text);
}

/// What the processes of one test share.
struct Board {
  std::atomic<std::uint64_t> next{0};  // sequence that nobody has taken
  std::atomic<bool> failed{false};
  std::array<std::atomic<std::uint64_t>, kMostWorkers> running{};  // what each process works on
  BuildTally tally;
};

/// The steps that a failing sequence can do without.
std::set<std::size_t> Superfluous(std::uint64_t seed, Connection& connection) {
  std::set<std::size_t> left_out;
  for (std::size_t step = 0; step <= RandomSequence::kSteps + 1; ++step) {
    BuildTally tally;
    left_out.insert(step);
    RandomSequence sequence(seed, left_out, connection, tally);
    sequence.Live();
    if (sequence.failures().empty()) left_out.erase(step);
  }
  return left_out;
}

void Tell(std::uint64_t seed, const std::set<std::size_t>& left_out, Connection& connection) {
  BuildTally tally;
  RandomSequence sequence(seed, left_out, connection, tally);
  sequence.Live();
  std::string text = "sequence with seed " + std::to_string(seed) + " (CAUDAL_PROPERTY_SEED=" + std::to_string(seed) +
                     " repeats it):\n" + sequence.Story();
  for (const std::string& failure : sequence.failures()) text += failure + "\n";
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

/// Takes sequences from the board until there is none; true where one failed.
bool Work(Board& board, std::size_t worker, std::uint64_t end) {
  TestFolder folder;
  auto connection = ForkingEngine::OpenConnection(folder.path());
  if (!connection) {
    std::fputs(connection.error().ToString().c_str(), stdout);
    return true;
  }
  for (std::uint64_t seed = board.next++; seed < end && !board.failed; seed = board.next++) {
    board.running[worker] = seed;
    RandomSequence sequence(seed, {}, **connection, board.tally);
    sequence.Live();
    if (sequence.failures().empty()) continue;
    board.failed = true;
    Tell(seed, Superfluous(seed, **connection), **connection);
    return true;
  }
  return ::testing::Test::HasFailure();
}

TEST(IncrementalPropertyTest, RandomSequencesEqualFullRebuilds) {
  std::optional<std::uint64_t> only = NumberOf("CAUDAL_PROPERTY_SEED");
  std::uint64_t first = only.value_or(1);
  std::uint64_t count = NumberOf("CAUDAL_PROPERTY_COUNT").value_or(only ? 1 : kSequences);
  void* shared = ::mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(shared, MAP_FAILED);
  Board& board = *new (shared) Board;
  board.next = first;
  std::vector<::pid_t> workers;
  std::fflush(stdout);
  while (workers.size() < std::clamp(std::thread::hardware_concurrency(), 1U, kMostWorkers)) {
    ::pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) ::_exit(Work(board, workers.size(), first + count) ? 1 : 0);
    workers.push_back(child);
  }
  for (std::size_t worker = 0; worker < workers.size(); ++worker) {
    int status = 0;
    ASSERT_EQ(::waitpid(workers[worker], &status, 0), workers[worker]);
    if (WIFSIGNALED(status)) {
      ADD_FAILURE() << "a sequence ended with signal " << WTERMSIG(status) << ": CAUDAL_PROPERTY_SEED=" << board.running[worker];
    } else {
      EXPECT_EQ(status, 0) << "a sequence failed; it is told above";
    }
  }
  if (count == 1) {
    TestFolder folder;
  auto connection = ForkingEngine::OpenConnection(folder.path());
    ASSERT_TRUE(connection) << connection.error().ToString();
    if (!HasFailure()) Tell(first, {}, **connection);
    return;
  }
  const BuildTally& tally = board.tally;
  std::printf("tasks that built partitions: %d, new rows: %d, everything: %d; left a partition closed: %d\n", tally.partitions.load(),
              tally.new_rows.load(), tally.whole.load(), tally.closed.load());
  if (count < kSequences) return;
  EXPECT_GT(tally.partitions, static_cast<int>(count) / 10);
  EXPECT_GT(tally.new_rows, static_cast<int>(count) / 15);
  ::munmap(shared, sizeof(Board));
}

}  // namespace
}  // namespace caudal
