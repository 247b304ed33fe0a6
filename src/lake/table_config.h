// A table's definition as the configuration of its metaData, and how one may follow another. Pure.
// Format and rules: docs/formats/table.md, "Configuration" and "Changes of the schema".
#pragma once

#include <map>
#include <string>
#include <vector>

#include "lake/log_entry.h"
#include "lake/table.h"

namespace caudal {

/// The columns of caudal.recordKey.
std::vector<std::string> KeyColumns(const std::map<std::string, std::string>& configuration);

/// Counters of the schemas and of the ways to partition that the table has had, from 0.
std::int64_t SchemaId(const std::map<std::string, std::string>& configuration);
std::int64_t SpecId(const std::map<std::string, std::string>& configuration);

/// The metadata of a table that `definition` makes of `before` (null: a new table, born at `now` with the id `id`).
/// `all_replaced`: no file of `before` lives on, so any schema may follow.
/// Errors: kInvalidArgument with the column and what is possible.
Result<LogMetadata> NextMetadata(const Snapshot* before, const TableDefinition& definition, bool all_replaced,
                                 const std::string& id, Timestamp now);

/// `columns` with the ids that NextMetadata will give them, for files that are written before the commit. Errors: as there.
Result<Schema> NextColumns(const Snapshot* before, const Schema& columns, bool all_replaced);

/// The metadata of `now` when it becomes what `then`, an earlier version, was. Ids of columns come back; those of the
/// schema and of the partitioning only ever grow.
LogMetadata RestoredMetadata(const Snapshot& now, const Snapshot& then);

/// True where both describe the same table, so that no metaData action is needed.
bool SameMetadata(const Snapshot& before, const LogMetadata& next);

}  // namespace caudal
