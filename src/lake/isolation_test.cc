// Random histories of writers and readers at once, checked afterwards against the log: every commit saw what it says it read
// (snapshot isolation, and no write skew between partitions), nothing acknowledged is lost, nothing is there twice, and no
// reader goes back in time. Some writers die inside a commit.
#include <atomic>
#include <chrono>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "lake/lake_fixture.h"
#include "lake/whole_fixture.h"

namespace caudal {
namespace {

struct Death {};

/// One attempt to commit, and what it was built on.
struct Transaction {
  Change change;
  std::set<std::string> reads;  // regions
  std::string cursor;           // domain that it moves, "" = none
  std::int64_t version = -1;    // acknowledged
  bool died = false;
};

using Regions = std::map<std::string, std::int64_t>;

std::string RegionOf(const LiveFile& file) { return file.partition.at("region").value_or(""); }

Regions RowsOf(const Snapshot& snapshot) {
  Regions rows;
  for (const LiveFile& file : snapshot.files) rows[RegionOf(file)] += file.rows;
  return rows;
}

class Isolation : public LakeFixture {
 protected:
  struct Plan {
    int writers, readers, transactions;
    TableFormats formats;
  };

  void Live(ObjectStore& store, const Plan& plan, std::uint32_t seed) {
    ASSERT_TRUE(Table(store, "silver/orders", SystemClock(), plan.formats).Commit(Create(Orders({"region"}))));
    std::vector<std::thread> threads;
    std::atomic<int> writing{plan.writers};
    for (int writer = 0; writer < plan.writers; ++writer) {
      threads.emplace_back([&, writer] {
        std::mt19937 dice(seed * 1000 + static_cast<std::uint32_t>(writer));
        for (int i = 0; i < plan.transactions; ++i) Write(store, plan, "w" + std::to_string(writer) + "/" + std::to_string(i), dice);
        --writing;
      });
    }
    for (int reader = 0; reader < plan.readers; ++reader) {
      threads.emplace_back([&] {
        const Table table(store, "silver/orders", SystemClock());
        while (writing > 0) Read(table);
      });
    }
    for (std::thread& thread : threads) thread.join();
    Table table(store, "silver/orders", SystemClock(), plan.formats);
    ASSERT_TRUE(table.Heal());
    ExpectWhole(store, table);
    Check(table);
  }

 private:
  AddFile File(std::int64_t rows, const std::string& region) {
    const std::lock_guard lock(x_mutex);
    return AddFile{Stage(rows, {{"region", region}}), ""};
  }

  /// What a random transaction does, built on `base`.
  Transaction Make(const Snapshot& base, const std::string& task, std::mt19937& dice) {
    const std::string regions[] = {"east", "north", "a/b c"};
    const std::string& region = regions[dice() % 3];
    Transaction t;
    t.change.task = task;
    t.change.base_version = base.version;
    const Regions rows = RowsOf(base);
    const std::int64_t here = rows.contains(region) ? rows.at(region) : 0;
    const auto rewrite = [&](ChangeKind kind, const char* operation, std::int64_t becomes) {
      t.change.kind = kind;
      t.change.operation = operation;
      t.reads.insert(region);
      for (const LiveFile& file : base.files) {
        if (RegionOf(file) == region) t.change.removes.push_back(file.path);
      }
      if (becomes > 0) t.change.adds.push_back(File(becomes, region));
    };
    switch (dice() % 8) {
      case 0:
      case 1:
        t.change = Append(base.version, {File(1 + static_cast<std::int64_t>(dice() % 5), region).file});
        t.change.task = task;
        t.cursor = dice() % 2 == 0 ? "cursor.appends" : "";
        break;
      case 2: rewrite(ChangeKind::kNone, "OPTIMIZE", here); break;
      case 3: rewrite(ChangeKind::kDelete, "DELETE", here / 2); break;
      case 4:  // reads two regions and writes one: two of these, crosswise, must not both pass
        rewrite(ChangeKind::kOverwrite, "OVERWRITE", here + 1);
        t.reads.insert(regions[dice() % 3]);
        break;
      default:
        rewrite(ChangeKind::kUpsert, "MERGE", here + 1);
        t.cursor = "cursor." + std::to_string(region.size());
    }
    if (!t.change.blind) {
      t.change.read_partitions.emplace();
      for (const std::string& read : t.reads) t.change.read_partitions->push_back({{"region", read}});
    }
    if (!t.cursor.empty()) t.change.domains[t.cursor] = std::to_string(Cursor(base, t.cursor) + 1);
    return t;
  }

  static std::int64_t Cursor(const Snapshot& snapshot, const std::string& name) {
    const auto found = snapshot.domains.find(name);
    return found == snapshot.domains.end() ? 0 : std::stoll(found->second);
  }

  void Write(ObjectStore& store, const Plan& plan, const std::string& task, std::mt19937& dice) {
    Table table(store, "silver/orders", SystemClock(), plan.formats);
    const std::int64_t acknowledged = x_acknowledged;
    const auto base = table.Latest();
    ASSERT_TRUE(base) << base.error().ToString();
    EXPECT_GE((*base)->version, acknowledged) << "what was acknowledged before is seen by all";
    Transaction t = Make(**base, task, dice);
    if (t.change.adds.empty() && t.change.removes.empty()) return;
    std::this_thread::sleep_for(std::chrono::microseconds(dice() % 2000));  // others commit meanwhile
    int steps = dice() % 12 == 0 ? static_cast<int>(dice() % 8) : -1;
    table.set_probe([&](std::string_view) {
      if (steps-- == 0) throw Death();
    });
    try {
      const auto done = table.Commit(t.change);
      if (done) t.version = done->version;
      if (!done) {
        EXPECT_TRUE(done.error().kind == ErrorKind::kConflict || done.error().kind == ErrorKind::kUnavailable) << done.error().ToString();
      }
    } catch (const Death&) {
      t.died = true;
    }
    for (std::int64_t known = x_acknowledged; known < t.version && !x_acknowledged.compare_exchange_weak(known, t.version);) {
    }
    const std::lock_guard lock(x_mutex);
    x_transactions[task] = std::move(t);
  }

  void Read(const Table& table) {
    const std::int64_t acknowledged = x_acknowledged;
    const auto seen = table.Latest();
    ASSERT_TRUE(seen) << seen.error().ToString();
    EXPECT_GE((*seen)->version, acknowledged) << "a reader does not go back in time";
    const std::lock_guard lock(x_mutex);
    x_seen.emplace((*seen)->version, *seen);
  }

  void Check(const Table& table) {
    const auto latest = table.Latest();
    const auto history = table.History(-1, (*latest)->version);
    ASSERT_TRUE(history);
    std::vector<std::shared_ptr<const Snapshot>> versions;
    for (std::int64_t v = 0; v <= (*latest)->version; ++v) versions.push_back(*table.At(v));
    for (const auto& [version, seen] : x_seen) EXPECT_EQ(Paths(*seen), Paths(*versions[static_cast<std::size_t>(version)])) << "version " << version;
    std::map<std::string, std::int64_t> committed;
    int overlapping = 0;
    for (const CommitRecord& commit : *history) {
      if (commit.task.empty()) continue;
      EXPECT_TRUE(committed.emplace(commit.task, commit.version).second) << commit.task << " is there twice";
      const auto found = x_transactions.find(commit.task);
      ASSERT_NE(found, x_transactions.end()) << commit.task;
      EXPECT_TRUE(found->second.version == commit.version || (found->second.version < 0 && found->second.died)) << commit.task << " was refused and is there";
      overlapping += found->second.change.base_version + 1 < commit.version;
      CheckOne(found->second, commit, *history, versions);
    }
    for (const auto& [task, t] : x_transactions) {
      if (t.version < 0) continue;
      EXPECT_EQ(committed[task], t.version) << task << " was acknowledged and is lost";
    }
    EXPECT_GT(overlapping, 0) << "nothing happened at once: nothing was tried";
  }

  void CheckOne(const Transaction& t, const CommitRecord& commit, const std::vector<CommitRecord>& history,
                const std::vector<std::shared_ptr<const Snapshot>>& versions) {
    SCOPED_TRACE(commit.task + " " + commit.operation + " read " + std::to_string(t.change.base_version) + ", became " + std::to_string(commit.version));
    const Snapshot& base = *versions[static_cast<std::size_t>(t.change.base_version)];
    const Snapshot& before = *versions[static_cast<std::size_t>(commit.version) - 1];
    EXPECT_EQ(std::set<std::string>(commit.removed_paths.begin(), commit.removed_paths.end()),
              std::set<std::string>(t.change.removes.begin(), t.change.removes.end()));
    for (const std::string& path : commit.removed_paths) EXPECT_NE(before.Find(path), nullptr) << path;
    if (t.change.kind == ChangeKind::kNone) return;  // joined files carry on the rows of those that they replace, and no others
    for (const std::string& region : t.reads) EXPECT_EQ(RowsOf(base)[region], RowsOf(before)[region]) << "rows of " << region << " that were read had changed";
    for (const CommitRecord& between : history) {
      if (between.version <= t.change.base_version || between.version >= commit.version || between.change == ChangeKind::kNone) continue;
      for (const auto& partition : between.partitions) EXPECT_FALSE(t.reads.contains(partition.at("region").value_or(""))) << between.version;
    }
    if (!t.cursor.empty()) {
      EXPECT_EQ(Cursor(before, t.cursor), Cursor(base, t.cursor)) << t.cursor << " was moved by two that read the same";
    }
  }

  static std::vector<std::string> Paths(const Snapshot& snapshot) {
    std::vector<std::string> paths;
    for (const LiveFile& file : snapshot.files) paths.push_back(file.path);
    return paths;
  }

  std::mutex x_mutex;
  std::atomic<std::int64_t> x_acknowledged{0};
  std::map<std::string, Transaction> x_transactions;
  std::map<std::int64_t, std::shared_ptr<const Snapshot>> x_seen;
};

TEST_F(Isolation, HoldsInMemory) {
  const auto store = MakeMemoryStore();
  Live(*store, Plan{8, 2, 60, {}}, 1);
}

TEST_F(Isolation, HoldsInAFolderWithAllFormats) {
  const auto store = std::move(MakeLocalStore(x_folder + "/lake")).value();
  Live(*store, Plan{4, 1, 25, kAllFormats}, 2);
}

}  // namespace
}  // namespace caudal
