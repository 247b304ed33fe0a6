// Columns in order. A value. Names are unique without regard to case.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json_fwd.h"
#include "base/result.h"
#include "data/type.h"

namespace caudal {

struct Schema {
  std::vector<Field> fields;

  /// The column of that name (case does not matter), or nullptr.
  const Field* Find(std::string_view name) const;
  friend bool operator==(const Schema& a, const Schema& b);
};

/// Gives every field of `next`, nested ones included, an id: the one that `previous` has for the same path, else a
/// fresh one above `max_id`, which moves up.
void AssignFieldIds(const Schema& previous, Schema& next, std::int32_t& max_id);

/// As JSON for worker jobs: [{"name":"a","type":"BIGINT","id":1,"ids":[..children, depth first]}].
Json SchemaToJson(const Schema& schema);
Result<Schema> SchemaFromJson(const Json& json);

/// `name` as an SQL identifier, quoted, inner quotes doubled. `text` as an SQL string literal.
std::string QuoteIdentifier(std::string_view name);
std::string QuoteLiteral(std::string_view text);
/// "silver"."orders"
std::string QuoteTable(std::string_view schema, std::string_view table);

}  // namespace caudal
