#include "duckdb/plan_facts.h"

#include <algorithm>

#include "base/json.h"
#include "duckdb/plan_columns.h"

namespace caudal {
namespace {

class Walk {
 public:
  RelationFacts Visit(const Json& node) {
    const std::string type = JsonString(node, "type", "");
    if (type == "LOGICAL_GET") return Get(node);
    if (type == "LOGICAL_PROJECTION") return Projection(node);
    if (type == "LOGICAL_FILTER") return Filter(node);
    if (type == "LOGICAL_ORDER_BY") return Order(node);
    if (type == "LOGICAL_AGGREGATE_AND_GROUP_BY") return Aggregate(node);
    if (type == "LOGICAL_DISTINCT") return Distinct(node);
    if (type == "LOGICAL_WINDOW") return Window(node);
    if (type == "LOGICAL_UNNEST") return Unnest(node);
    if (type == "LOGICAL_COMPARISON_JOIN" || type == "LOGICAL_ASOF_JOIN" || type == "LOGICAL_ANY_JOIN" ||
        type == "LOGICAL_CROSS_PRODUCT") {
      return Join(node);
    }
    if (type == "LOGICAL_DELIM_JOIN") return DelimJoin(node);
    if (type == "LOGICAL_DELIM_GET") return DelimGet(node);
    if (type == "LOGICAL_UNION" || type == "LOGICAL_EXCEPT" || type == "LOGICAL_INTERSECT") return SetOperation(node);
    if (type == "LOGICAL_MATERIALIZED_CTE") return Cte(node);
    if (type == "LOGICAL_RECURSIVE_CTE") return RecursiveCte(node);
    if (type == "LOGICAL_CTE_REF") return CteRef(node);
    if (type == "LOGICAL_LIMIT") return Opaque(node, "LIMIT picks rows from all partitions together");
    if (type == "LOGICAL_SAMPLE") return Opaque(node, "a sample picks rows from all partitions together");
    if (type == "LOGICAL_POSITIONAL_JOIN") return Positional(node);
    if (type == "LOGICAL_EXPRESSION_GET" || type == "LOGICAL_CHUNK_GET" || type == "LOGICAL_DUMMY_SCAN" ||
        type == "LOGICAL_EMPTY_RESULT") {
      return Constants(node);
    }
    return Unknown(node, "its query uses an operation that is not understood (" + type + ")");
  }

 private:
  RelationFacts Child(const Json& node, std::size_t index) {
    const Json& children = Member(node, "children");
    return index < CountOf(children) ? Visit(children[index]) : RelationFacts{};
  }

  RelationFacts Get(const Json& node) {
    RelationFacts facts;
    const Json& names = Member(node, "names");
    const Json& data = Member(node, "function_data");
    const std::string function = JsonString(node, "name", "");
    const bool table = function == "seq_scan" && data.is_object();
    if (!table) return TableFunction(node, function);
    const std::string name = JsonString(data, "schema", "") + "." + JsonString(data, "table", "");
    facts.tables.insert(name);
    facts.row_wise = facts.keeps_every_row = true;
    for (const Json& each : Member(node, "column_indexes")) {
      ColumnFacts& column = facts.columns.emplace_back();
      const Json& index = Member(each, "index");
      const std::size_t at = index.is_number_unsigned() ? index.get<std::size_t>() : CountOf(names);
      if (at >= CountOf(names)) {
        column.lost = "it is a row's number, not a column";
        continue;
      }
      const ColumnOrigin origin{name, names[at].get<std::string>()};
      column.origins = {origin};
      // A part of a struct is read: its values flow, but are not the column's.
      if (CountOf(Member(each, "child_indexes")) > 0) {
        column.lost = "it is a part of a column";
        continue;
      }
      column.straight = origin;
      column.proof = PartitionProof{{{name, origin.column}}, {}};
    }
    const Json& extra = Member(node, "extra_info");
    if (extra.is_object() && !Member(extra, "sample_options").is_null()) {
      facts.row_wise = facts.keeps_every_row = false;
      LoseAll(facts.columns, "a sample picks rows from all partitions together");
    }
    return facts;
  }

  // unnest, range, generate_series: rows made from constants or from the row beside it.
  RelationFacts TableFunction(const Json& node, const std::string& function) {
    RelationFacts facts;
    std::vector<ColumnOrigin> origins;
    for (std::size_t i = 0; i < CountOf(Member(node, "children")); ++i) {
      const RelationFacts child = Child(node, i);
      facts.tables.insert(child.tables.begin(), child.tables.end());
      for (const ColumnFacts& column : child.columns) Unite(origins, column.origins);
    }
    ColumnFacts made;
    made.origins = origins;
    made.lost = "it comes from the function " + function;
    facts.columns.assign(std::max(CountOf(Member(node, "column_indexes")), std::size_t{1}), made);
    const Json& projected = Member(node, "projected_input");
    for (std::size_t i = 0; i < CountOf(projected); ++i) facts.columns.push_back(made);
    return facts;
  }

  RelationFacts Projection(const Json& node) {
    const RelationFacts child = Child(node, 0);
    RelationFacts facts;
    facts.tables = child.tables;
    facts.row_wise = child.row_wise;
    facts.keeps_every_row = child.keeps_every_row;
    for (const Json& expression : Member(node, "expressions")) {
      facts.columns.push_back(Derived(expression, child.columns));
    }
    return facts;
  }

  RelationFacts Filter(const Json& node) {
    RelationFacts facts = Child(node, 0);
    facts.keeps_every_row = false;
    facts.columns = Picked(facts.columns, Member(node, "projection_map"));
    return facts;
  }

  RelationFacts Order(const Json& node) {
    RelationFacts facts = Child(node, 0);
    facts.columns = Picked(facts.columns, Member(node, "projections"));
    return facts;
  }

  RelationFacts Aggregate(const Json& node) {
    const RelationFacts child = Child(node, 0);
    RelationFacts facts;
    facts.tables = child.tables;
    const Json& groups = Member(node, "groups");
    const Json& sets = Member(node, "grouping_sets");
    for (std::size_t i = 0; i < CountOf(groups); ++i) {
      ColumnFacts column = Derived(groups[i], child.columns);
      if (CountOf(sets) > 1) {
        for (const Json& set : sets) {
          if (!std::any_of(set.begin(), set.end(), [&](const Json& each) { return each == i; })) {
            column.straight.reset();
            Lose(column, "a grouping set leaves it out");
          }
        }
      }
      facts.columns.push_back(std::move(column));
    }
    for (const Json& expression : Member(node, "expressions")) {
      facts.columns.push_back(Aggregated(expression, child.columns, "it is computed by an aggregate over many rows"));
    }
    for (std::size_t i = 0; i < CountOf(Member(node, "grouping_functions")); ++i) facts.columns.emplace_back();
    return facts;
  }

  RelationFacts Distinct(const Json& node) {
    RelationFacts facts = Child(node, 0);
    facts.row_wise = facts.keeps_every_row = false;
    const std::set<std::size_t> targets = Refs(Member(node, "distinct_targets"));
    for (std::size_t i = 0; i < facts.columns.size(); ++i) {
      if (!targets.contains(i)) Lose(facts.columns[i], "DISTINCT ON does not contain it");
    }
    return facts;
  }

  RelationFacts Window(const Json& node) {
    RelationFacts facts = Child(node, 0);
    facts.row_wise = facts.keeps_every_row = false;
    const Columns input = facts.columns;
    for (const Json& expression : Member(node, "expressions")) {
      const std::set<std::size_t> keys = Refs(Member(expression, "partitions"));
      for (std::size_t i = 0; i < input.size(); ++i) {
        if (!keys.contains(i)) Lose(facts.columns[i], "a window function's PARTITION BY does not contain it");
      }
      facts.columns.push_back(Aggregated(expression, input, "it is computed by a window function over many rows"));
    }
    return facts;
  }

  RelationFacts Unnest(const Json& node) {
    RelationFacts facts = Child(node, 0);
    facts.row_wise = facts.keeps_every_row = false;
    const Columns input = facts.columns;
    for (const Json& expression : Member(node, "expressions")) {
      ColumnFacts column = Derived(expression, input);
      column.straight.reset();
      Lose(column, "it is unnested");
      facts.columns.push_back(std::move(column));
    }
    return facts;
  }

  RelationFacts Join(const Json& node) {
    const RelationFacts left = Child(node, 0);
    const RelationFacts right = Child(node, 1);
    return Joined(node, left, right, JsonString(node, "type", "") != "LOGICAL_CROSS_PRODUCT");
  }

  // Whether a column keeps its proof depends on the side's rows all having a partner or none being made up.
  RelationFacts Joined(const Json& node, const RelationFacts& left, const RelationFacts& right, bool equalities) {
    const std::string kind = JsonString(node, "join_type", "INNER");
    const bool known = kind == "INNER" || kind == "LEFT" || kind == "RIGHT" || kind == "SEMI" || kind == "ANTI" ||
                       kind == "SINGLE" || kind == "MARK";
    const bool left_keeps = known && kind != "RIGHT";
    const bool right_keeps = kind == "INNER" || kind == "RIGHT";
    // IN and EXISTS look at NULLs and emptiness of all of the right side, whatever is compared.
    const bool by_key =
        equalities && (kind == "INNER" || kind == "LEFT" || kind == "RIGHT" || kind == "SEMI" || kind == "ANTI");

    RelationFacts facts;
    facts.tables = left.tables;
    facts.tables.insert(right.tables.begin(), right.tables.end());
    Columns lefts = left.columns;
    Columns rights = right.columns;
    Hold(lefts, left.columns, right, node, by_key, true, left_keeps);
    Hold(rights, right.columns, left, node, by_key, false, right_keeps);
    if (!left_keeps) ForgetStraight(lefts);
    if (!right_keeps) ForgetStraight(rights);

    facts.columns = Picked(lefts, Member(node, "left_projection_map"));
    if (kind == "MARK") {
      ColumnFacts mark;
      for (const Json& condition : Member(node, "conditions")) {
        Mentioned(Member(condition, "left"), left.columns, mark.origins);
        Mentioned(Member(condition, "right"), right.columns, mark.origins);
      }
      mark.lost = "it is computed, not taken unchanged from an input's column";
      facts.columns.push_back(std::move(mark));
    } else if (kind != "SEMI" && kind != "ANTI") {
      const Columns picked = Picked(rights, Member(node, "right_projection_map"));
      facts.columns.insert(facts.columns.end(), picked.begin(), picked.end());
    }
    return facts;
  }

  // NULLs of an outer join are not the column's own values.
  static void ForgetStraight(Columns& columns) {
    for (ColumnFacts& column : columns) column.straight.reset();
  }

  // Proofs of one side's columns after a join with `other`.
  static void Hold(Columns& columns, const Columns& before, const RelationFacts& other, const Json& join, bool by_key,
                   bool is_left, bool keeps) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (!before[i].proof) continue;
      if (!keeps) {
        Lose(columns[i], "rows that an outer join makes up have no value of it");
        continue;
      }
      std::optional<PartitionProof> joined;
      if (by_key) {
        for (const Json& condition : Member(join, "conditions")) {
          const std::string comparison = JsonString(condition, "comparison", "");
          if (comparison != "COMPARE_EQUAL" && comparison != "COMPARE_NOT_DISTINCT_FROM") continue;
          const auto mine = RefOf(Member(condition, is_left ? "left" : "right"));
          const auto theirs = RefOf(Member(condition, is_left ? "right" : "left"));
          if (!mine || !theirs || *mine != i || *theirs >= other.columns.size()) continue;
          const auto& proof = other.columns[*theirs].proof;
          if (proof) joined = Both(*before[i].proof, *proof);
        }
      }
      columns[i].proof = joined ? *joined : WithWhole(*before[i].proof, other.tables);
    }
  }

  // A correlated subquery, or unnest() beside a table: the right side is done for each row of the left.
  RelationFacts DelimJoin(const Json& node) {
    const Json& children = Member(node, "children");
    if (CountOf(children) != 2) return Unknown(node, "its query uses an operation that is not understood");
    // DuckDB numbers the left's rows where the right side may give several rows for each: that is its own device.
    const bool numbered = IsRowNumber(children[0]);
    RelationFacts left = numbered ? Child(children[0], 0) : Visit(children[0]);
    if (numbered) left.columns.emplace_back();
    Columns given;
    for (const Json& each : Member(node, "duplicate_eliminated_columns")) given.push_back(Derived(each, left.columns));
    x_delims.push_back(std::move(given));
    RelationFacts right = Visit(children[1]);
    x_delims.pop_back();
    LoseAll(right.columns, "it comes from a subquery");
    ForgetStraight(right.columns);
    return Joined(node, left, right, false);
  }

  static bool IsRowNumber(const Json& node) {
    const Json& expressions = Member(node, "expressions");
    return JsonString(node, "type", "") == "LOGICAL_WINDOW" && CountOf(expressions) == 1 &&
           JsonString(expressions[0], "type", "") == "WINDOW_ROW_NUMBER" &&
           CountOf(Member(expressions[0], "partitions")) == 0 && CountOf(Member(expressions[0], "orders")) == 0;
  }

  RelationFacts DelimGet(const Json& node) {
    RelationFacts facts;
    const std::size_t count = CountOf(Member(node, "chunk_types"));
    ColumnFacts any;
    for (const Columns& columns : x_delims) {
      for (const ColumnFacts& column : columns) Unite(any.origins, column.origins);
    }
    any.lost = "it comes from a subquery";
    facts.columns.assign(count, any);
    if (x_delims.size() == 1 && x_delims[0].size() == count) {
      for (std::size_t i = 0; i < count; ++i) facts.columns[i].origins = x_delims[0][i].origins;
    }
    return facts;
  }

  RelationFacts SetOperation(const Json& node) {
    RelationFacts facts = Child(node, 0);
    facts.row_wise = facts.keeps_every_row = false;
    for (std::size_t branch = 1; branch < CountOf(Member(node, "children")); ++branch) {
      const RelationFacts other = Child(node, branch);
      facts.tables.insert(other.tables.begin(), other.tables.end());
      for (std::size_t i = 0; i < facts.columns.size(); ++i) {
        ColumnFacts& column = facts.columns[i];
        if (i >= other.columns.size()) continue;
        const ColumnFacts& second = other.columns[i];
        Unite(column.origins, second.origins);
        if (column.straight != second.straight) column.straight.reset();
        if (column.proof && second.proof) {
          column.proof = Both(*column.proof, *second.proof);
        } else {
          Lose(column, "a branch of UNION, EXCEPT or INTERSECT: " + second.lost);
        }
      }
    }
    return facts;
  }

  RelationFacts Cte(const Json& node) {
    x_ctes[JsonInt(node, "table_index", -1)] = Child(node, 0);
    return Child(node, 1);
  }

  RelationFacts RecursiveCte(const Json& node) {
    RelationFacts facts = Child(node, 0);
    facts.row_wise = facts.keeps_every_row = false;
    LoseAll(facts.columns, "it comes from a recursive query");
    ForgetStraight(facts.columns);
    // What flows into the recursion flows into all its later rounds: twice reaches every column by way of another.
    for (int round = 0; round < 2; ++round) {
      x_ctes[JsonInt(node, "table_index", -1)] = facts;
      const RelationFacts step = Child(node, 1);
      facts.tables.insert(step.tables.begin(), step.tables.end());
      for (std::size_t i = 0; i < std::min(facts.columns.size(), step.columns.size()); ++i) {
        Unite(facts.columns[i].origins, step.columns[i].origins);
      }
    }
    return facts;
  }

  RelationFacts CteRef(const Json& node) {
    const auto found = x_ctes.find(JsonInt(node, "cte_index", -1));
    if (found != x_ctes.end()) return found->second;
    RelationFacts facts;
    facts.columns.resize(CountOf(Member(node, "chunk_types")));
    return facts;
  }

  RelationFacts Opaque(const Json& node, const std::string& why) {
    RelationFacts facts = Child(node, 0);
    facts.row_wise = facts.keeps_every_row = false;
    LoseAll(facts.columns, why);
    return facts;
  }

  RelationFacts Positional(const Json& node) {
    RelationFacts facts = Opaque(node, "a positional join pairs rows of all partitions");
    RelationFacts right = Child(node, 1);
    LoseAll(right.columns, "a positional join pairs rows of all partitions");
    facts.tables.insert(right.tables.begin(), right.tables.end());
    facts.columns.insert(facts.columns.end(), right.columns.begin(), right.columns.end());
    ForgetStraight(facts.columns);
    return facts;
  }

  RelationFacts Constants(const Json& node) {
    RelationFacts facts;
    ColumnFacts column;
    column.lost = "it is a constant, not a column of an input";
    const std::size_t count = CountOf(Member(node, "expr_types")) + CountOf(Member(node, "chunk_types"));
    facts.columns.assign(std::max(count, std::size_t{1}), column);
    return facts;
  }

  // Nothing is proved, but every value may flow into every column.
  RelationFacts Unknown(const Json& node, const std::string& why) {
    RelationFacts facts;
    ColumnFacts any;
    any.lost = why;
    std::size_t width = 1;
    for (std::size_t i = 0; i < CountOf(Member(node, "children")); ++i) {
      const RelationFacts child = Child(node, i);
      facts.tables.insert(child.tables.begin(), child.tables.end());
      width += child.columns.size();
      for (const ColumnFacts& column : child.columns) Unite(any.origins, column.origins);
    }
    // How many columns it gives is not known either: more than any operator above will ask for.
    facts.columns.assign(width + 64, any);
    return facts;
  }

  std::map<long long, RelationFacts> x_ctes;
  std::vector<Columns> x_delims;  // of the correlated subqueries around
};

}  // namespace

RelationFacts FactsOf(const Json& plan) { return Walk().Visit(plan); }

}  // namespace caudal
