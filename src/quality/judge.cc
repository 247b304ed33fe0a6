// Numbers of an audit become verdicts.
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

#include "data/name.h"
#include "quality/audit.h"
#include "quality/audit_plan.h"

namespace caudal {
namespace {

std::string Grouped(std::int64_t n) {
  std::string digits = std::to_string(n < 0 ? -n : n);
  for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
  return (n < 0 ? "-" : "") + digits;
}

std::string RowsText(std::int64_t n) { return Grouped(n) + (n == 1 ? " row" : " rows"); }
std::string Verb(std::int64_t n, const char* one, const char* many) { return n == 1 ? one : many; }

std::string Joined(const std::vector<std::string>& parts) {
  std::string all;
  for (const std::string& part : parts) all += (all.empty() ? "" : ", ") + part;
  return all;
}

double Number(const std::string& text) { return std::strtod(text.c_str(), nullptr); }

Verdict VerdictOf(Severity severity) {
  return severity == Severity::kWarn ? Verdict::kWarn : severity == Severity::kReject ? Verdict::kReject : Verdict::kFail;
}

// What broken rows are said to be.
std::string Complaint(const CheckSpec& check, std::int64_t n) {
  std::string value = ArgOf(check, "value");
  if (check.name == "not_null") return Verb(n, "is NULL", "are NULL");
  if (check.name == "min") return Verb(n, "is below ", "are below ") + value;
  if (check.name == "max") return Verb(n, "is above ", "are above ") + value;
  if (check.name == "pattern") return Verb(n, "does not match ", "do not match ") + value;
  if (check.name == "accepted_values") return Verb(n, "is none of ", "are none of ") + Joined(check.values);
  if (check.name == "length") {
    std::string least = ArgOf(check, "min"), most = ArgOf(check, "max");
    if (most.empty()) return Verb(n, "is shorter than ", "are shorter than ") + least;
    if (least.empty()) return Verb(n, "is longer than ", "are longer than ") + most;
    return Verb(n, "is not ", "are not ") + least + " to " + most + " long";
  }
  return Verb(n, "does not satisfy ", "do not satisfy ") + ArgOf(check, "expression");
}

class Judgement {
 public:
  Judgement(const ComputeResult& result, const AuditScope& scope, const AuditPlan& plan, std::string prefix,
            Timestamp now)
      : x_result(result), x_scope(scope), x_plan(plan), x_prefix(std::move(prefix)), x_now(now) {}

  Result<CheckResult> Of(std::size_t index) {
    const PlannedCheck& planned = x_plan.checks[index];
    CheckResult r;
    r.check = *planned.check;
    r.id = planned.check->Id();
    switch (planned.kind) {
      case MeasureKind::kNone:
        // Fails closed, whatever the severity says: nobody looked.
        r.verdict = Verdict::kFail;
        r.message = r.observed = planned.why;
        break;
      case MeasureKind::kProven: r.observed = "unique by the key of the merge"; break;
      case MeasureKind::kRow: TRY(Row(planned, index, r)); break;
      case MeasureKind::kTable: TRY(OfTable(planned, index, r)); break;
      case MeasureKind::kUnique: TRY(Unique(planned, index, r)); break;
      case MeasureKind::kPartner:
      case MeasureKind::kSql: TRY(Listed(planned, index, r)); break;
    }
    return r;
  }

 private:
  static Error Missing(const std::string& step) {
    return Error{ErrorKind::kInternal, "the audit gave no answer to " + step, "please report this", ""};
  }

  Result<const Rows*> Answer(const std::string& step) const {
    const StepResult* found = x_result.Find(step);
    if (found == nullptr) return Missing(step);
    return &found->rows;
  }

  Result<Cell> Measure(bool of_rows, const std::string& column) const {
    std::string step = of_rows || (x_plan.measures_rows && x_plan.one_scan) ? MeasuresStep(x_prefix)
                                                                           : TableMeasuresStep(x_prefix);
    TRY_ASSIGN(const Rows* rows, Answer(step));
    for (std::size_t i = 0; i < rows->schema.fields.size(); ++i) {
      if (rows->schema.fields[i].name == column && rows->rows.size() == 1 && i < rows->rows[0].size()) return rows->rows[0][i];
    }
    return Missing(step + "." + column);
  }
  Result<std::int64_t> Count(bool of_rows, const std::string& column) const {
    TRY_ASSIGN(Cell cell, Measure(of_rows, column));
    if (!cell) return Missing(column);
    return static_cast<std::int64_t>(std::strtoll(cell->c_str(), nullptr, 10));
  }

  void Fail(const CheckSpec& check, CheckResult& r, std::string message) const {
    r.verdict = caudal::VerdictOf(check.severity);
    r.message = std::move(message);
  }

  Status Row(const PlannedCheck& planned, std::size_t index, CheckResult& r) {
    const CheckSpec& check = *planned.check;
    TRY_ASSIGN(std::int64_t rows, Count(true, kRowsColumn));
    TRY_ASSIGN(std::int64_t broken, Count(true, CountColumn(index)));
    r.failing_rows = broken;
    r.observed = broken == 0 ? RowsText(rows) : Grouped(broken) + " of " + RowsText(rows);
    std::string extreme;
    if (ShowsExtreme(planned)) {
      TRY_ASSIGN(Cell value, Measure(true, ValueColumn(index)));
      if (value) extreme = check.name + " " + *value;
      if (value) r.observed += ", " + extreme;
    }
    if (broken == 0) return {};
    TRY(TakeExamples(index, r));
    std::string message = Grouped(broken) + " of " + RowsText(rows) + " " + Complaint(check, broken);
    if (!extreme.empty()) message += std::string(check.name == "min" ? "; the lowest is " : "; the highest is ") + extreme.substr(4);
    Fail(check, r, std::move(message));
    return {};
  }

  Status TakeExamples(std::size_t index, CheckResult& r) const {
    TRY_ASSIGN(const Rows* rows, Answer(ExamplesStep(x_prefix)));
    r.examples.schema = Tail(rows->schema, 1);
    for (const std::vector<Cell>& row : rows->rows) {
      if (row.empty() || row[0] != std::to_string(index)) continue;
      r.examples.rows.emplace_back(row.begin() + 1, row.end());
    }
    r.examples.truncated = r.failing_rows > static_cast<std::int64_t>(r.examples.rows.size());
    return {};
  }

  static Schema Tail(const Schema& schema, std::size_t from) {
    Schema tail;
    for (std::size_t i = from; i < schema.fields.size(); ++i) tail.fields.push_back(schema.fields[i]);
    return tail;
  }

  Status OfTable(const PlannedCheck& planned, std::size_t index, CheckResult& r) const {
    TRY_ASSIGN(std::int64_t rows, Count(false, kRowsColumn));
    const std::string& name = planned.check->name;
    if (name == "row_count") {
      RowCount(*planned.check, rows, r);
    } else if (name == "row_count_change") {
      RowCountChange(*planned.check, rows, r);
    } else if (name == "null_percent") {
      TRY_ASSIGN(std::int64_t nulls, Count(false, CountColumn(index)));
      NullPercent(*planned.check, rows, nulls, r);
    } else {
      TRY_ASSIGN(Cell newest, Measure(false, ValueColumn(index)));
      Freshness(*planned.check, newest, r);
    }
    return {};
  }

  void RowCount(const CheckSpec& check, std::int64_t rows, CheckResult& r) const {
    r.observed = RowsText(rows);
    std::string least = ArgOf(check, "min"), most = ArgOf(check, "max");
    if (!least.empty() && rows < std::strtoll(least.c_str(), nullptr, 10)) {
      Fail(check, r, RowsText(rows) + ", fewer than " + Grouped(std::strtoll(least.c_str(), nullptr, 10)));
    } else if (!most.empty() && rows > std::strtoll(most.c_str(), nullptr, 10)) {
      Fail(check, r, RowsText(rows) + ", more than " + Grouped(std::strtoll(most.c_str(), nullptr, 10)));
    }
  }

  void RowCountChange(const CheckSpec& check, std::int64_t rows, CheckResult& r) const {
    if (!x_scope.rows_before || *x_scope.rows_before == 0) {
      r.observed = RowsText(rows) + ", nothing before to compare with";
      return;
    }
    double before = static_cast<double>(*x_scope.rows_before);
    double change = (static_cast<double>(rows) - before) / before * 100;
    r.observed = fmt::format("{}, before {} ({:+.1f} %)", RowsText(rows), Grouped(*x_scope.rows_before), change);
    std::string warn = ArgOf(check, "warn"), fail = ArgOf(check, "fail");
    double size = change < 0 ? -change : change;
    if (!fail.empty() && size > Number(fail)) {
      r.verdict = Verdict::kFail;
      r.message = r.observed + ", more than " + fail + " %";
    } else if (!warn.empty() && size > Number(warn)) {
      r.verdict = Verdict::kWarn;
      r.message = r.observed + ", more than " + warn + " %";
    }
  }

  void NullPercent(const CheckSpec& check, std::int64_t rows, std::int64_t nulls, CheckResult& r) const {
    double percent = rows == 0 ? 0 : static_cast<double>(nulls) / static_cast<double>(rows) * 100;
    r.observed = fmt::format("{} of {} {} NULL ({:.1f} %)", Grouped(nulls), RowsText(rows), Verb(nulls, "is", "are"), percent);
    if (percent <= Number(ArgOf(check, "max"))) return;
    r.failing_rows = nulls;
    Fail(check, r, r.observed + ", more than " + ArgOf(check, "max") + " %");
  }

  void Freshness(const CheckSpec& check, const Cell& newest, CheckResult& r) const {
    if (!newest) {
      r.observed = "no value";
      return Fail(check, r, "there is no value, hence none newer than " + ArgOf(check, "max"));
    }
    Timestamp time{std::chrono::microseconds(std::strtoll(newest->c_str(), nullptr, 10))};
    auto age = std::chrono::duration_cast<std::chrono::milliseconds>(x_now - time);
    auto shown = std::chrono::duration_cast<std::chrono::minutes>(age);
    std::string when = FormatTimestamp(time).substr(0, 19) + "Z";
    r.observed = "newest " + when + (age.count() > 0 ? ", " + FormatDuration(shown) + " ago" : "");
    Result<std::chrono::milliseconds> most = ParseDuration(ArgOf(check, "max"));
    if (!most || age > *most) {
      Fail(check, r, "the newest value is " + when + ", " + FormatDuration(shown) + " old, older than " + ArgOf(check, "max"));
    }
  }

  Status Unique(const PlannedCheck& planned, std::size_t index, CheckResult& r) const {
    TRY_ASSIGN(const Rows* rows, Answer(CheckStep(x_prefix, index)));
    r.observed = "no value twice";
    if (rows->rows.empty()) return {};
    const std::vector<Cell>& first = rows->rows[0];
    if (first.size() != planned.columns.size() + 3 || !first[0] || !first[1]) return Missing(CheckStep(x_prefix, index));
    std::int64_t keys = std::strtoll(first[0]->c_str(), nullptr, 10);
    r.failing_rows = std::strtoll(first[1]->c_str(), nullptr, 10);
    r.examples.schema = Tail(rows->schema, 2);
    for (const std::vector<Cell>& row : rows->rows) r.examples.rows.emplace_back(row.begin() + 2, row.end());
    r.examples.truncated = keys > static_cast<std::int64_t>(r.examples.rows.size());
    std::vector<std::string> key;
    for (std::size_t i = 0; i < planned.columns.size(); ++i) key.push_back(planned.columns[i] + " " + first[i + 2].value_or("NULL"));
    r.observed = Grouped(keys) + (keys == 1 ? " key stands" : " keys stand") + " in " + RowsText(r.failing_rows);
    Fail(*planned.check, r, r.observed + ", such as " + Joined(key) + " in " + first.back().value_or("?"));
    return {};
  }

  // Queries that give the count in front of each example.
  Status Listed(const PlannedCheck& planned, std::size_t index, CheckResult& r) const {
    TRY_ASSIGN(const Rows* rows, Answer(CheckStep(x_prefix, index)));
    bool partner = planned.kind == MeasureKind::kPartner;
    r.observed = partner ? "every row has its partner" : "no row";
    if (rows->rows.empty()) return {};
    if (rows->rows[0].empty() || !rows->rows[0][0]) return Missing(CheckStep(x_prefix, index));
    std::int64_t broken = std::strtoll(rows->rows[0][0]->c_str(), nullptr, 10);
    r.failing_rows = broken;
    r.examples.schema = Tail(rows->schema, 1);
    for (const std::vector<Cell>& row : rows->rows) r.examples.rows.emplace_back(row.begin() + 1, row.end());
    r.examples.truncated = broken > static_cast<std::int64_t>(r.examples.rows.size());
    const CheckSpec& check = *planned.check;
    r.observed = RowsText(broken);
    Fail(check, r, partner ? RowsText(broken) + Verb(broken, " has", " have") + " no partner in " + ArgOf(check, "to") + "." + ArgOf(check, "field")
                           : RowsText(broken) + Verb(broken, " is wrong", " are wrong"));
    return {};
  }

  const ComputeResult& x_result;
  const AuditScope& x_scope;
  const AuditPlan& x_plan;
  std::string x_prefix;
  Timestamp x_now;
};

}  // namespace

std::string_view VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass: return "pass";
    case Verdict::kWarn: return "warn";
    case Verdict::kFail: return "fail";
    case Verdict::kReject: return "reject";
  }
  return "fail";
}

Result<std::vector<CheckResult>> Judge(const ComputeResult& result, const AuditScope& scope,
                                       const std::vector<CheckSpec>& checks, const std::string& prefix,
                                       Timestamp now) {
  AuditPlan plan = PlanAudit(scope, checks);
  Judgement judgement(result, scope, plan, prefix, now);
  std::vector<CheckResult> results;
  for (std::size_t i = 0; i < checks.size(); ++i) {
    TRY_ASSIGN(CheckResult one, judgement.Of(i));
    results.push_back(std::move(one));
  }
  return results;
}

}  // namespace caudal
