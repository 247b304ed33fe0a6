#include "base/json.h"
#include "connect/source.h"

namespace caudal {

std::string NextRowsInWords(const Json& stream_options, const Json& cursor) {
  const auto given = stream_options.is_object() ? stream_options.find("incremental") : stream_options.end();
  if (given == stream_options.end()) return "all rows";
  const std::string column = JsonString(*given, "cursor", "");
  const bool continues = JsonString(cursor, "column", "") == column;
  const std::string value = continues ? JsonString(cursor, "value", "") : "";
  const std::string lag = JsonString(*given, "lag", "");
  if (!value.empty()) return "rows with " + column + " from " + value + (lag.empty() ? "" : " less " + lag) + " on";
  const std::string initial = JsonString(*given, "initial_value", "");
  return initial.empty() ? "all rows, then by " + column : "rows with " + column + " from " + initial + " on";
}

std::string NextInWords(const Registry& registry, const std::string& connector, const std::string& stream_options,
                        const std::string& cursor) {
  Result<Json> options = ParseJson(stream_options.empty() ? "{}" : stream_options, "stream options");
  Result<Json> at = cursor.empty() ? Result<Json>(Json()) : ParseJson(cursor, "a cursor");
  const Result<const Connector*> found = registry.Find(connector);
  if (found && (*found)->next_in_words && options && options->is_object() && at) return (*found)->next_in_words(*options, *at);
  return cursor.empty() ? "everything" : "what comes after " + (cursor.size() > 60 ? cursor.substr(0, 60) + "..." : cursor);
}

}  // namespace caudal
