// Checks become SQL, SQL becomes verdicts. Pure: statements are added to a compute job, the rows that come back are
// judged. Many checks, one scan. Words: docs/checks.md.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "data/rows.h"
#include "engine/job.h"
#include "project/check_spec.h"

namespace caudal {

/// What is audited. The job sees `changed` (rows that are new in the candidate) and `candidate` (all rows of the
/// candidate snapshot) as views; `whole` true: everything is looked at, not only what changed (a first build, `caudal
/// check`, a check that is new or was edited).
struct AuditScope {
  std::string table;      // "silver.orders"
  std::string changed;    // quoted SQL name of the view
  std::string candidate;  // quoted SQL name of the view
  Schema columns;
  bool whole = false;
  /// Row count of the version that was published when the run began; absent = there is none.
  std::optional<std::int64_t> rows_before;
  /// A merge's key search already proved that these columns are unique.
  std::vector<std::string> proven_unique;
  /// SQL name of each other table that a check reads (OtherTables): "silver.customers" -> view.
  std::map<std::string, std::string> others;
};

enum class Verdict { kPass, kWarn, kFail, kReject };
std::string_view VerdictName(Verdict verdict);

struct CheckResult {
  CheckSpec check;
  std::string id;
  Verdict verdict = Verdict::kPass;
  std::int64_t failing_rows = 0;
  std::string observed;  // "min -3", "12 of 4,000 rows are NULL", "row count 900, before 1,000 (-10.0 %)"
  std::string message;   // "" where it passed
  Rows examples;         // at most 5 failing rows
};

/// Tables beside its own that a check reads: the partner of relationships, what its SQL names. Lower case.
std::vector<std::string> OtherTables(const CheckSpec& check);

/// Adds the steps that measure `checks` to `job`; their names begin with `prefix`, which is an identifier. A custom SELECT sees
/// the candidate under the table's own name. No checks: no steps.
void AddAudit(ComputeJob& job, const AuditScope& scope, const std::vector<CheckSpec>& checks,
              const std::string& prefix);

/// Judges what the steps of AddAudit gave. `now` for freshness. Errors: kInternal where a step is missing.
Result<std::vector<CheckResult>> Judge(const ComputeResult& result, const AuditScope& scope,
                                       const std::vector<CheckSpec>& checks, const std::string& prefix,
                                       Timestamp now);

/// SQL boolean that is true for a row which breaks one of the row checks with severity reject, and SQL text naming the
/// first such check; both over the columns of the table. Empty where there are none: rows are then not split.
struct RejectRule {
  std::string condition;
  std::string reason;  // VARCHAR expression
  std::string column;  // VARCHAR expression
};
RejectRule RejectRuleOf(const std::vector<CheckSpec>& checks, const Schema& columns);

/// True where the check looks at one row alone, so that rows which passed once need no second look.
bool IsRowCheck(const CheckSpec& check);

}  // namespace caudal
