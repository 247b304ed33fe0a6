#include "quality/check_sql.h"

#include "base/clock.h"
#include "data/name.h"
#include "quality/audit.h"

namespace caudal {
namespace {

// Digits, at most one point, a sign: text that SQL takes as a number and nothing else.
bool IsPlainNumber(const std::string& text) {
  std::size_t i = !text.empty() && text[0] == '-' ? 1 : 0;
  int points = 0, digits = 0;
  for (; i < text.size(); ++i) {
    if (text[i] == '.' && digits > 0 && i + 1 < text.size()) {
      ++points;
    } else if (text[i] >= '0' && text[i] <= '9') {
      ++digits;
    } else {
      return false;
    }
  }
  return digits > 0 && digits <= 38 && points <= 1;
}

std::string Bound(const CheckSpec& check, const Field& field) {
  std::string column = QuoteIdentifier(field.name);
  std::string value = ArgOf(check, "value");
  std::string sign = check.name == "min" ? " < " : " > ";
  if (field.type.kind == TypeKind::kVarchar && IsPlainNumber(value)) {
    // A number was meant: text that is none fails.
    return column + " IS NOT NULL AND coalesce(TRY_CAST(" + column + " AS DOUBLE)" + sign + value + ", true)";
  }
  return column + sign + ComparableLiteral(value, field.type);
}

std::string Length(const CheckSpec& check, const Field& field) {
  std::string column = QuoteIdentifier(field.name);
  std::string length = field.type.kind == TypeKind::kBlob   ? "octet_length(" + column + ")"
                       : field.type.kind == TypeKind::kList ? "len(" + column + ")"
                                                            : "length(CAST(" + column + " AS VARCHAR))";
  std::string broken;
  std::string least = ArgOf(check, "min"), most = ArgOf(check, "max");
  if (!least.empty()) broken = length + " < " + least;
  if (!most.empty()) broken += (broken.empty() ? "" : " OR ") + length + " > " + most;
  return broken;
}

std::string SchemaOf(const std::string& table) { return table.substr(0, table.find('.')); }

}  // namespace

std::string ArgOf(const CheckSpec& check, const char* key) {
  auto it = check.args.find(key);
  return it == check.args.end() ? std::string() : it->second;
}

std::string ComparableLiteral(const std::string& value, const Type& type) {
  if (type.numeric() && IsPlainNumber(value)) return value;
  if (type.kind == TypeKind::kVarchar) return QuoteLiteral(value);
  if (type.kind == TypeKind::kTimestamptz) {
    Result<Timestamp> time = ParseTimestamp(value);
    if (time) return "CAST(" + QuoteLiteral(FormatTimestamp(*time)) + " AS TIMESTAMPTZ)";
  }
  // What does not cast ends the job with an error: an audit fails closed.
  return "CAST(" + QuoteLiteral(value) + " AS " + type.ToSql() + ")";
}

std::string BrokenRow(const CheckSpec& check, const Field* field) {
  if (check.name == "expression") return "NOT (\n" + ArgOf(check, "expression") + "\n)";
  if (field == nullptr) return "false";
  std::string column = QuoteIdentifier(field->name);
  if (check.name == "not_null") return column + " IS NULL";
  if (check.name == "min" || check.name == "max") return Bound(check, *field);
  if (check.name == "length") return Length(check, *field);
  if (check.name == "pattern") {
    return "NOT regexp_matches(CAST(" + column + " AS VARCHAR), " + QuoteLiteral(ArgOf(check, "value")) + ")";
  }
  if (check.name == "accepted_values") {
    std::string list;
    for (const std::string& value : check.values) {
      list += (list.empty() ? "" : ", ") + ComparableLiteral(value, field->type);
    }
    return column + " NOT IN (" + list + ")";
  }
  return "false";
}

bool IsRowCheck(const CheckSpec& check) {
  for (const char* name : {"not_null", "accepted_values", "pattern", "min", "max", "length", "expression"}) {
    if (check.name == name) return check.name != "expression" || check.values.empty();
  }
  return false;
}

std::vector<std::string> OtherTables(const CheckSpec& check) {
  if (check.name == "relationships") return {LowerName(ArgOf(check, "to"))};
  if (check.name == "sql" || check.name == "expression") return check.values;
  return {};
}

RejectRule RejectRuleOf(const std::vector<CheckSpec>& checks, const Schema& columns) {
  RejectRule rule;
  std::string reasons, names;
  for (const CheckSpec& check : checks) {
    if (check.severity != Severity::kReject || !IsRowCheck(check)) continue;
    const Field* field = check.column.empty() ? nullptr : columns.Find(check.column);
    if (field == nullptr && check.name != "expression") continue;
    std::string broken = "coalesce(" + BrokenRow(check, field) + ", false)";
    std::string reason = QuoteLiteral(check.Id());
    if (field != nullptr && check.name != "not_null") {
      reason += " || ': ' || coalesce(CAST(" + QuoteIdentifier(field->name) + " AS VARCHAR), 'NULL')";
    }
    rule.condition += (rule.condition.empty() ? "" : " OR ") + broken;
    reasons += " WHEN " + broken + " THEN " + reason;
    names += " WHEN " + broken + " THEN " + (field == nullptr ? "CAST(NULL AS VARCHAR)" : QuoteLiteral(field->name));
  }
  if (rule.condition.empty()) return rule;
  rule.condition = "(" + rule.condition + ")";
  rule.reason = "CASE" + reasons + " END";
  rule.column = "CASE" + names + " END";
  return rule;
}

std::string AuditSchemaOf(const std::string& table) { return "caudal_audit_" + SchemaOf(table); }
std::string AuditViewOf(const std::string& table) {
  return QuoteTable(AuditSchemaOf(table), table.substr(table.find('.') + 1));
}

std::string MeasuresStep(const std::string& prefix) { return prefix + "measures"; }
std::string TableMeasuresStep(const std::string& prefix) { return prefix + "table_measures"; }
std::string ExamplesStep(const std::string& prefix) { return prefix + "examples"; }
std::string CheckStep(const std::string& prefix, std::size_t index) { return prefix + "check" + std::to_string(index); }

}  // namespace caudal
