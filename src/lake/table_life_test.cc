// Random lives of tables against a model of three maps. The seed is printed; CAUDAL_SEED repeats one life.
#include <stdlib.h>

#include <algorithm>
#include <random>

#include "lake/lake_fixture.h"
#include "lake/overwrite.h"
#include "lake/whole_fixture.h"

namespace caudal {
namespace {

/// A table as somebody would keep it on paper: each file is known by its number of rows, which is never used twice.
struct Model {
  std::map<std::int64_t, Cell> files;  // rows -> region
  std::map<std::string, std::string> domains;
  std::map<std::string, std::string> columns;  // name -> type
  std::int64_t rejected = 0;
};

class TableLife : public LakeFixture {
 protected:
  void Live(unsigned seed, int steps) {
    x_random.seed(seed);
    x_formats = seed % 5 == 0 ? kAllFormats : TableFormats{};  // rendering takes most of the time
    x_store = MakeMemoryStore();
    x_model = Model{};
    x_past.clear();
    x_next_rows = 1;
    x_columns = {{"id", "INTEGER"}, {"region", "VARCHAR"}};
    x_table = std::make_unique<Table>(*x_store, "t", x_clock, x_formats);
    Change create = Create(Definition());
    Commit(create, [] {});
    for (int i = 0; i < steps && !HasFailure(); ++i) {
      Step();
      Compare();
    }
    // What a dropped savepoint alone had goes with the next purge.
    ASSERT_TRUE(x_table->Purge(HorizonOf(*std::move(x_table->Latest()).value()), false));
    ExpectWhole(*x_store, *x_table);
  }

  unsigned Pick(std::size_t n) { return static_cast<unsigned>(x_random() % n); }

  Cell PickRegion() {
    static const std::vector<Cell> kRegions{"us", "fr", "a b/c%d", "ñ", std::nullopt};
    return kRegions[Pick(kRegions.size())];
  }

  TableDefinition Definition() { return TableDefinition{"t", Columns(x_columns), {"region"}, {"id"}, {}}; }

  WrittenFile NewFile(const Cell& region) { return Stage(x_next_rows++, {{"region", region}}); }

  Change Base(const std::string& operation, ChangeKind kind) {
    Change change;
    change.operation = operation;
    change.kind = kind;
    change.base_version = std::move(x_table->Latest()).value()->version;
    return change;
  }

  void Commit(const Change& change, const std::function<void()>& then) {
    auto outcome = x_table->Commit(change);
    ASSERT_TRUE(outcome) << change.operation << ": " << outcome.error().ToString();
    then();
    for (const auto& [name, type] : x_columns) x_model.columns[name] = type;
    x_past.push_back(x_model);
    EXPECT_EQ(outcome->version, static_cast<std::int64_t>(x_past.size()) - 1);
    x_last = change;
  }

  std::string PathOf(std::int64_t rows) {
    auto latest = std::move(x_table->Latest()).value();
    for (const LiveFile& file : latest->files) {
      if (file.rows == rows) return file.path;
    }
    ADD_FAILURE() << "no file of " << rows << " rows";
    return "";
  }

  std::int64_t PickFile() {
    auto it = x_model.files.begin();
    std::advance(it, Pick(x_model.files.size()));
    return it->first;
  }

  void DoAppend() {
    Change change = Base("APPEND", ChangeKind::kAppend);
    change.blind = true;
    std::map<std::int64_t, Cell> added;
    for (unsigned i = Pick(3); i < 3; ++i) {
      Cell region = PickRegion();
      added[x_next_rows] = region;
      change.adds.push_back(AddFile{NewFile(region), ""});
    }
    if (Pick(3) == 0) {
      change.rejects = {Stage(2)};
    }
    if (Pick(2) == 0) change.domains["cursor.a"] = "{\"at\":" + std::to_string(x_next_rows) + "}";
    change.task = "task/" + std::to_string(x_next_rows);
    Commit(change, [&] {
      x_model.files.insert(added.begin(), added.end());
      if (!change.rejects.empty()) x_model.rejected += 2;
      for (const auto& [name, value] : change.domains) x_model.domains[name] = *value;
    });
  }

  void DoRewrite(bool keep_rows) {
    std::int64_t old = PickFile();
    Cell region = x_model.files[old];
    Change change = Base("MERGE", ChangeKind::kUpsert);
    change.removes = {PathOf(old)};
    std::int64_t rows = x_next_rows;
    if (keep_rows) change.adds.push_back(AddFile{NewFile(region), change.removes[0]});
    Commit(change, [&] {
      x_model.files.erase(old);
      if (keep_rows) x_model.files[rows] = region;
    });
  }

  void DoOverwritePartition() {
    Cell region = PickRegion();
    auto latest = std::move(x_table->Latest()).value();
    std::int64_t rows = x_next_rows;
    auto change = OverwritePartitions(*latest, {{{"region", region}}}, {NewFile(region)});
    ASSERT_TRUE(change);
    Commit(*change, [&] {
      std::erase_if(x_model.files, [&](const auto& file) { return file.second == region; });
      x_model.files[rows] = region;
    });
  }

  void DoOverwriteAll() {
    auto latest = std::move(x_table->Latest()).value();
    Cell region = PickRegion();
    std::int64_t rows = x_next_rows;
    Commit(OverwriteTable(*latest, {NewFile(region)}), [&] { x_model.files = {{rows, region}}; });
  }

  void DoSchema() {
    Change change = Base("ALTER", ChangeKind::kNone);
    if (Pick(2) == 0 && x_columns.size() > 2) {
      x_model.columns.erase(x_columns.back().first);
      x_columns.pop_back();
    } else {
      x_columns.push_back({"c" + std::to_string(x_next_rows++), Pick(2) == 0 ? "DATE" : "STRUCT(a BIGINT, b VARCHAR[])"});
    }
    if (Pick(3) == 0) x_columns[0].second = "BIGINT";
    change.definition = Definition();
    Commit(change, [] {});
  }

  /// Must be refused: it rewrites a file that a later commit has taken away.
  void DoStale() {
    std::int64_t old = PickFile();
    Change stale = Base("STALE", ChangeKind::kUpsert);
    stale.removes = {PathOf(old)};
    stale.adds = {AddFile{NewFile(x_model.files[old]), ""}};
    Change winner = Base("MERGE", ChangeKind::kDelete);
    winner.removes = stale.removes;
    Commit(winner, [&] { x_model.files.erase(old); });
    EXPECT_EQ(x_table->Commit(stale).error().kind, ErrorKind::kConflict);
  }

  std::int64_t PickKept() {
    auto versions = std::move(KeptVersions(*std::move(x_table->Latest()).value())).value();
    return versions[Pick(versions.size())];
  }

  /// Two files of one partition become one.
  void DoCompact() {
    auto first = x_model.files.begin();
    auto second = std::find_if(std::next(first), x_model.files.end(), [&](const auto& file) { return file.second == first->second; });
    if (second == x_model.files.end() || x_model.files.contains(first->first + second->first)) return DoAppend();
    const std::int64_t rows = first->first + second->first;
    Change change = Base("OPTIMIZE", ChangeKind::kNone);
    change.removes = {PathOf(first->first), PathOf(second->first)};
    change.adds = {AddFile{Stage(rows, {{"region", first->second}}), ""}};
    x_next_rows = std::max(x_next_rows, rows + 1);
    Commit(change, [&] {
      const Cell region = first->second;
      x_model.files.erase(second);
      x_model.files.erase(first);
      x_model.files[rows] = region;
    });
  }

  void DoSavepoint() {
    auto latest = std::move(x_table->Latest()).value();
    auto savepoints = std::move(SavepointsOf(*latest)).value();
    if (!savepoints.empty() && Pick(3) == 0) {
      Commit(*DropSavepoint(*latest, savepoints[Pick(savepoints.size())].name), [] {});
    } else {
      Commit(*AddSavepoint(*latest, {"s" + std::to_string(x_past.size()), PickKept(), ""}), [] {});
    }
  }

  void DoPurge() {
    auto latest = std::move(x_table->Latest()).value();
    const std::int64_t before = HorizonOf(*latest);
    const std::int64_t horizon = before + Pick(static_cast<std::size_t>(latest->version - before) / 2 + 1);
    auto foreseen = x_table->Purge(horizon, true);
    auto purged = x_table->Purge(horizon, false);
    ASSERT_TRUE(foreseen && purged) << purged.error().message;
    EXPECT_EQ(foreseen->files, purged->files);
    EXPECT_EQ(foreseen->version, -1);
    EXPECT_EQ(purged->version, static_cast<std::int64_t>(x_past.size()));
    x_past.push_back(x_model);
    x_last = {};
  }

  void DoRollback() {
    auto latest = std::move(x_table->Latest()).value();
    auto version = PickKept();
    auto then = std::move(x_table->At(version)).value();
    std::int64_t rejected = x_model.rejected;
    x_columns.clear();
    for (const Field& field : then->schema.fields) x_columns.push_back({field.name, field.type.ToSql()});
    Commit(RollbackTo(*latest, then), [&] {
      x_model = x_past[static_cast<std::size_t>(version)];
      x_model.rejected = rejected;
    });
  }

  void DoRepeat() {
    if (x_last.task.empty()) return;
    auto outcome = x_table->Commit(x_last);
    ASSERT_TRUE(outcome);
    EXPECT_TRUE(outcome->already_applied);
  }

  void Step() {
    x_clock.Advance(std::chrono::milliseconds{static_cast<int>(Pick(2000)) - 500});
    if (Pick(5) == 0) x_table = std::make_unique<Table>(*x_store, "t", x_clock, x_formats);
    unsigned what = Pick(18);
    if (x_model.files.empty() || what < 5) return DoAppend();
    if (what < 7) return DoRewrite(what == 5);
    if (what == 7) return DoOverwritePartition();
    if (what == 8) return Pick(3) == 0 ? DoOverwriteAll() : DoRewrite(true);
    if (what == 9) return DoSchema();
    if (what == 10) return DoStale();
    if (what == 11) return DoRollback();
    if (what < 14) return DoCompact();
    if (what < 16) return DoSavepoint();
    if (what == 16) return DoPurge();
    DoRepeat();
  }

  static void ExpectSame(const Snapshot& snapshot, const Model& model) {
    std::map<std::int64_t, Cell> files;
    for (const LiveFile& file : snapshot.files) files[file.rows] = file.partition.at("region");
    EXPECT_EQ(files, model.files) << "version " << snapshot.version;
    auto domains = snapshot.domains;
    std::erase_if(domains, [](const auto& domain) { return OutlivesRollback(domain.first); });
    EXPECT_EQ(domains, model.domains) << "version " << snapshot.version;
    std::map<std::string, std::string> columns;
    for (const Field& field : snapshot.schema.fields) columns[field.name] = field.type.ToSql();
    EXPECT_EQ(columns, model.columns) << "version " << snapshot.version;
    EXPECT_TRUE(std::is_sorted(snapshot.files.begin(), snapshot.files.end(),
                               [](const LiveFile& a, const LiveFile& b) { return a.path < b.path; }));
  }

  void Compare() {
    auto latest = x_table->Latest();
    ASSERT_TRUE(latest) << latest.error().message;
    ExpectSame(**latest, x_model);
    auto version = static_cast<std::int64_t>(Pick(x_past.size()));
    auto old = x_table->At(version);
    const bool kept = *IsKept(**latest, version);
    ASSERT_EQ(old.has_value(), kept) << version;
    if (kept) {
      ExpectSame(**old, x_past[static_cast<std::size_t>(version)]);
    } else {
      EXPECT_EQ(old.error().kind, ErrorKind::kNotFound);
    }
    if (Pick(10) == 0) {
      auto fresh = Table(*x_store, "t", x_clock).Latest();
      ASSERT_TRUE(fresh) << fresh.error().message;
      ExpectSame(**fresh, x_model);
      EXPECT_EQ((*fresh)->configuration, (*latest)->configuration);
    }
    if (x_model.rejected > 0) {
      auto rejects = x_table->Rejects().Latest();
      ASSERT_TRUE(rejects) << rejects.error().message;
      EXPECT_EQ((*rejects)->rows(), x_model.rejected);
    }
  }

  std::mt19937 x_random;
  FakeClock x_clock{TestTime()};
  TableFormats x_formats;
  std::unique_ptr<ObjectStore> x_store;
  std::unique_ptr<Table> x_table;
  Model x_model;
  std::vector<Model> x_past;
  std::vector<std::pair<std::string, std::string>> x_columns;
  std::int64_t x_next_rows = 1;
  Change x_last;
};

TEST_F(TableLife, EqualsTheModelAtEveryVersion) {
  const char* given = getenv("CAUDAL_SEED");
  if (given != nullptr) {
    Live(static_cast<unsigned>(std::stoul(given)), 150);
    return;
  }
  for (unsigned seed = 1; seed <= 20 && !HasFailure(); ++seed) {
    SCOPED_TRACE("CAUDAL_SEED=" + std::to_string(seed));
    Live(seed, 100);
  }
}

}  // namespace
}  // namespace caudal
