// Columns of one operator of a plan, and what its expressions make of them. Private to plan_facts. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/json_fwd.h"
#include "duckdb/plan_facts.h"

namespace caudal {

using Columns = std::vector<ColumnFacts>;

/// Sorted union.
void Unite(std::vector<ColumnOrigin>& into, const std::vector<ColumnOrigin>& from);

/// Both hold at once: a table that one of them needs whole, or by another column, is needed whole.
PartitionProof Both(const PartitionProof& a, const PartitionProof& b);
PartitionProof WithWhole(const PartitionProof& proof, const std::set<std::string>& tables);

/// Takes the proof away, with the reason; a column that has none keeps its own reason.
void Lose(ColumnFacts& column, const std::string& why);
void LoseAll(Columns& columns, const std::string& why);

/// The member, or null.
const Json& Member(const Json& node, const char* name);
/// 0 where it is no array.
std::size_t CountOf(const Json& list);

/// The child column that a plain reference names.
std::optional<std::size_t> RefOf(const Json& expression);
std::set<std::size_t> Refs(const Json& expressions);

/// Adds the origins of every column of `from` that the expression mentions.
void Mentioned(const Json& expression, const Columns& from, std::vector<ColumnOrigin>& origins);
/// The column that an expression makes: a plain reference keeps everything.
ColumnFacts Derived(const Json& expression, const Columns& from);
/// One that is made of many rows.
ColumnFacts Aggregated(const Json& expression, const Columns& from, const char* lost);

/// The columns that a projection map keeps; all where it is empty.
Columns Picked(const Columns& columns, const Json& map);

}  // namespace caudal
