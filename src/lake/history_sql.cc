#include <fmt/format.h>

#include <algorithm>

#include "data/name.h"
#include "lake/upsert.h"
#include "lake/value_text.h"

namespace caudal {

std::string HistoryChangesSql(const Schema& columns, const std::vector<std::string>& key, const std::string& history,
                              const std::string& current, Timestamp now) {
  std::string of_history, of_current, same_key, differs;
  for (const Field& field : columns.fields) {
    std::string name = QuoteIdentifier(field.name);
    of_history += "h." + name + ", ";
    of_current += "c." + name + ", ";
    bool is_key = std::any_of(key.begin(), key.end(), [&](const std::string& k) { return SameName(k, field.name); });
    if (is_key) {
      same_key += (same_key.empty() ? "" : " AND ") + ("h." + name + " = c." + name);
    } else {
      differs += (differs.empty() ? "" : " OR ") + ("h." + name + " IS DISTINCT FROM c." + name);
    }
  }
  if (differs.empty()) differs = "false";
  CHECK(!same_key.empty(), "a history has a key among its columns");
  std::string first_key;
  for (const Field& field : columns.fields) {
    if (SameName(field.name, key[0])) first_key = QuoteIdentifier(field.name);
  }
  // A version that began at `now` or later (the clock went back, or two runs at one time) is still followed, not replaced.
  std::string instant = fmt::format("TIMESTAMPTZ '{}'", DuckDbTimestamp(now));
  std::string turn = fmt::format("greatest({}, h.valid_from + INTERVAL 1 MICROSECOND)", instant);
  return fmt::format(
      "WITH open_versions AS (SELECT * FROM {history} WHERE is_current)\n"
      "SELECT {of_history}h.valid_from, {turn} AS valid_to, false AS is_current\n"
      "FROM open_versions h LEFT JOIN {current} c ON {same_key}\n"
      "WHERE c.{first_key} IS NULL OR {differs}\n"
      "UNION ALL\n"
      "SELECT {of_current}coalesce({turn}, {instant}) AS valid_from, CAST(NULL AS TIMESTAMPTZ) AS valid_to, "
      "true AS is_current\n"
      "FROM {current} c LEFT JOIN open_versions h ON {same_key}\n"
      "WHERE h.{first_key} IS NULL OR {differs}",
      fmt::arg("history", history), fmt::arg("current", current), fmt::arg("of_history", of_history),
      fmt::arg("of_current", of_current), fmt::arg("same_key", same_key), fmt::arg("differs", differs),
      fmt::arg("first_key", first_key), fmt::arg("turn", turn), fmt::arg("instant", instant));
}

}  // namespace caudal
