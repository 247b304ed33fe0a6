#include "quality/audit.h"

#include <set>
#include <utility>

#include "data/name.h"
#include "project/sql_text.h"
#include "quality/audit_plan.h"

namespace caudal {
namespace {

class AuditWriter {
 public:
  AuditWriter(ComputeJob& job, const AuditScope& scope, const AuditPlan& plan, std::string prefix)
      : x_job(job), x_scope(scope), x_plan(plan), x_prefix(std::move(prefix)) {}

  void Write() {
    if (x_plan.shows_views) ShowViews();
    if (x_plan.measures_rows) {
      Measure(MeasuresStep(x_prefix), x_plan.rows_view, true, x_plan.one_scan);
      Examples();
    }
    if (x_plan.measures_table && !(x_plan.measures_rows && x_plan.one_scan)) {
      Measure(TableMeasuresStep(x_prefix), x_scope.candidate, false, true);
    }
    for (std::size_t i = 0; i < x_plan.checks.size(); ++i) {
      const PlannedCheck& planned = x_plan.checks[i];
      if (planned.kind == MeasureKind::kUnique) Unique(planned, i);
      if (planned.kind == MeasureKind::kPartner) Partner(planned, i);
      if (planned.kind == MeasureKind::kSql) Custom(planned, i);
    }
  }

 private:
  void Run(const std::string& name, std::string sql) {
    x_job.steps.push_back(Step::Run(name, std::move(sql)));
  }
  Step& Query(const std::string& name, std::string sql, std::int64_t max_rows) {
    return x_job.steps.emplace_back(Step::Query(name, std::move(sql), max_rows));
  }

  // The candidate and the other tables, under the names that the user's SQL is rewritten to.
  void ShowViews() {
    std::map<std::string, std::string> views = x_scope.others;
    views[LowerName(x_scope.table)] = x_scope.candidate;
    std::set<std::string> schemas;
    for (const auto& [table, view] : views) {
      if (schemas.insert(AuditSchemaOf(table)).second) {
        Run(x_prefix + "schema", "CREATE SCHEMA IF NOT EXISTS " + QuoteIdentifier(AuditSchemaOf(table)));
      }
      Run(x_prefix + "view", "CREATE OR REPLACE VIEW " + AuditViewOf(table) + " AS SELECT * FROM " + view);
      x_names[table] = AuditViewOf(table);
    }
  }

  // The condition of a row check; a condition with subqueries sees the audit's views.
  std::string Broken(const PlannedCheck& planned) const {
    return ReplaceTables(BrokenRow(*planned.check, planned.field), x_names);
  }

  // One aggregate SELECT for all that one scan can tell.
  void Measure(const std::string& name, const std::string& view, bool rows, bool table) {
    std::string columns = std::string("count(*) AS ") + QuoteIdentifier(kRowsColumn);
    auto add = [&](const std::string& sql, const std::string& as) { columns += ",\n" + sql + " AS " + QuoteIdentifier(as); };
    for (std::size_t i = 0; i < x_plan.checks.size(); ++i) {
      const PlannedCheck& planned = x_plan.checks[i];
      const CheckSpec& check = *planned.check;
      std::string column = planned.field == nullptr ? "" : QuoteIdentifier(planned.field->name);
      if (rows && planned.kind == MeasureKind::kRow) {
        add("count(*) FILTER (WHERE " + Broken(planned) + ")", CountColumn(i));
        if (ShowsExtreme(planned)) add(check.name + "(" + column + ")", ValueColumn(i));
      }
      if (!table || planned.kind != MeasureKind::kTable) continue;
      if (check.name == "null_percent") add("count(*) - count(" + column + ")", CountColumn(i));
      if (check.name == "freshness") {
        bool time = planned.field->type.kind == TypeKind::kDate || planned.field->type.kind == TypeKind::kTimestamptz;
        add("epoch_us(max(" + (time ? column : "TRY_CAST(" + column + " AS TIMESTAMPTZ)") + "))", ValueColumn(i));
      }
    }
    Run(name + "_scan", "CREATE OR REPLACE TEMP TABLE " + QuoteIdentifier(name) + " AS SELECT " + columns + "\nFROM " + view);
    Query(name, "SELECT * FROM " + QuoteIdentifier(name), 1);
  }

  // Rows that break a check, for those checks alone that some row breaks: where the gate is empty DuckDB ends the scan
  // before it begins.
  void Examples() {
    std::string sql;
    std::int64_t count = 0;
    for (std::size_t i = 0; i < x_plan.checks.size(); ++i) {
      if (x_plan.checks[i].kind != MeasureKind::kRow) continue;
      ++count;
      sql += (sql.empty() ? "" : "\nUNION ALL\n") + ("(SELECT " + std::to_string(i) + " AS caudal_check, caudal_row.*") +
             " FROM " + x_plan.rows_view + " AS caudal_row CROSS JOIN (SELECT 1 AS caudal_audit_gate FROM " +
             QuoteIdentifier(MeasuresStep(x_prefix)) + " WHERE " + QuoteIdentifier(CountColumn(i)) + " > 0) AS caudal_gate" +
             "\nWHERE " + Broken(x_plan.checks[i]) + " LIMIT " + std::to_string(kExampleRows) + ")";
    }
    Query(ExamplesStep(x_prefix), std::move(sql), count * kExampleRows);
  }

  // Only keys of new rows can have become ambiguous.
  void Unique(const PlannedCheck& planned, std::size_t index) {
    std::string keys, shown, present;
    for (const std::string& column : planned.columns) {
      std::string name = QuoteIdentifier(column);
      keys += (keys.empty() ? "" : ", ") + name;
      present += (present.empty() ? "" : " AND ") + name + " IS NOT NULL";
    }
    std::string from = x_scope.candidate + " AS caudal_row";
    if (!x_scope.whole && x_scope.changed != x_scope.candidate) {
      from += " SEMI JOIN " + x_scope.changed + " AS caudal_new USING (" + keys + ")";
    }
    Query(CheckStep(x_prefix, index),
          "WITH caudal_keys AS MATERIALIZED (SELECT " + keys + ", count(*) AS caudal_rows FROM " + from + " WHERE " +
              present + " GROUP BY " + keys + " HAVING count(*) > 1)\n" +
              "SELECT (SELECT count(*) FROM caudal_keys) AS caudal_count, (SELECT sum(caudal_rows) FROM caudal_keys) AS "
              "caudal_sum, " + keys + ", caudal_rows AS " + QuoteIdentifier(kRowsColumn) + " FROM caudal_keys ORDER BY caudal_rows DESC, " + keys +
              " LIMIT " + std::to_string(kExampleRows),
          kExampleRows);
  }

  // Counted over the one column that it needs; whole rows are read only where some have no partner. NOT EXISTS, since
  // below an ANTI JOIN the empty gate does not end the scan.
  void Partner(const PlannedCheck& planned, std::size_t index) {
    const CheckSpec& check = *planned.check;
    std::string column = "caudal_row." + QuoteIdentifier(planned.field->name);
    std::string field = "caudal_partner." + QuoteIdentifier(ArgOf(check, "field"));
    std::string partner = x_scope.others.at(LowerName(ArgOf(check, "to"))) + " AS caudal_partner";
    std::string name = CheckStep(x_prefix, index);
    std::string count = QuoteIdentifier(name + "_count");
    Run(name + "_scan", "CREATE OR REPLACE TEMP TABLE " + count + " AS SELECT count(*) AS caudal_count FROM " +
                            x_scope.candidate + " AS caudal_row ANTI JOIN " + partner + " ON " + column + " = " + field +
                            " WHERE " + column + " IS NOT NULL");
    Query(name,
          "SELECT caudal_gate.caudal_count, caudal_row.* FROM " + x_scope.candidate +
              " AS caudal_row CROSS JOIN (SELECT caudal_count FROM " + count +
              " WHERE caudal_count > 0) AS caudal_gate\nWHERE " + column + " IS NOT NULL AND NOT EXISTS (SELECT 1 FROM " +
              partner + " WHERE " + field + " = " + column + ") LIMIT " + std::to_string(kExampleRows),
          kExampleRows);
  }

  void Custom(const PlannedCheck& planned, std::size_t index) {
    std::string sql = ReplaceTables(ArgOf(*planned.check, "sql"), x_names);
    while (!sql.empty() && (sql.back() == ';' || sql.back() == ' ' || sql.back() == '\n')) sql.pop_back();
    Step& step = Query(CheckStep(x_prefix, index),
                       "SELECT count(*) OVER () AS caudal_count, * FROM (\n" + sql + "\n) LIMIT " +
                           std::to_string(kExampleRows),
                       kExampleRows);
    step.user_sql = true;
  }

  ComputeJob& x_job;
  const AuditScope& x_scope;
  const AuditPlan& x_plan;
  std::string x_prefix;
  std::map<std::string, std::string> x_names;
};

}  // namespace

void AddAudit(ComputeJob& job, const AuditScope& scope, const std::vector<CheckSpec>& checks,
              const std::string& prefix) {
  AuditPlan plan = PlanAudit(scope, checks);
  AuditWriter(job, scope, plan, prefix).Write();
}

}  // namespace caudal
