// How each check of an audit is measured: AddAudit and Judge derive the same plan from the same values.
#pragma once

#include <string>
#include <vector>

#include "quality/audit.h"
#include "quality/check_sql.h"

namespace caudal {

struct PlannedCheck {
  MeasureKind kind = MeasureKind::kNone;
  const CheckSpec* check = nullptr;
  const Field* field = nullptr;      // the check's column; null for one of the table
  std::vector<std::string> columns;  // kUnique: the key, as the table spells it
  std::string why;                   // kNone: what is missing
};

struct AuditPlan {
  std::vector<PlannedCheck> checks;  // as given
  std::string rows_view;             // what row checks look at
  bool measures_rows = false;        // there is a row check
  bool measures_table = false;       // there is a measure of the candidate
  /// The candidate is what row checks look at: one scan serves both.
  bool one_scan = false;
  bool shows_views = false;  // there is SQL of the user's that names tables
};

AuditPlan PlanAudit(const AuditScope& scope, const std::vector<CheckSpec>& checks);

/// min and max say which value is the farthest out. Not of text: its order is not the one that was meant.
bool ShowsExtreme(const PlannedCheck& planned);

/// Names of a check's columns in the measures.
std::string CountColumn(std::size_t index);
std::string ValueColumn(std::size_t index);
inline constexpr const char* kRowsColumn = "rows";
inline constexpr int kExampleRows = 5;

}  // namespace caudal
