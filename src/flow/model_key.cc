#include "flow/model_key.h"

#include <fmt/format.h>

#include "data/schema.h"

namespace caudal {
namespace {

constexpr const char* kStep = "caudal_key";
constexpr std::int64_t kExamples = 3;

}  // namespace

void AddKeyProof(ComputeJob& job, const std::vector<std::string>& key, const std::string& view) {
  std::string columns, none;
  for (const std::string& column : key) {
    const std::string name = QuoteIdentifier(column);
    columns += (columns.empty() ? "" : ", ") + name;
    none += " OR " + name + " IS NULL";
  }
  job.steps.push_back(Step::Query(
      kStep, fmt::format("SELECT {0}, count(*) AS caudal_rows FROM {1} GROUP BY {0} HAVING count(*) > 1{2} ORDER BY {0} LIMIT {3}",
                         columns, QuoteIdentifier(view), none, kExamples), kExamples));
}

Status KeyVerdict(const std::string& table, const ComputeResult& result) {
  const StepResult* step = result.Find(kStep);
  if (step == nullptr || step->rows.rows.empty()) return {};
  const std::size_t columns = step->rows.schema.fields.size() - 1;
  std::string key, examples;
  bool null = true;  // every example has a NULL in its key
  for (std::size_t i = 0; i < columns; ++i) key += (i > 0 ? ", " : "") + step->rows.schema.fields[i].name;
  for (const auto& row : step->rows.rows) {
    std::string values;
    bool of_row = false;
    for (std::size_t i = 0; i < columns; ++i) {
      values += (i > 0 ? ", " : "") + row[i].value_or("NULL");
      of_row = of_row || !row[i];
    }
    null = null && of_row;
    const std::string rows = row[columns].value_or("");
    examples += fmt::format("{}({}) in {} row{}", examples.empty() ? "" : "; ", values, rows, rows == "1" ? "" : "s");
  }
  return Error{ErrorKind::kCheckFailed,
               fmt::format("{} was not published: its key ({}) {}: {}", table, key,
                           null ? "is NULL in rows of the result" : "does not tell the rows of the result apart", examples),
               null ? fmt::format("leave rows without a key out (WHERE {} IS NOT NULL), or name other key columns", key)
                    : fmt::format("give one row a key (QUALIFY row_number() OVER (PARTITION BY {} ORDER BY ...) = 1), or name "
                                  "more key columns", key),
               ""};
}

}  // namespace caudal
