// Table::Commit and Table::Heal. The steps and what a death between them leaves: docs/formats/table.md, "Commit".
#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <system_error>
#include <thread>
#include <utility>

#include "base/ids.h"
#include "lake/change_plan.h"
#include "lake/conflict.h"
#include "lake/faces/faces.h"
#include "lake/intent.h"
#include "lake/log.h"
#include "lake/rejects.h"
#include "lake/retention.h"
#include "lake/table_config.h"
#include "lake/table.h"

namespace caudal {
namespace {

constexpr std::chrono::seconds kLockWait{60};
constexpr int kRaces = 100;
constexpr int kUnclearPuts = 3;
constexpr std::size_t kFilesWorthThreads = 5;
constexpr int kPlacingThreads = 7;

using SharedSnapshot = std::shared_ptr<const Snapshot>;
using SharedEntries = std::vector<std::shared_ptr<const LogEntry>>;

class Committer {
 public:
  Committer(ObjectStore& store, const std::string& prefix, const Clock& clock, TableFormats formats, Log& log, const CommitProbe& probe)
      : x_store(store), x_prefix(prefix), x_clock(clock), x_formats(formats), x_log(log), x_probe(probe) {}

  Status Lock() {
    TRY_ASSIGN(x_lock, x_store.Lock(x_prefix + "/.hoodie/.lake.lock", kLockWait));
    Probe("locked");
    return {};
  }

  /// The newest snapshot, all before it finished; null where there is no table.
  Result<SharedSnapshot> Heal() {
    TRY_ASSIGN(x_open_intents, HealIntents(x_store, x_prefix));
    TRY_ASSIGN(SharedSnapshot newest, Newest());
    if (newest) TRY(PublishRejects(x_store, x_prefix, x_log, *newest));
    Probe("healed");
    return newest;
  }

  Result<PurgeReport> Purge(std::int64_t horizon, bool dry_run) {
    TRY_ASSIGN(SharedSnapshot newest, Newest());
    if (!newest) return NoTable();
    TRY_ASSIGN(Change change, PurgeTo(*newest, horizon));
    TRY_ASSIGN(const std::set<std::string> kept, FilesOfSavepoints(*newest));
    PurgeReport report;
    for (std::int64_t version = PurgedFrom(*newest) + 1; version <= horizon; ++version) {
      TRY_ASSIGN(auto entry, x_log.Entry(version));
      for (const LogRemove& remove : entry->removes) {
        std::string key = x_prefix + "/" + remove.path;
        if (kept.contains(remove.path)) continue;
        auto there = x_store.Head(key);
        if (!there && there.error().kind == ErrorKind::kNotFound) continue;  // an earlier purge had got so far
        if (!there) return std::move(there).error();
        change.deletes.push_back(std::move(key));
        report.bytes += remove.size_bytes;
      }
    }
    report.files = static_cast<std::int64_t>(change.deletes.size());
    if (dry_run) return report;
    TRY_ASSIGN(const CommitOutcome committed, Run(change));
    report.version = committed.version;
    TRY(x_deleted);
    TRY_ASSIGN(newest, Newest());
    TRY(TrimFormats(x_store, x_prefix, x_log, *newest));
    return report;
  }

  Result<std::vector<std::string>> PurgeOrphans(Timestamp before, bool dry_run) {
    TRY_ASSIGN(SharedSnapshot newest, dry_run ? Newest() : Heal());
    if (!newest) return NoTable();
    TRY_ASSIGN(std::set<std::string> named, FilesOfSavepoints(*newest));
    const std::int64_t horizon = HorizonOf(*newest);
    TRY_ASSIGN(auto oldest, x_log.At(horizon));
    for (const LiveFile& file : oldest->files) named.insert(file.path);
    for (std::int64_t version = horizon + 1; version <= newest->version; ++version) {
      TRY_ASSIGN(auto entry, x_log.Entry(version));
      for (const LiveFile& file : entry->adds) named.insert(file.path);
    }
    TRY_ASSIGN(const auto objects, x_store.List(x_prefix + "/", ""));
    std::vector<std::string> orphans;
    for (const ObjectInfo& object : objects) {
      const std::string path = object.key.substr(x_prefix.size() + 1);
      if (IsDataFile(path) && !named.contains(path) && object.modified < before) orphans.push_back(object.key);
    }
    for (const std::string& key : orphans) {
      if (!dry_run) TRY(x_store.Delete(key));
    }
    return orphans;
  }

  Result<CommitOutcome> Run(const Change& change) {
    for (int race = 0; race < kRaces; ++race) {
      TRY_ASSIGN(SharedSnapshot newest, Heal());
      TRY_ASSIGN(Decision decision, Judge(change, newest.get()));
      if (decision.kind == Decision::Kind::kAlreadyApplied) return CommitOutcome{decision.version, true};
      TRY_ASSIGN(CommitPlan plan, PlanCommit(change, newest.get(), x_prefix, NewUuid(), x_clock.Now()));
      TRY_ASSIGN(bool won, Attempt(plan));
      if (!won) continue;
      Finish(plan);
      return CommitOutcome{plan.entry.version, false};
    }
    return Error{ErrorKind::kConflict, fmt::format("{}: {} other commits came first, one after another", x_prefix, kRaces),
                 "try again when fewer writers are at work", ""};
  }

 private:
  /// The commit stands; what fails from here on is mended by the next writer.
  void Finish(const CommitPlan& plan) {
    auto snapshot = x_log.Latest();
    if (snapshot && plan.entry.rejects) (void)PublishRejects(x_store, x_prefix, x_log, **snapshot);
    Probe("rejects");
    if (snapshot) (void)RenderFormats(x_store, x_prefix, x_log, **snapshot, x_formats, RenderExtent::kMissing);
    Probe("faces");
    if (snapshot) (void)x_log.Keep(**snapshot);
    Probe("kept");
    x_deleted = Delete(plan.deletes);
    if (x_deleted) DropIntent(x_store, x_prefix, plan);
    if (x_open_intents > 0) (void)HealIntents(x_store, x_prefix);  // this commit took their version
    Probe("done");
  }

  Status Delete(const std::vector<std::string>& keys) {
    for (const std::string& key : keys) {
      TRY(x_store.Delete(key));
      Probe("purged");
    }
    return {};
  }

  void Probe(std::string_view step) {
    if (x_probe) x_probe(step);
  }

  Error NoTable() const { return Error{ErrorKind::kNotFound, "there is no table at " + x_store.Url() + "/" + x_prefix, "", ""}; }

  Result<std::set<std::string>> FilesOfSavepoints(const Snapshot& newest) {
    std::set<std::string> paths;
    TRY_ASSIGN(const auto savepoints, SavepointsOf(newest));
    for (const Savepoint& savepoint : savepoints) {
      TRY_ASSIGN(auto snapshot, x_log.At(savepoint.version));
      for (const LiveFile& file : snapshot->files) paths.insert(file.path);
    }
    return paths;
  }

  Result<SharedSnapshot> Newest() {
    auto newest = x_log.Latest();
    if (!newest && newest.error().kind == ErrorKind::kNotFound) return SharedSnapshot();
    return newest;
  }

  Result<SharedEntries> Entries(std::int64_t from, std::int64_t to) {
    SharedEntries entries;
    for (std::int64_t version = from; version <= to; ++version) {
      TRY_ASSIGN(auto entry, x_log.Entry(version));
      entries.push_back(std::move(entry));
    }
    return entries;
  }

  static Result<ChangeFacts> FactsOf(const Change& change, const Snapshot& newest) {
    ChangeFacts facts;
    if (change.read_partitions) {
      facts.read.emplace();
      for (const auto& values : *change.read_partitions) {
        TRY_ASSIGN(auto normal, NormalPartition(newest.schema, newest.partition_columns, values));
        facts.read->push_back(std::move(normal));
      }
    }
    if (change.definition) {
      auto next = NextMetadata(&newest, *change.definition, change.removes.size() == newest.files.size(), "", newest.time);
      facts.redefines = !next || !SameMetadata(newest, *next);
    }
    return facts;
  }

  Result<Decision> Judge(const Change& change, const Snapshot* newest) {
    if (newest == nullptr) {
      if (change.base_version < 0) return Decision{};
      return NoTable();
    }
    if (change.base_version > newest->version) {
      return Error{ErrorKind::kInvalidArgument,
                   fmt::format("a change built on version {} of {}, which is at {}", change.base_version, x_prefix,
                               newest->version), "", ""};
    }
    bool creates = change.base_version < 0;
    TRY_ASSIGN(SharedEntries later, Entries(creates ? 0 : change.base_version + 1, creates ? 0 : newest->version));
    TRY_ASSIGN(ChangeFacts facts, FactsOf(change, *newest));
    Decision decision = Decide(change, facts, later);
    if (decision.kind == Decision::Kind::kAlreadyApplied) return decision;
    if (creates) {
      return Error{ErrorKind::kAlreadyExists, fmt::format("{} is already at version {}, made by {}", x_prefix,
                                                          newest->version, later[0]->task), "read it and plan again", ""};
    }
    if (decision.kind == Decision::Kind::kProceed) return decision;
    const LogEntry& winner = *later[static_cast<std::size_t>(decision.version - change.base_version - 1)];
    return Error{ErrorKind::kConflict,
                 fmt::format("{} conflicts with version {} of {} ({}{}{}): {}", change.operation, winner.version, x_prefix,
                             winner.operation, winner.task.empty() ? "" : " by ", winner.task, decision.why),
                 "read the table again and plan again", ""};
  }

  /// True: committed. False: another writer took the version, and nothing of this attempt is left.
  Result<bool> Attempt(const CommitPlan& plan) {
    Status placed = PutIntent(x_store, x_prefix, plan);
    if (!placed) return NotCommitted(std::move(placed).error());
    Probe("intent");
    placed = Place(plan);
    if (!placed) {
      UndoIntent(x_store, x_prefix, plan);
      return NotCommitted(std::move(placed).error());
    }
    Probe("placed");
    auto won = PutEntry(plan);
    if (won && *won) Probe("committed");
    bool unknown = !won && won.error().kind == ErrorKind::kCommitUnknown;
    if ((won && !*won) || (!won && !unknown)) UndoIntent(x_store, x_prefix, plan);
    return won;
  }

  Status PutPartitionMetadata(const std::string& root, const std::string& folder, Timestamp time) {
    std::string key = root + "/" + (folder.empty() ? "" : folder + "/") + ".hoodie_partition_metadata";
    auto put = x_store.PutIfAbsent(key, PartitionMetadataText(folder, time));
    if (!put && put.error().kind != ErrorKind::kAlreadyExists) return put;
    Probe("partition");
    return {};
  }

  Status Place(const CommitPlan& plan) {
    for (const std::string& folder : plan.new_folders) TRY(PutPartitionMetadata(x_prefix, folder, plan.entry.time));
    if (plan.entry.rejects && plan.entry.rejects->version == 0) {
      TRY(PutPartitionMetadata(RejectsPrefix(x_prefix), "", plan.entry.time));
    }
    return PlaceFiles(plan.files);
  }

  /// Each file costs a wait for the disk, so many of them wait together.
  Status PlaceFiles(const std::vector<Placement>& files) {
    std::atomic<std::size_t> next{0};
    std::mutex mutex;
    Status first_error;
    auto work = [&] {
      for (std::size_t i = next++; i < files.size(); i = next++) {
        const Placement& file = files[i];
        auto put = file.copied_key.empty() ? x_store.PutFileIfAbsent(file.key, file.local_path)
                                           : x_store.CopyIfAbsent(file.key, file.copied_key);
        std::lock_guard lock(mutex);
        if (put) {
          Probe("file");
          continue;
        }
        if (first_error) first_error = std::move(put);
        next = files.size();
      }
    };
    std::vector<std::thread> helpers;
    if (files.size() >= kFilesWorthThreads) {
      try {
        for (int i = 0; i < kPlacingThreads; ++i) helpers.emplace_back(work);
      } catch (const std::system_error&) {
        // The system gives no more threads: those that there are place all files.
      }
    }
    work();
    for (auto& helper : helpers) helper.join();
    return first_error;
  }

  /// The one step that decides. Errors other than kCommitUnknown: certainly not committed.
  Result<bool> PutEntry(const CommitPlan& plan) {
    std::string key = x_log.KeyOfVersion(plan.entry.version);
    std::string text = LogText(plan.entry);
    for (int n = 0; n < kUnclearPuts; ++n) {
      auto put = x_store.PutIfAbsent(key, text);
      if (put) return true;
      auto seen = x_store.Get(key);
      if (seen) {
        auto entry = ReadLogText(plan.entry.version, *seen);
        if (!entry) return Unknown(key, entry.error());
        if (entry->transaction != plan.entry.transaction) return false;
        // Readable, but the disk did not take it: neither a success nor something to clean up.
        if (put.error().kind == ErrorKind::kInternal) return Unknown(key, put.error());
        return true;
      }
      if (seen.error().kind != ErrorKind::kNotFound) return Unknown(key, seen.error());
      bool may_land_later = put.error().kind == ErrorKind::kCommitUnknown || put.error().kind == ErrorKind::kTimeout ||
                            put.error().kind == ErrorKind::kAlreadyExists;
      if (!may_land_later) return std::move(put).error();
    }
    return Unknown(key, Error{ErrorKind::kTimeout, "no answer of the store tells", "", ""});
  }

  /// Before the log entry, an object of which nothing is known is a failure as any other.
  static Error NotCommitted(Error error) {
    if (error.kind == ErrorKind::kCommitUnknown) error.kind = ErrorKind::kUnavailable;
    return error;
  }

  static Error Unknown(const std::string& key, const Error& cause) {
    return Error{ErrorKind::kCommitUnknown, "whether " + key + " was committed is not known: " + cause.ToString(),
                 "look at the table's history; the next commit to it finds out and cleans up", ""};
  }

  ObjectStore& x_store;
  const std::string& x_prefix;
  const Clock& x_clock;
  const TableFormats x_formats;
  Log& x_log;
  const CommitProbe& x_probe;
  Status x_deleted;  // of the files that the last commit gave up
  std::shared_ptr<void> x_lock;  // the store's guard
  std::size_t x_open_intents = 0;
};

}  // namespace

Result<CommitOutcome> Table::Commit(const Change& change) {
  TRY(CheckChange(change));
  if (x_prefix.ends_with(RejectsPrefix(""))) {
    return Error{ErrorKind::kUnsupported, x_prefix + " is made of the commits of its table and takes none of its own", "",
                 ""};
  }
  Committer committer(x_store, x_prefix, x_clock, x_formats, *x_log, x_probe);
  TRY(committer.Lock());
  return committer.Run(change);
}

Result<PurgeReport> Table::Purge(std::int64_t horizon, bool dry_run) {
  Committer committer(x_store, x_prefix, x_clock, x_formats, *x_log, x_probe);
  TRY(committer.Lock());
  return committer.Purge(horizon, dry_run);
}

Result<std::vector<std::string>> Table::PurgeOrphans(Timestamp before, bool dry_run) {
  Committer committer(x_store, x_prefix, x_clock, x_formats, *x_log, x_probe);
  TRY(committer.Lock());
  return committer.PurgeOrphans(before, dry_run);
}

Status Table::Heal() {
  Committer committer(x_store, x_prefix, x_clock, x_formats, *x_log, x_probe);
  TRY(committer.Lock());
  TRY_ASSIGN(SharedSnapshot newest, committer.Heal());
  return newest ? RenderFormats(x_store, x_prefix, *x_log, *newest, x_formats, RenderExtent::kMissing) : Status();
}

Result<bool> Table::RepairFormats() {
  Committer committer(x_store, x_prefix, x_clock, x_formats, *x_log, x_probe);
  TRY(committer.Lock());
  TRY_ASSIGN(SharedSnapshot newest, committer.Heal());
  if (!newest) return false;
  TRY_ASSIGN(auto differences, caudal::CheckFormats(x_store, x_prefix, *x_log, *newest, x_formats));
  if (differences.empty()) return false;
  TRY(RenderFormats(x_store, x_prefix, *x_log, *newest, x_formats, RenderExtent::kAll));
  return true;
}

}  // namespace caudal
