#include "flow/interval.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "data/name.h"

namespace caudal {
namespace {

constexpr std::chrono::hours kDay{24};
/// Bounds of files are kept in milliseconds.
constexpr std::chrono::milliseconds kInstant{1};

bool ByDay(const ModelConfig& model) { return TimeTypeOf(model).kind == TypeKind::kDate; }

Timestamp Floor(const ModelConfig& model, Timestamp time) {
  return ByDay(model) ? Timestamp(std::chrono::floor<std::chrono::days>(time)) : Timestamp(std::chrono::floor<std::chrono::milliseconds>(time));
}

std::string Text(const ModelConfig& model, Timestamp time) {
  return ByDay(model) ? FormatTimestamp(time).substr(0, 10) : FormatTimestamp(time);
}

Timestamp Unit(const ModelConfig& model, Timestamp time, int units) {
  return ByDay(model) ? time + units * kDay : time + units * kInstant;
}

}  // namespace

bool RunsByInterval(const ModelConfig& model) {
  return model.analysis.parameters.contains("start") || model.analysis.parameters.contains("end");
}

Type TimeTypeOf(const ModelConfig& model) {
  for (const OutputColumn& column : model.analysis.columns) {
    if (SameName(column.field.name, model.time_column)) return column.field.type;
  }
  return Type{TypeKind::kDate, 0, 0, {}};
}

std::optional<Interval> NextInterval(const ModelConfig& model, const std::string& cursor, const TimeRange& range, Timestamp now) {
  auto last = ParseTimestamp(cursor);
  Timestamp newest = Floor(model, range.newest.value_or(now));
  if (last) newest = std::max(newest, *last);
  Timestamp from = last ? *last - model.late.value_or(std::chrono::milliseconds{0}) : Floor(model, range.oldest.value_or(Timestamp{}));
  const bool whole_units = model.materialize == Materialize::kAppend;
  // A bound in milliseconds may lie past the newest instant itself.
  const Timestamp begun = ByDay(model) || (last && newest == *last) ? newest : Unit(model, newest, -1);
  Timestamp to = whole_units ? begun : Unit(model, newest, 1);
  if (from >= to) return std::nullopt;
  return Interval{Text(model, from), Text(model, to), Text(model, begun)};
}

Interval GivenInterval(const ModelConfig& model, const std::pair<std::string, std::string>& given, const TimeRange& range,
                       Timestamp now) {
  auto from = ParseTimestamp(given.first), to = ParseTimestamp(given.second);
  Timestamp begin = from ? *from : Floor(model, range.oldest.value_or(Timestamp{}));
  Timestamp end = to ? *to : Unit(model, Floor(model, range.newest.value_or(now)), 1);
  return {Text(model, begin), Text(model, end), ""};
}

std::string InInterval(const ModelConfig& model, const Interval& interval) {
  const std::string type = TimeTypeOf(model).ToSql();
  return fmt::format("({0} >= CAST({1} AS {3}) AND {0} < CAST({2} AS {3}))", QuoteIdentifier(model.time_column),
                     QuoteLiteral(interval.from), QuoteLiteral(interval.to), type);
}

}  // namespace caudal
