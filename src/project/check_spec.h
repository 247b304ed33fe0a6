// A check as the user wrote it, in canonical words. A value. Words and aliases: docs/checks.md.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace caudal {

struct Place {
  std::string file;  // below the project folder
  int line = 0;      // from 1
  int column = 0;    // from 1
  std::string ToString() const;
};

enum class Severity { kWarn, kFail, kReject };

/// name: not_null, unique, accepted_values, pattern, min, max, length, relationships, row_count, row_count_change,
/// freshness, null_percent, expression, sql.
struct CheckSpec {
  std::string name;
  std::string column;  // "" for a check of the table
  Severity severity = Severity::kFail;
  /// Canonical arguments as text: {"value": "0"}, {"min": "1", "max": "40"}, {"to": "silver.customers", "field": "id"},
  /// {"warn": "5", "fail": "10"} (percent), {"sql": "..."}.
  std::map<std::string, std::string> args;
  /// accepted_values; columns of a table-wide unique; of sql and expression the other tables that they read (filled by
  /// LoadProject).
  std::vector<std::string> values;
  Place place;

  /// Stable within a table: "revenue.min(0)".
  std::string Id() const;
};

}  // namespace caudal
