// Models whose SQL names $start and $end: which interval of their time column a run builds. Pure functions.
// Rules: docs/incremental.md, "Models by interval".
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "data/type.h"
#include "project/project.h"

namespace caudal {

/// [from, to) as texts of the time column's type (DATE or TIMESTAMPTZ).
struct Interval {
  std::string from, to;
  std::string cursor;  // where the next one begins

  friend bool operator==(const Interval&, const Interval&) = default;
};

/// The oldest and the newest value of the column that the time column is made of; absent where nobody knows.
struct TimeRange {
  std::optional<Timestamp> oldest, newest;
};

bool RunsByInterval(const ModelConfig& model);
/// The type of the model's time column.
Type TimeTypeOf(const ModelConfig& model);

/// The next interval. `cursor`: of the last one, "" = everything from the beginning; the newest unit that it held is done
/// again, since it may have grown, but by a model that appends: that one builds units that are over.
/// Absent where no unit is over yet.
std::optional<Interval> NextInterval(const ModelConfig& model, const std::string& cursor, const TimeRange& range, Timestamp now);

/// The interval that a backfill names; an end that is "" is open.
Interval GivenInterval(const ModelConfig& model, const std::pair<std::string, std::string>& given, const TimeRange& range,
                       Timestamp now);

/// A condition on the model's rows: those of the interval.
std::string InInterval(const ModelConfig& model, const Interval& interval);

}  // namespace caudal
