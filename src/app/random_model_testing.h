// A model with a random query over random inputs, and what it must hold.
#pragma once

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/dice_testing.h"

namespace caudal {

/// Something that a model can read; all have the columns d, k and x.
struct RandomRelation {
  std::string table;
  bool is_view = false;
  bool is_history = false;  // only its current rows are comparable
  bool has_id = false;      // a column id, unique and never NULL
  bool has_c = false;
  std::string From() const { return is_history ? "(SELECT * FROM " + table + " WHERE is_current)" : table; }
};

/// {a} and {b}: relations; {n}: a small number that a changed definition changes; {join}: INNER, LEFT, ...
struct QueryForm {
  const char* sql;
  bool a_id = false, a_c = false, b_id = false, b_c = false;  // what the inputs must have
  bool id = false, c = false;                                 // what it gives beside d, k, x
};

inline const std::vector<QueryForm>& RowWiseForms() {
  static const std::vector<QueryForm> forms{
      {"SELECT id, d, k, c, x + {n} AS x FROM {a}", true, true, false, false, true, true},
      {"SELECT id, d, k, c, x * {n} AS x FROM {a} WHERE x % 3 <> {n} % 3", true, true, false, false, true, true},
      {"SELECT id, d, k, {n} AS x FROM {a} WHERE d >= DATE '2010-12-03'", true, false, false, false, true, false},
      {"SELECT id, CAST(date_trunc('month', d) AS DATE) AS d, k, c, x + {n} AS x FROM {a}", true, true, false, false, true, true},
      {"SELECT id, d, k, x + {n} AS x FROM (SELECT * FROM {a} WHERE k IS NOT NULL) q", true, false, false, false, true, false},
      {"SELECT x AS c, d, k, CASE WHEN k = 'a' THEN {n} ELSE x END AS x FROM {a}", false, false, false, false, false, true},
  };
  return forms;
}

inline const std::vector<QueryForm>& OtherForms() {
  static const std::vector<QueryForm> forms{
      {"SELECT d, k, count(*) AS c, CAST(sum(x) AS BIGINT) + {n} AS x FROM {a} GROUP BY d, k", false, false, false, false, false, true},
      {"SELECT d, k, count(*) AS c, CAST(sum(x) AS BIGINT) + {n} AS x FROM {a} GROUP BY ALL HAVING count(*) > 1", false, false, false, false, false, true},
      {"SELECT max(d) AS d, k, CAST(sum(x) AS BIGINT) * {n} AS x FROM {a} GROUP BY k"},
      {"SELECT d, k, count(*) AS c, CAST(sum(x) AS BIGINT) + {n} AS x FROM {a} GROUP BY ROLLUP (d, k)", false, false, false, false, false, true},
      {"SELECT a.id, a.d, a.k, a.c, a.x + coalesce(b.x, {n}) AS x FROM {a} a LEFT JOIN (SELECT c, CAST(sum(x) AS BIGINT) AS x FROM {b} GROUP BY c) b ON a.c = b.c",
       true, true, false, true, true, true},
      {"SELECT a.d, a.k, a.x + b.n * {n} AS x FROM {a} a {join} JOIN (SELECT d, count(*) AS n FROM {b} GROUP BY d) b ON a.d = b.d"},
      {"SELECT b.d, a.k, a.x + b.n * {n} AS x FROM {a} a {join} JOIN (SELECT d, count(*) AS n FROM {b} GROUP BY d) b ON a.d = b.d"},
      {"SELECT d, a.k, a.x + b.n * {n} AS x FROM {a} a {join} JOIN (SELECT d, count(*) AS n FROM {b} GROUP BY d) b USING (d)"},
      {"SELECT a.d, b.k, a.x + b.x * {n} AS x FROM {a} a {join} JOIN {b} b ON a.d = b.d AND a.x < b.x"},
      {"SELECT a.d, a.k, a.x + {n} AS x FROM {a} a {half} JOIN {b} b ON a.d = b.d AND a.k = b.k"},
      {"SELECT a.d, a.k, a.x + b.x * {n} AS x FROM {a} a {join} JOIN {b} b ON a.d IS NOT DISTINCT FROM b.d AND a.k = b.k"},
      {"SELECT a.id, a.d, a.k, b.x FROM {a} a ASOF LEFT JOIN {b} b ON a.d = b.d AND a.id + {n} >= b.id", true, false, true, false, true, false},
      {"SELECT a.id, a.d, a.k, a.c, a.x + b.m * {n} AS x FROM {a} a CROSS JOIN (SELECT max(x) AS m FROM {b}) b", true, true, false, false, true, true},
      {"SELECT d, k, x + {n} AS x FROM {a} UNION ALL SELECT d, k, x FROM {b}"},
      {"SELECT d, k, x FROM {a} WHERE x > {n} UNION ALL SELECT d, k, -x FROM {a} WHERE x < {n}"},
      {"SELECT d, k, x FROM {a} {set} SELECT d, k, x + {n} - 1 FROM {b}"},
      {"SELECT d, k, x FROM {a} UNION ALL SELECT DATE '2010-12-01', 'z', {n}"},
      {"SELECT id, d, k, c, x + {n} * row_number() OVER (PARTITION BY d ORDER BY id) AS x FROM {a}", true, true, false, false, true, true},
      {"SELECT id, d, k, c, x + {n} * row_number() OVER (PARTITION BY k ORDER BY id) AS x FROM {a}", true, true, false, false, true, true},
      {"SELECT id, d, k, x - lag(x, {n}) OVER (PARTITION BY k, d ORDER BY id) AS x FROM {a}", true, false, false, false, true, false},
      {"SELECT DISTINCT d, k, x % ({n} + 1) AS x FROM {a}"},
      {"SELECT DISTINCT ON (d, k) d, k, x + {n} AS x FROM {a} ORDER BY d, k, x"},
      {"SELECT id, d, k, c, x FROM {a} ORDER BY id DESC LIMIT {n} + 2", true, true, false, false, true, true},
      {"SELECT id, d, k, x FROM {a} QUALIFY row_number() OVER (PARTITION BY d, k ORDER BY id DESC) <= {n}", true, false, false, false, true, false},
      {"SELECT id, d, k, x FROM {a} WHERE x + {n} > (SELECT avg(x) FROM {b})", true, false, false, false, true, false},
      {"SELECT id, d, k, x FROM {a} WHERE x + {n} >= (SELECT max(x) FROM {a})", true, false, false, false, true, false},
      {"SELECT id, d, k, c, x FROM {a} WHERE c IN (SELECT c FROM {b} WHERE x > {n})", true, true, false, true, true, true},
      {"SELECT id, d, k, x FROM {a} WHERE d NOT IN (SELECT d FROM {b} WHERE x > {n} + 4 AND d IS NOT NULL)", true, false, false, false, true, false},
      {"SELECT id, d, k, x FROM {a} a WHERE {exists} (SELECT 1 FROM {b} b WHERE b.d = a.d AND b.x > a.x + {n})", true, false, false, false, true, false},
      {"SELECT id, d, k, (SELECT CAST(sum(b.x) AS BIGINT) FROM {b} b WHERE b.d = a.d) + {n} AS x FROM {a} a", true, false, false, false, true, false},
      {"SELECT a.id, a.d, a.k, b.n + {n} AS x FROM {a} a LEFT JOIN (SELECT d + 1 AS d, count(*) AS n FROM {b} GROUP BY ALL) b ON a.d = b.d",
       true, false, false, false, true, false},
      {"WITH q AS MATERIALIZED (SELECT d, k, x FROM {a} WHERE x > {n}) SELECT l.d, l.k, count(*) AS c, CAST(sum(r.x) AS BIGINT) AS x FROM q l JOIN q r ON l.d = r.d GROUP BY l.d, l.k",
       false, false, false, false, false, true},
      {"SELECT d, k, unnest([x, x + {n}]) AS x FROM {a}"},
      {"SELECT coalesce(d, DATE '2010-12-01') AS d, k, x + {n} AS x FROM {a}"},
      {"SELECT a.d, b.k, CAST(sum(a.x + b.x) AS BIGINT) + {n} AS x FROM {a} a JOIN {b} b ON a.d = b.d GROUP BY a.d, b.k"},
  };
  return forms;
}

class RandomModel {
 public:
  enum class Kind { kTable, kView, kAppend, kMerge, kPartitions, kSnapshot };

  /// `inputs` grows while this model lives: it keeps their places.
  RandomModel(Dice& dice, const std::vector<RandomRelation>& inputs, std::string name)
      : x_dice(dice), x_name(std::move(name)) {
    x_may_be_late = dice.Chance(10);  // with a query that is proved, or nothing is ever closed
    do {
      x_row_wise = x_may_be_late || dice.Chance(40);
      x_form = dice.Of(x_row_wise ? RowWiseForms() : OtherForms());
      x_a = dice.Below(inputs.size());
      x_b = dice.Below(inputs.size());
      // Rather the model before than a source: chains.
      if (dice.Chance(30)) x_a = inputs.size() - 1;
      if (x_may_be_late) x_a = 0;
    } while ((x_form.a_id && !inputs[x_a].has_id) || (x_form.a_c && !inputs[x_a].has_c) ||
             (x_form.b_id && !inputs[x_b].has_id) || (x_form.b_c && !inputs[x_b].has_c));
    x_join = dice.Of(std::vector<std::string>{"INNER", "LEFT", "RIGHT", "FULL"});
    x_half = dice.Of(std::vector<std::string>{"SEMI", "ANTI"});
    x_set = dice.Of(std::vector<std::string>{"UNION", "EXCEPT", "INTERSECT", "EXCEPT ALL", "INTERSECT ALL"});
    x_exists = dice.Of(std::vector<std::string>{"EXISTS", "NOT EXISTS"});
    x_rejects = dice.Chance(12);
    x_ignores = !x_may_be_late && dice.Chance(15) && reads_b() && x_a != x_b && inputs[x_a].table.starts_with("in");
    Materialize();
  }

  std::string table() const { return "silver." + x_name; }
  const std::string& name() const { return x_name; }
  bool is_view() const { return x_kind == Kind::kView; }
  bool is_history() const { return x_kind == Kind::kSnapshot; }
  /// `late:` or `on_change: ignore` lets it differ from a full rebuild.
  bool is_loose() const { return x_late_days > 0 || x_ignores; }
  int late_days() const { return x_late_days; }
  bool ignores() const { return x_ignores; }
  bool by_partition() const { return x_kind == Kind::kPartitions; }
  const std::string& partition_by() const { return x_partition_by; }
  std::size_t a() const { return x_a; }
  std::size_t b() const { return x_b; }
  bool reads_b() const { return std::string_view(x_form.sql).find("{b}") != std::string_view::npos; }
  RandomRelation Relation() const { return {table(), is_view(), is_history(), x_form.id, x_form.c}; }
  std::string Columns() const {
    return std::string(x_form.id ? "id, " : "") + (x_form.c ? "c, " : "") + "d, k, x" + (x_extra == 0 ? "" : ", e");
  }

  /// What its table must hold: its query without the rows that a check rejects.
  std::string ResultSql(const std::vector<RandomRelation>& inputs) const {
    return x_rejects ? "SELECT * FROM (" + Sql(inputs) + ") r WHERE NOT coalesce(x > 7, false)" : Sql(inputs);
  }

  std::string Sql(const std::vector<RandomRelation>& inputs) const {
    static constexpr std::array<const char*, 4> kExtra{"", "x", "'x' || x", "d"};
    std::string sql = FormSql(inputs);
    return x_extra == 0 ? sql : fmt::format("SELECT *, {} AS e FROM ({}) q", kExtra[x_extra], sql);
  }

 private:
  std::string FormSql(const std::vector<RandomRelation>& inputs) const {
    return fmt::format(fmt::runtime(x_form.sql), fmt::arg("a", inputs[x_a].From()), fmt::arg("b", inputs[x_b].From()),
                       fmt::arg("n", x_number), fmt::arg("join", x_join), fmt::arg("half", x_half), fmt::arg("set", x_set),
                       fmt::arg("exists", x_exists));
  }

 public:
  /// Writes the model's file. `fails`: with a check that a table with rows does not pass.
  void Write(const std::string& project, const std::vector<RandomRelation>& inputs, bool fails) const {
    std::string header = "/* caudal:\nmaterialize: " + Words() + "\n";
    if (x_ignores && !inputs[x_b].is_view) {
      header += "inputs: {" + inputs[x_b].table + ": {on_change: ignore}}\n";
    } else if (x_on_change_full && inputs[x_a].table.starts_with("in")) {
      header += "inputs: {" + inputs[x_a].table + ": {on_change: full}}\n";
    }
    if (x_rejects) header += "columns: {x: {checks: [{max: 7, severity: reject}]}}\n";
    if (fails && !is_view()) header += "checks:\n  - {row_count: {max: 0}}\n";
    std::filesystem::create_directories(project + "/models/silver");
    std::ofstream(project + "/models/silver/" + x_name + ".sql") << header << "*/\n" << Sql(inputs) << "\n";
  }

  /// Another definition with the same columns; in words.
  std::string Change() {
    if (x_dice.Chance(40)) {
      ++x_number;
      return table() + " has another query";
    }
    if (x_dice.Chance(40)) {
      x_extra = x_dice.Below(4);
      return table() + " has other columns";
    }
    Materialize();
    return table() + " is now " + Words();
  }

  std::string Words() const {
    std::string by = x_partition_by.empty() ? "" : ", partition_by: " + x_partition_by;
    switch (x_kind) {
      case Kind::kTable:
        return by.empty() ? "table" : "{table: true" + by + "}";
      case Kind::kView:
        return "view";
      case Kind::kAppend:
        return "{incremental: append" + by + "}";
      case Kind::kMerge:
        return "{incremental: merge, key: id" + by + "}";
      case Kind::kPartitions:
        return "{incremental: partitions" + by + (x_late_days > 0 ? fmt::format(", late: {}d", x_late_days) : "") + "}";
      case Kind::kSnapshot:
        return "{snapshot: id" + by + "}";
    }
    return "";
  }

 private:
  void Materialize() {
    // What can be built from new rows alone rather is.
    std::vector<Kind> kinds{Kind::kPartitions, Kind::kPartitions, Kind::kPartitions, Kind::kPartitions, Kind::kAppend,
                            Kind::kMerge, Kind::kTable, Kind::kView, Kind::kSnapshot};
    if (x_row_wise) kinds = {Kind::kAppend, Kind::kAppend, Kind::kAppend, Kind::kMerge, Kind::kMerge, Kind::kPartitions,
                             Kind::kPartitions, Kind::kTable, Kind::kView};
    if (x_rejects || x_ignores || x_may_be_late) kinds = {Kind::kPartitions, Kind::kPartitions, Kind::kPartitions, Kind::kTable};
    if (x_may_be_late) kinds = {Kind::kPartitions};
    x_kind = x_dice.Of(kinds);
    bool keyed = x_kind == Kind::kMerge || x_kind == Kind::kSnapshot;
    if (keyed && !x_form.id) x_kind = Kind::kPartitions;
    x_partition_by = x_may_be_late || x_dice.Chance(80) ? "d" : "k";
    if (x_kind != Kind::kPartitions && x_dice.Chance(60)) x_partition_by.clear();
    if (x_kind == Kind::kView) x_partition_by.clear();
    x_on_change_full = x_dice.Chance(5);
    bool by_day = x_kind == Kind::kPartitions && x_partition_by == "d";
    x_late_days = x_may_be_late && by_day ? static_cast<int>(x_dice.Between(1, 2)) : 0;
  }

  Dice& x_dice;
  const std::string x_name;
  bool x_row_wise = false;
  QueryForm x_form{};
  std::size_t x_a = 0, x_b = 0;
  std::string x_join, x_half, x_set, x_exists;
  int x_number = 1;
  Kind x_kind = Kind::kTable;
  std::string x_partition_by;
  bool x_on_change_full = false, x_rejects = false, x_ignores = false, x_may_be_late = false;
  int x_late_days = 0;
  std::size_t x_extra = 0;
};

}  // namespace caudal
