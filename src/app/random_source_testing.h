// A source of one stream that changes at random, and the rows that its bronze table must have after each load.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/dice_testing.h"
#include "state/sqlite.h"

namespace caudal {

/// Every stream has these columns: id BIGINT, d DATE, k VARCHAR, c BIGINT, x BIGINT; ids are unique in the whole project.
struct SourceRow {
  std::int64_t id = 0;
  std::optional<std::int64_t> day;  // of December 2010
  std::optional<std::string> k;
  std::optional<std::int64_t> c, x;
  bool broken = false;  // x is no number: the row is rejected
};

class RandomSource {
 public:
  enum class Kind { kDroppedCsv, kDroppedJson, kMergedCsv, kMergedSqlite, kReplacedSqlite };

  /// `last_id`: shared by all sources of a project.
  RandomSource(Dice& dice, std::int64_t& last_id, std::string project, std::string name)
      : x_dice(dice), x_last_id(last_id), x_project(std::move(project)), x_name(std::move(name)) {
    // Few databases: DuckDB verifies its scanner's signature in every job, which takes as long as ten files.
    std::size_t chance = dice.Below(100);
    x_kind = chance < 42   ? Kind::kDroppedCsv
             : chance < 60 ? Kind::kDroppedJson
             : chance < 88 ? Kind::kMergedCsv
             : chance < 95 ? Kind::kMergedSqlite
                           : Kind::kReplacedSqlite;
    x_partition_by = dice.Of(std::vector<std::string>{"d", "d", "d", "d", "d", "k", ""});
    std::filesystem::create_directories(x_project + "/" + x_name);
    WriteYaml(false);
    if (InSqlite()) {
      Sql("CREATE TABLE rows (id INTEGER, d DATE, k TEXT, c INTEGER, x INTEGER, v INTEGER)");
      Insert();
    } else {
      NewFile();
    }
  }

  std::string table() const { return x_name + ".rows"; }
  const std::string& partition_by() const { return x_partition_by; }

  /// `fails`: with a check that no row passes.
  void WriteYaml(bool fails) const {
    std::string text = InSqlite() ? "type: sqlite\ndatabase: " + x_name + "/rows.db\n"
                                  : "type: files\nlocation: " + x_name + "\nsettle: 0s\n";
    text += "streams:\n  rows:\n";
    if (!InSqlite()) text += "    glob: \"*\"\n    format: " + std::string(x_kind == Kind::kDroppedJson ? "ndjson" : "csv") + "\n";
    bool merges = x_kind == Kind::kMergedCsv || x_kind == Kind::kMergedSqlite;
    text += fmt::format("    write_disposition: {}\n", merges ? "merge" : InSqlite() ? "replace" : "append");
    if (merges) text += "    primary_key: id\n";
    if (x_kind == Kind::kMergedSqlite) text += "    incremental: {cursor: v}\n";
    if (!x_partition_by.empty()) text += "    partition_by: " + x_partition_by + "\n";
    text += "    columns:\n      id: {type: BIGINT" + std::string(fails ? ", checks: [{max: -1}]" : "") + "}\n";
    text += "      d: {type: DATE}\n      k: {type: VARCHAR}\n      c: {type: BIGINT}\n      x: {type: BIGINT}\n";
    std::filesystem::create_directories(x_project + "/sources");
    std::ofstream(x_project + "/sources/" + x_name + ".yaml") << text;
  }

  /// Something happens at the source; in words.
  std::string Change() {
    std::size_t chance = x_dice.Below(100);
    if (InSqlite()) return chance < 40 ? Insert() : chance < 75 ? Update() : Delete();
    if (chance < 70 || x_files.empty()) return NewFile();
    if (chance < 92 && x_kind != Kind::kMergedCsv) return Repair();
    return RemoveFile();
  }

  /// What is at the source now was loaded; `anew`: into an emptied table. A folder without files empties none.
  void Loaded(bool anew) {
    x_was_loaded = true;
    if (anew && (InSqlite() || !x_files.empty())) {
      x_loaded_files.clear();
      x_loaded.clear();
    }
    switch (x_kind) {
      case Kind::kDroppedCsv:
      case Kind::kDroppedJson:
        for (const auto& [file, rows] : x_files) x_loaded_files[file] = rows;
        return;
      case Kind::kMergedCsv:
        for (const auto& [file, rows] : x_files) {
          if (!x_loaded_files.emplace(file, rows).second) continue;
          for (const SourceRow& row : rows) {
            if (!row.broken) x_loaded[row.id] = row;
          }
        }
        return;
      case Kind::kMergedSqlite:
        for (const auto& [id, row] : x_rows) x_loaded[id] = row;
        return;
      case Kind::kReplacedSqlite:
        x_loaded = x_rows;
        return;
    }
  }

  /// The rows of the bronze table, as a SELECT.
  std::string LoadedRowsSql() const {
    std::string values;
    auto add = [&](const SourceRow& row) {
      if (row.broken) return;
      values += fmt::format("{}({}, {}, {}, {}, {})", values.empty() ? "" : ", ", row.id,
                            row.day ? fmt::format("'{}'", DayText(*row.day)) : "NULL",
                            row.k ? fmt::format("'{}'", *row.k) : "NULL", NumberText(row.c, "NULL"), NumberText(row.x, "NULL"));
    };
    for (const auto& [id, row] : x_loaded) add(row);
    if (x_kind == Kind::kDroppedCsv || x_kind == Kind::kDroppedJson) {
      for (const auto& [file, rows] : x_loaded_files) std::for_each(rows.begin(), rows.end(), add);
    }
    std::string none = values.empty() ? " WHERE false" : "";
    if (values.empty()) values = "(NULL, NULL, NULL, NULL, NULL)";
    return "SELECT id::BIGINT AS id, d::DATE AS d, k::VARCHAR AS k, c::BIGINT AS c, x::BIGINT AS x FROM (VALUES " + values +
           ") AS t(id, d, k, c, x)" + none;
  }

 private:
  bool InSqlite() const { return x_kind == Kind::kMergedSqlite || x_kind == Kind::kReplacedSqlite; }
  static std::string DayText(std::int64_t day) { return fmt::format("2010-12-{:02}", day); }
  static std::string NumberText(std::optional<std::int64_t> number, const char* none) {
    return number ? fmt::format("{}", *number) : none;
  }

  SourceRow NewRow() {
    SourceRow row;
    row.id = ++x_last_id;
    Shake(row);
    return row;
  }
  /// Most rows are of the newest days, some are late, some have no day.
  void Shake(SourceRow& row) {
    x_newest_day = std::min<std::int64_t>(28, x_newest_day + (x_dice.Chance(15) ? 1 : 0));
    row.day = x_dice.Chance(70) ? x_newest_day : x_dice.Between(1, x_newest_day);
    if (x_dice.Chance(6)) row.day.reset();
    row.k = x_dice.Of(std::vector<std::string>{"a", "b", "b c", "x=1/2%", "NULL"});
    if (x_dice.Chance(8)) row.k.reset();
    row.c = x_dice.Between(1, 4);
    if (x_dice.Chance(8)) row.c.reset();
    row.x = x_dice.Between(-3, 9);
    if (x_dice.Chance(8)) row.x.reset();
    row.broken = !InSqlite() && x_dice.Chance(4);
  }

  void WriteFile(const std::string& file, const std::vector<SourceRow>& rows) {
    std::ofstream out(x_project + "/" + x_name + "/" + file, std::ios::trunc);
    bool json = x_kind == Kind::kDroppedJson;
    if (!json) out << "id,d,k,c,x\n";
    for (const SourceRow& row : rows) {
      const std::string x = row.broken ? (json ? "\"three\"" : "three") : NumberText(row.x, json ? "null" : "");
      std::string day = row.day ? DayText(*row.day) : "";
      if (json) {
        out << fmt::format(R"({{"id": {}, "d": {}, "k": {}, "c": {}, "x": {}}})", row.id,
                           row.day ? "\"" + day + "\"" : "null", row.k ? "\"" + *row.k + "\"" : "null",
                           NumberText(row.c, "null"), x)
            << "\n";
      } else {
        out << fmt::format("{},{},{},{},{}\n", row.id, day, row.k.value_or(""), NumberText(row.c, ""), x);
      }
    }
    x_files[file] = rows;
  }

  std::string NewFile() {
    std::vector<SourceRow> rows(x_dice.Below(6) + 1);
    for (SourceRow& row : rows) {
      row = NewRow();
      // A merge: some rows are new versions of known ones.
      if (x_kind == Kind::kMergedCsv && !x_rows.empty() && x_dice.Chance(50)) {
        row.id = std::next(x_rows.begin(), static_cast<std::ptrdiff_t>(x_dice.Below(x_rows.size())))->first;
      }
    }
    for (const SourceRow& row : rows) x_rows[row.id] = row;
    std::string file = fmt::format("f{:04}.{}", ++x_file_count, x_kind == Kind::kDroppedJson ? "ndjson" : "csv");
    WriteFile(file, rows);
    return "new file " + file;
  }

  /// A file comes again with rows changed, gone and added.
  std::string Repair() {
    auto file = std::next(x_files.begin(), static_cast<std::ptrdiff_t>(x_dice.Below(x_files.size())));
    std::vector<SourceRow> rows;
    for (SourceRow row : file->second) {
      if (x_dice.Chance(25)) continue;
      if (x_dice.Chance(40)) Shake(row);
      rows.push_back(row);
    }
    if (rows.empty() || x_dice.Chance(30)) rows.push_back(NewRow());
    std::string name = file->first;
    WriteFile(name, rows);
    return "repaired file " + name;
  }

  /// Rows that were loaded stay. A file that was never loaded is not removed: there would be no table.
  std::string RemoveFile() {
    auto file = std::next(x_files.begin(), static_cast<std::ptrdiff_t>(x_dice.Below(x_files.size())));
    if (!x_loaded_files.contains(file->first)) return NewFile();
    std::string name = file->first;
    std::filesystem::remove(x_project + "/" + x_name + "/" + name);
    x_files.erase(file);
    return "removed file " + name;
  }

  void Sql(const std::string& sql) const {
    auto database = Database::Open(x_project + "/" + x_name + "/rows.db", Access::kWrite);
    ASSERT_TRUE(database) << database.error().ToString();
    Status done = (*database)->Execute(sql.c_str());
    ASSERT_TRUE(done) << sql << ": " << done.error().ToString();
  }
  std::string Tuple(const SourceRow& row) {
    return fmt::format("({}, {}, {}, {}, {}, {})", row.id, row.day ? "'" + DayText(*row.day) + "'" : "NULL",
                       row.k ? "'" + *row.k + "'" : "NULL", NumberText(row.c, "NULL"), NumberText(row.x, "NULL"), ++x_changes);
  }
  void Put(const SourceRow& row) {
    x_rows[row.id] = row;
    Sql(fmt::format("DELETE FROM rows WHERE id = {}; INSERT INTO rows VALUES {}", row.id, Tuple(row)));
  }

  std::string Insert() {
    for (std::size_t i = x_dice.Below(6) + 1; i > 0; --i) Put(NewRow());
    return "inserted rows";
  }
  std::string Update() {
    for (std::size_t i = x_dice.Below(3) + 1; i > 0 && !x_rows.empty(); --i) {
      auto row = std::next(x_rows.begin(), static_cast<std::ptrdiff_t>(x_dice.Below(x_rows.size())));
      SourceRow changed = row->second;
      Shake(changed);
      Put(changed);
    }
    return "updated rows";
  }
  std::string Delete() {
    // A table that never had a row is not published: there would be nothing to read.
    for (std::size_t i = x_dice.Below(3) + 1; i > 0 && x_rows.size() > (x_was_loaded ? 0 : 1); --i) {
      auto row = std::next(x_rows.begin(), static_cast<std::ptrdiff_t>(x_dice.Below(x_rows.size())));
      Sql(fmt::format("DELETE FROM rows WHERE id = {}", row->first));
      x_rows.erase(row);
    }
    return "deleted rows";
  }

  Dice& x_dice;
  std::int64_t& x_last_id;
  const std::string x_project, x_name;
  Kind x_kind = Kind::kDroppedCsv;
  std::string x_partition_by;
  bool x_was_loaded = false;
  std::int64_t x_newest_day = 3, x_changes = 0, x_file_count = 0;
  std::map<std::string, std::vector<SourceRow>> x_files, x_loaded_files;  // now at the source; as last loaded
  std::map<std::int64_t, SourceRow> x_rows, x_loaded;                     // of a database or a merge
};

}  // namespace caudal
