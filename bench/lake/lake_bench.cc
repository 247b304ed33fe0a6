// What a commit and an opening cost, on a real folder, with all three formats: milliseconds, objects and bytes, at growing
// lengths of the history, and with many files. `lake_bench FOLDER [VERSIONS]`, run by bench/lake/run.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/clock.h"
#include "lake/table.h"

namespace caudal {
namespace {

using Milliseconds = std::chrono::duration<double, std::milli>;

/// Passes everything on, and counts.
class CountingStore final : public ObjectStore {
 public:
  explicit CountingStore(ObjectStore& under) : x_under(under) {}

  Result<std::string> Get(std::string_view key) const override { return Read(x_under.Get(key)); }
  Result<std::string> GetRange(std::string_view key, std::int64_t offset, std::int64_t length) const override {
    return Read(x_under.GetRange(key, offset, length));
  }
  Result<ObjectInfo> Head(std::string_view key) const override { return x_under.Head(key); }
  Result<std::vector<ObjectInfo>> List(std::string_view prefix, std::string_view after) const override {
    ++x_lists;
    return x_under.List(prefix, after);
  }
  Status Put(std::string_view key, std::string_view bytes) override { return Write(x_under.Put(key, bytes), bytes); }
  Status PutIfAbsent(std::string_view key, std::string_view bytes) override { return Write(x_under.PutIfAbsent(key, bytes), bytes); }
  Status PutFileIfAbsent(std::string_view key, const std::string& path) override { return x_under.PutFileIfAbsent(key, path); }
  Status CopyIfAbsent(std::string_view key, std::string_view from) override { return x_under.CopyIfAbsent(key, from); }
  Status Delete(std::string_view key) override { return x_under.Delete(key); }
  Result<std::string> ReadLocation(std::string_view key) const override { return x_under.ReadLocation(key); }
  std::string Url() const override { return x_under.Url(); }
  Result<std::shared_ptr<void>> Lock(std::string_view key, std::chrono::milliseconds wait) override { return x_under.Lock(key, wait); }

  void Reset() { x_gets = x_lists = x_read = x_puts = x_written = 0; }
  mutable std::int64_t x_gets = 0, x_lists = 0, x_read = 0;
  std::int64_t x_puts = 0, x_written = 0;  // without data files

 private:
  Result<std::string> Read(Result<std::string> bytes) const {
    ++x_gets;
    if (bytes) x_read += static_cast<std::int64_t>(bytes->size());
    return bytes;
  }
  Status Write(Status status, std::string_view bytes) {
    ++x_puts;
    x_written += static_cast<std::int64_t>(bytes.size());
    return status;
  }
  ObjectStore& x_under;
};

[[noreturn]] void Fail(const Error& error) {
  fmt::print(stderr, "lake_bench: {}\n", error.ToString());
  std::exit(1);
}

template <typename T>
T Must(Result<T> result) {
  if (!result) Fail(result.error());
  return *std::move(result);
}

class Bench {
 public:
  explicit Bench(std::string folder) : x_folder(std::move(folder)), x_local(Must(MakeLocalStore(x_folder + "/lake"))), x_store(*x_local) {}

  void Histories(std::int64_t most) {
    fmt::print("{:>9} {:>12} {:>9} {:>13} {:>15} {:>11} {:>9} {:>13}\n", "versions", "commit ms", "of 15 ms", "objects put", "bytes put", "open ms",
               "gets", "bytes read");
    Table table = Create("history", 20);
    for (const std::int64_t at : {std::int64_t{10}, std::int64_t{100}, std::int64_t{1000}, std::int64_t{10000}}) {
      if (at > most) break;
      while (Must(table.Latest())->version < at) Rewrite(table);
      Measure(table, "history");
    }
  }

  void ManyFiles(std::size_t files) {
    Table table = Create("wide", files);
    Rewrite(table);
    Keep(table);
    x_store.Reset();
    const double open = Opening("wide");
    fmt::print("\n{} files: opened in {:.1f} ms (the limit is 100), {} gets, {} bytes\n", files, open, x_store.x_gets, x_store.x_read);
    std::vector<double> times;
    x_store.Reset();
    for (int i = 0; i < 20; ++i) times.push_back(Rewrite(table));
    fmt::print("{} files: a commit that rewrites one takes {:.1f} ms, {} bytes beside the data\n", files, Median(times), x_store.x_written / 20);
  }

 private:
  static double Median(std::vector<double> times) {
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
  }

  WrittenFile Stage() {
    WrittenFile file;
    file.path = fmt::format("{}/staged-{}.parquet", x_folder, x_staged++);
    const std::string bytes(1000, 'x');
    std::ofstream(file.path, std::ios::binary) << bytes;
    file.rows = 1000;
    file.size_bytes = static_cast<std::int64_t>(bytes.size());
    for (const char* column : {"id", "amount", "at"}) file.columns[column] = ColumnStats{"1", "1000", 0, false};
    return file;
  }

  Table Create(const std::string& prefix, std::size_t files) {
    Table table(x_store, prefix, x_clock, kAllFormats);
    TableDefinition definition{"bench." + prefix, {}, {}, {"id"}, {}};
    for (const char* column : {"id", "amount", "at"}) definition.schema.fields.push_back({column, Must(ParseType("BIGINT")), 0});
    Change change;
    change.operation = "CREATE";
    change.kind = ChangeKind::kAppend;
    change.definition = std::move(definition);
    for (std::size_t i = 0; i < files; ++i) change.adds.push_back({Stage(), ""});
    Must(table.Commit(change));
    return table;
  }

  /// One file of the table gets a new version. Gives the milliseconds of the commit.
  double Rewrite(Table& table) {
    const auto newest = Must(table.Latest());
    Change change;
    change.operation = "MERGE";
    change.kind = ChangeKind::kUpsert;
    change.base_version = newest->version;
    const std::string& path = newest->files[static_cast<std::size_t>(newest->version * 7919) % newest->files.size()].path;
    change.removes = {path};
    change.adds = {AddFile{Stage(), path}};
    const auto start = std::chrono::steady_clock::now();
    Must(table.Commit(change));
    return Milliseconds(std::chrono::steady_clock::now() - start).count();
  }

  /// Goes on to a version at which a snapshot was kept.
  void Keep(Table& table) {
    const std::string folder = table.prefix() + "/.hoodie/.caudal/";
    while (Must(x_store.List(folder, "")).empty()) Rewrite(table);
  }

  double Opening(const std::string& prefix) {
    std::vector<double> times;
    for (int i = 0; i < 5; ++i) {
      x_store.Reset();
      const auto start = std::chrono::steady_clock::now();
      Must(Table(x_store, prefix, x_clock).Latest());
      times.push_back(Milliseconds(std::chrono::steady_clock::now() - start).count());
    }
    return Median(times);
  }

  void Measure(Table& table, const std::string& prefix) {
    const std::int64_t version = Must(table.Latest())->version;
    const double open = Opening(prefix);
    const auto gets = x_store.x_gets, read = x_store.x_read;
    constexpr int kCommits = 32;
    std::vector<double> times;
    x_store.Reset();
    for (int i = 0; i < kCommits; ++i) times.push_back(Rewrite(table));
    fmt::print("{:>9} {:>12.2f} {:>9.2f} {:>13.1f} {:>15} {:>11.2f} {:>9} {:>13}\n", version, Median(times), Median(times) / 15,
               static_cast<double>(x_store.x_puts) / kCommits, x_store.x_written / kCommits, open, gets, read);
  }

  std::string x_folder;
  const Clock& x_clock = SystemClock();
  std::unique_ptr<ObjectStore> x_local;
  CountingStore x_store;
  std::int64_t x_staged = 0;
};

}  // namespace
}  // namespace caudal

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: lake_bench FOLDER [VERSIONS]\n");
    return 2;
  }
  caudal::Bench bench(argv[1]);
  bench.Histories(argc > 2 ? std::stoll(argv[2]) : 10000);
  bench.ManyFiles(10000);
  return 0;
}
