#include "flow/contract_check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "connect/dialect.h"
#include "data/name.h"

namespace caudal {
namespace {

bool Names(const std::vector<std::string>& columns, const std::string& name) {
  return std::any_of(columns.begin(), columns.end(), [&](const std::string& column) { return SameName(column, name); });
}

bool IsDeclared(const StreamConfig& stream, const std::string& name) {
  return std::any_of(stream.columns.begin(), stream.columns.end(), [&](const ColumnConfig& column) { return SameName(column.name, name); });
}

bool IsOurs(const std::string& name) { return name == "_source_file" || name == "_source_row"; }

std::string OriginOf(const SourceColumns& of, const std::string& column) {
  for (const StagedChunk& chunk : of.chunks) {
    if (!NamesItsColumns(chunk.format.kind) || Names(chunk.format.columns, column)) return chunk.origin;
  }
  return "";
}

/// A file that lacks the column; "" = none.
std::string Lacks(const SourceColumns& of, const Schema& found, const std::string& column) {
  for (const StagedChunk& chunk : of.chunks) {
    if (NamesItsColumns(chunk.format.kind) && !chunk.format.columns.empty() && !Names(chunk.format.columns, column)) return chunk.origin;
  }
  if (!of.complete || of.chunks.empty() || found.Find(column) != nullptr) return "";
  return of.chunks.front().origin;
}

Error Frozen(const SourceColumns& of, const std::vector<Drift>& drift) {
  std::vector<std::string> what;
  std::vector<std::string> columns;
  for (const Drift& one : drift) {
    what.push_back(one.kind == DriftKind::kMissingColumn ? fmt::format("column {} is missing in {}", one.column, one.origin)
                                                         : fmt::format("column {} is new in {}, as {}", one.column, one.origin, one.type));
    if (one.kind == DriftKind::kNewColumn) columns.push_back(one.column);
  }
  const std::string take = columns.empty() ? "" : fmt::format("name {} under `columns:` to take {}, or ", fmt::join(columns, ", "), columns.size() == 1 ? "it" : "them");
  return Error{ErrorKind::kInvalidArgument, fmt::format("{} was not loaded: {}; its contract freezes columns", of.table, fmt::join(what, "; ")),
               take + "write `schema_contract: {columns: evolve}` for the stream; docs/contracts.md", of.stream.place.ToString()};
}

}  // namespace

Result<Schema> LookAtColumns(const SourceColumns& of, Schema& found, std::vector<Drift>& drift) {
  const ContractMode said = of.stream.contract.columns;
  const ContractMode mode = of.again && said == ContractMode::kFreeze ? ContractMode::kDiscardValue : said;
  std::vector<Drift> met;
  Schema refused;
  for (const Field& field : found.fields) {
    if (of.base.schema.Find(field.name) != nullptr || IsOurs(field.name)) continue;
    const bool taken = mode == ContractMode::kEvolve || mode == ContractMode::kFreeze || IsDeclared(of.stream, field.name);
    if (mode == ContractMode::kFreeze && IsDeclared(of.stream, field.name)) continue;
    Drift one;
    one.kind = taken ? DriftKind::kNewColumn : mode == ContractMode::kDiscardRow ? DriftKind::kRefusedColumn : DriftKind::kIgnoredColumn;
    one.column = field.name;
    one.type = field.type.ToSql();
    one.origin = OriginOf(of, field.name);
    met.push_back(std::move(one));
    if (!taken) refused.fields.push_back(field);
  }
  for (const Field& field : of.base.schema.fields) {
    const std::string origin = of.again || IsOurs(field.name) ? "" : Lacks(of, found, field.name);
    if (origin.empty()) continue;
    Drift one;
    one.kind = DriftKind::kMissingColumn;
    one.column = field.name;
    one.origin = origin;
    met.push_back(std::move(one));
  }
  if (mode == ContractMode::kFreeze && !met.empty()) {
    Drift frozen;
    frozen.kind = DriftKind::kFrozen;
    frozen.column = met.front().column;
    frozen.origin = met.front().origin;
    Error error = Frozen(of, met);
    frozen.example = error.message;
    drift.push_back(std::move(frozen));
    return error;
  }
  std::erase_if(found.fields, [&](const Field& field) { return refused.Find(field.name) != nullptr; });
  drift.insert(drift.end(), met.begin(), met.end());
  return refused;
}

Status RefuseMisfits(const std::string& table, const StreamConfig& stream, const std::vector<Drift>& drift) {
  if (stream.contract.data_type != ContractMode::kFreeze) return {};
  std::vector<std::string> what;
  for (const Drift& one : drift) {
    if (one.kind != DriftKind::kRejectedValues) continue;
    what.push_back(fmt::format("{} {} of {} did not fit {} ({}, row {}: '{}')", one.values, one.values == 1 ? "value" : "values", one.column, one.type,
                               one.origin, one.row, one.example));
  }
  if (what.empty()) return {};
  return Error{ErrorKind::kInvalidArgument, fmt::format("{} was not loaded: {}; its contract freezes types", table, fmt::join(what, "; ")),
               "mend the source, or write `schema_contract: {data_type: discard_row}` for the stream; docs/contracts.md", stream.place.ToString()};
}

}  // namespace caudal
