#include "quality/audit_plan.h"

#include <algorithm>

#include "data/name.h"

namespace caudal {
namespace {

bool Holds(const std::vector<std::string>& names, const std::string& name) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& other) { return SameName(other, name); });
}

// Every key that holds a unique key is unique.
bool IsProven(const std::vector<std::string>& columns, const std::vector<std::string>& proven) {
  return !proven.empty() &&
         std::all_of(proven.begin(), proven.end(), [&](const std::string& name) { return Holds(columns, name); });
}

void PlanUnique(PlannedCheck& planned, const AuditScope& scope) {
  std::vector<std::string> names = planned.check->values;
  if (!planned.check->column.empty()) names = {planned.check->column};
  for (const std::string& name : names) {
    const Field* field = scope.columns.Find(name);
    if (field == nullptr) {
      planned.why = "the table has no column '" + name + "'";
      return;
    }
    planned.columns.push_back(field->name);
  }
  planned.kind = IsProven(planned.columns, scope.proven_unique) ? MeasureKind::kProven : MeasureKind::kUnique;
}

PlannedCheck Plan(const CheckSpec& check, const AuditScope& scope) {
  PlannedCheck planned;
  planned.check = &check;
  if (!check.column.empty()) {
    planned.field = scope.columns.Find(check.column);
    if (planned.field == nullptr) {
      planned.why = "the table has no column '" + check.column + "'";
      return planned;
    }
  }
  for (const std::string& table : OtherTables(check)) {
    if (scope.others.count(table) != 0) continue;
    planned.why = "the table " + table + " is not there";
    return planned;
  }
  if (check.name == "unique") {
    PlanUnique(planned, scope);
  } else if (check.name == "relationships") {
    planned.kind = MeasureKind::kPartner;
  } else if (check.name == "sql") {
    planned.kind = MeasureKind::kSql;
  } else if (check.name == "row_count" || check.name == "row_count_change" || check.name == "null_percent" ||
             check.name == "freshness") {
    planned.kind = MeasureKind::kTable;
  } else {
    planned.kind = MeasureKind::kRow;
  }
  return planned;
}

}  // namespace

AuditPlan PlanAudit(const AuditScope& scope, const std::vector<CheckSpec>& checks) {
  AuditPlan plan;
  bool all_rows = scope.whole;
  for (const CheckSpec& check : checks) {
    PlannedCheck planned = Plan(check, scope);
    if (planned.kind == MeasureKind::kRow) {
      plan.measures_rows = true;
      // A condition that looks at other tables can break for a row that passed before.
      if (!IsRowCheck(check)) all_rows = true;
    }
    if (planned.kind == MeasureKind::kTable) plan.measures_table = true;
    bool names_tables = planned.kind == MeasureKind::kSql || (planned.kind == MeasureKind::kRow && !OtherTables(check).empty());
    if (names_tables) plan.shows_views = true;
    plan.checks.push_back(std::move(planned));
  }
  plan.rows_view = all_rows ? scope.candidate : scope.changed;
  plan.one_scan = plan.rows_view == scope.candidate;
  return plan;
}

bool ShowsExtreme(const PlannedCheck& planned) {
  return (planned.check->name == "min" || planned.check->name == "max") && planned.field != nullptr &&
         planned.field->type.kind != TypeKind::kVarchar;
}

std::string CountColumn(std::size_t index) { return "n" + std::to_string(index); }
std::string ValueColumn(std::size_t index) { return "v" + std::to_string(index); }

}  // namespace caudal
