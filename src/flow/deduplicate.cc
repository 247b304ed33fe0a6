#include "flow/deduplicate.h"

#include <fmt/format.h>

#include "data/schema.h"

namespace caudal {

std::string AddDeduplicated(ComputeJob& job, const Precedence& precedence) {
  std::string key, came;
  for (const std::string& column : precedence.key) key += (key.empty() ? "" : ", ") + QuoteIdentifier(column);
  for (const std::string& raw_key : precedence.raw_keys) came += (came.empty() ? "" : ", ") + QuoteLiteral(raw_key);
  // Names do not say it: those of two runs that began in one second stand in any order.
  job.steps.push_back(Step::Run("came", "CREATE TYPE came AS ENUM (" + (came.empty() ? "''" : came) + ")"));
  // Keys that came twice are looked for alone, so that only their rows have to be sorted.
  job.steps.push_back(Step::Run("came_twice", fmt::format("CREATE TEMP TABLE came_twice AS SELECT {0} FROM good GROUP BY {0} HAVING count(*) > 1", key)));
  return fmt::format(
      "SELECT * FROM good ANTI JOIN came_twice USING ({0})\nUNION ALL\nSELECT * FROM good SEMI JOIN came_twice USING ({0}) "
      "QUALIFY row_number() OVER (PARTITION BY {0} ORDER BY {1}_source_file::came DESC, _source_row DESC) = 1",
      key, precedence.cursor.empty() ? "" : QuoteIdentifier(precedence.cursor) + " DESC NULLS LAST, ");
}

}  // namespace caudal
