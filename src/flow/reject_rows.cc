#include "flow/reject_rows.h"

#include <fmt/format.h>

#include "lake/table.h"

namespace caudal {

std::string RejectedRowsSql(const std::string& view, const RejectRule& rule, const std::string& task, Timestamp now,
                            bool has_origin) {
  return fmt::format(
      "SELECT {} AS _reason, {} AS _column, CAST(NULL AS VARCHAR) AS _value, CAST(to_json(r) AS VARCHAR) AS _row, "
      "{} AS _source_file, {} AS _source_row, {} AS _task, CAST({} AS TIMESTAMPTZ) AS _rejected_at FROM {} AS r WHERE {}",
      rule.reason, rule.column, has_origin ? "_source_file" : "CAST(NULL AS VARCHAR)",
      has_origin ? "_source_row" : "CAST(NULL AS BIGINT)", QuoteLiteral(task), QuoteLiteral(FormatTimestamp(now)), view,
      rule.condition);
}

std::string NoRejectsSql() {
  std::string list;
  for (const Field& field : RejectSchema().fields) {
    list += (list.empty() ? "" : ", ") + ("CAST(NULL AS " + field.type.ToSql() + ") AS " + QuoteIdentifier(field.name));
  }
  return "SELECT " + list + " WHERE false";
}

}  // namespace caudal
