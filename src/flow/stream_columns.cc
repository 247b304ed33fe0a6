#include "flow/stream_columns.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "connect/dialect.h"
#include "data/name.h"
#include "lake/table_config.h"

namespace caudal {
namespace {

Error NoSuchColumn(const StreamColumns& of, const Schema& schema, const char* word, const std::string& column) {
  std::vector<std::string> names;
  for (const Field& field : schema.fields) names.push_back(field.name);
  const std::string nearest = Nearest(column, names);
  return Error{ErrorKind::kInvalidArgument, fmt::format("{} names '{}', which {} does not have", word, column, of.table),
               nearest.empty() ? "" : "did you mean '" + nearest + "'?", of.stream.place.ToString()};
}

Error OnlyByRebuild(const StreamColumns& of, const char* word, std::string message, const Place& place) {
  return Error{ErrorKind::kInvalidArgument, std::move(message),
               fmt::format("`caudal backfill {} --from-raw` builds the table anew from its raw objects; or take `{}` back", of.table, word),
               place.ToString()};
}

bool Among(const std::vector<std::string>& columns, const std::string& name) {
  return std::any_of(columns.begin(), columns.end(), [&](const std::string& column) { return SameName(column, name); });
}

/// The wider type of `found`, where nobody gave the column one.
void Widen(const StreamColumns& of, const Schema& found, Schema& pinned) {
  for (Field& field : pinned.fields) {
    const Field* now = found.Find(field.name);
    const bool declared = std::any_of(of.stream.columns.begin(), of.stream.columns.end(),
                                      [&](const ColumnConfig& column) { return column.type && SameName(column.name, field.name); });
    if (now == nullptr || declared || Among(of.stream.partition_by, field.name) || !Widens(field.type, now->type)) continue;
    field.type = now->type;
  }
}

Status TakeDeclared(const StreamColumns& of, Schema& pinned) {
  for (const ColumnConfig& column : of.stream.columns) {
    for (Field& field : pinned.fields) {
      if (!column.type || !SameName(field.name, column.name) || field.type == *column.type) continue;
      if (!of.replaces && Widens(field.type, *column.type) && !Among(of.stream.partition_by, field.name)) {
        field.type = *column.type;
        continue;
      }
      if (!of.replaces) {
        return OnlyByRebuild(of, "type", fmt::format("{}.{} is {} in the table, and declared {}", of.table, field.name, field.type.ToSql(),
                                                     column.type->ToSql()), column.place);
      }
      field = Field{field.name, *column.type, 0};
    }
  }
  return {};
}

}  // namespace

Result<Schema> NextStreamColumns(const StreamColumns& of, Schema found) {
  Schema next = of.base != nullptr && !of.forgets ? of.base->schema : Schema{};
  TRY(TakeDeclared(of, next));
  if (of.widens) Widen(of, found, next);
  for (Field& field : found.fields) {
    if (next.Find(field.name)) continue;
    field.id = 0;
    next.fields.push_back(std::move(field));
  }
  if (!next.Find("_source_file")) next.fields.push_back({"_source_file", Type{TypeKind::kVarchar, 0, 0, {}}, 0});
  if (!next.Find("_source_row")) next.fields.push_back({"_source_row", Type{TypeKind::kBigint, 0, 0, {}}, 0});
  TRY_ASSIGN(next, NextColumns(of.base, next, of.replaces));
  for (const std::string& column : of.stream.partition_by) {
    if (!next.Find(column)) return NoSuchColumn(of, next, "partition_by", column);
  }
  for (const std::string& column : of.stream.primary_key) {
    if (!next.Find(column)) return NoSuchColumn(of, next, "primary_key", column);
  }
  const bool same = of.base != nullptr && std::equal(of.base->partition_columns.begin(), of.base->partition_columns.end(),
                                                     of.stream.partition_by.begin(), of.stream.partition_by.end(), SameName);
  if (of.base == nullptr || of.replaces || same) return next;
  return OnlyByRebuild(of, "partition_by", fmt::format("{} is partitioned by ({}), and `partition_by` says ({})", of.table,
                                                       fmt::join(of.base->partition_columns, ", "), fmt::join(of.stream.partition_by, ", ")),
                       of.stream.place);
}

Status RefuseForeignFiles(const std::vector<StagedChunk>& chunks, const Snapshot& base) {
  std::vector<std::string> names;
  for (const Field& field : base.schema.fields) {
    if (field.name != "_source_file" && field.name != "_source_row") names.push_back(field.name);
  }
  for (const StagedChunk& chunk : chunks) {
    const std::vector<std::string>& columns = chunk.format.columns;
    if (!NamesItsColumns(chunk.format.kind) || columns.empty() || names.empty()) continue;
    const bool shared = std::any_of(columns.begin(), columns.end(), [&](const std::string& column) {
      return std::any_of(names.begin(), names.end(), [&](const std::string& name) { return SameName(name, column); });
    });
    if (shared) continue;
    return Error{ErrorKind::kCorruption, fmt::format("{} has no column of {}: it has {}; the table has {}", chunk.origin, base.name,
                                                     fmt::join(columns, ", "), fmt::join(names, ", ")),
                 "take the file out of the location or of `glob:`, or load it by a stream of its own", ""};
  }
  return {};
}

}  // namespace caudal
