#include "store/atomic_probe.h"

#include <fmt/format.h>

#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include "base/ids.h"
#include "base/json.h"

namespace caudal {
namespace {

// Held back before their last byte, all writers are past a condition that is looked at too early: versitygw then fails
// four rounds of ten, so that it passes once in a hundred thousand times.
constexpr int kWriters = 32;
constexpr int kRounds = 20;
constexpr std::chrono::milliseconds kLongestHold{500};
constexpr std::size_t kBodyBytes = 4096;
constexpr const char* kVerdictKey = "_caudal/store.json";

struct Round {
  std::string key;
  std::atomic<int> ready{0};
  std::atomic<int> held{0};  // writers that wait before their last byte
  std::atomic<int> winners{0};
  std::string bytes;  // of a winner; guarded by the race's mutex
};

/// Until all writers are here, or some evidently do not come.
void Hold(Round& round, int writers) {
  ++round.held;
  const auto give_up = std::chrono::steady_clock::now() + kLongestHold;
  while (round.held < writers && std::chrono::steady_clock::now() < give_up) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

Error NotAtomic(const S3Store& store, const std::string& detail) {
  const std::string where = store.options().endpoint.empty() ? "S3 in " + store.options().region : store.options().endpoint;
  return Error{ErrorKind::kUnsupported,
               "the object store at " + where + " is not atomic: " + detail + ", so two commits could both be told that they won, and one would be lost",
               "keep the lake on a store with atomic conditional writes (docs/s3.md names some); `caudal doctor --store " + store.Url() +
                   "` races again",
               ""};
}

std::string InWords(const RaceResult& race) {
  return fmt::format("{} writers wanted to create one object, and in {} of {} rounds it was not exactly one that did (once {})", race.writers,
                     race.bad_rounds, race.rounds, race.most_winners);
}

}  // namespace

Result<RaceResult> RaceForCreation(S3Store& store, int writers, int rounds) {
  RaceResult result{writers, rounds, 0, 0};
  std::vector<Round> all(static_cast<std::size_t>(rounds));
  const std::string prefix = std::string(kProbePrefix) + "probe/" + NewToken() + "/";
  for (std::size_t i = 0; i < all.size(); ++i) all[i].key = prefix + std::to_string(i);
  std::mutex mutex;
  Status failed;
  std::atomic<bool> stop{false};
  const auto write = [&](int writer) {
    for (Round& round : all) {
      ++round.ready;
      while (round.ready < writers && !stop) std::this_thread::yield();
      if (stop) return;
      std::string mine = fmt::format("writer {} of {} ", writer, round.key);
      mine.resize(kBodyBytes, '.');
      const Status status = store.RaceToCreate(round.key, mine, [&] { Hold(round, writers); });
      std::lock_guard lock(mutex);
      if (status) {
        ++round.winners;
        round.bytes = mine;
      } else if (status.error().kind != ErrorKind::kAlreadyExists) {
        if (failed) failed = status;
        stop = true;
      }
    }
  };
  std::vector<std::thread> threads;
  for (int writer = 0; writer < writers; ++writer) threads.emplace_back(write, writer);
  for (std::thread& thread : threads) thread.join();
  for (Round& round : all) {
    if (!failed) break;
    auto lies = store.Get(round.key);
    if (!lies) failed = std::move(lies).error();
    result.most_winners = std::max(result.most_winners, round.winners.load());
    if (round.winners != 1 || (lies && *lies != round.bytes)) ++result.bad_rounds;
  }
  std::atomic<std::size_t> next{0};
  const auto clean = [&] {
    for (std::size_t i = next++; i < all.size(); i = next++) (void)store.Delete(all[i].key);  // what stays is named as the probe's
  };
  threads.clear();
  for (int i = 0; i < 8; ++i) threads.emplace_back(clean);
  for (std::thread& thread : threads) thread.join();
  if (!failed) return std::move(failed).error();
  return result;
}

Result<RaceResult> ProveAtomic(S3Store& store) {
  TRY_ASSIGN(const RaceResult race, RaceForCreation(store, kWriters, kRounds));
  const Json verdict{{"atomic", race.bad_rounds == 0}, {"bad_rounds", race.bad_rounds},     {"most_winners", race.most_winners},
                     {"rounds", race.rounds},          {"writers", race.writers},           {"endpoint", store.options().endpoint},
                     {"checked", FormatTimestamp(SystemClock().Now())}};
  TRY(store.Put(kVerdictKey, DumpJson(verdict)));
  if (race.bad_rounds > 0) return NotAtomic(store, InWords(race));
  return race;
}

Status RequireAtomic(S3Store& store) {
  const auto text = store.Get(kVerdictKey);
  if (!text && text.error().kind != ErrorKind::kNotFound) return text.error();
  if (text) {
    const auto known = ParseJson(*text, kVerdictKey);
    if (known && JsonString(*known, "endpoint", "?") == store.options().endpoint) {
      if (JsonBool(*known, "atomic", false)) return {};
      return NotAtomic(store, fmt::format("when it was tried ({}), {} of {} rounds had other than one winner", JsonString(*known, "checked", "?"),
                                          JsonInt(*known, "bad_rounds", 0), JsonInt(*known, "rounds", 0)));
    }
  }
  const auto proved = ProveAtomic(store);
  if (proved || proved.error().kind == ErrorKind::kPermission) return {};
  return proved.error();
}

}  // namespace caudal
