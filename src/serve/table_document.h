// Tables of the project as JSON. Schema: docs/cli.md. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_fwd.h"
#include "lake/snapshot.h"
#include "project/project.h"
#include "state/state_store.h"

namespace caudal {

/// Of a published version, what fits on one line.
struct TableFacts {
  std::int64_t version = 0;
  Timestamp updated;
  std::int64_t rows = 0, bytes = 0, files = 0, partitions = 0;
};
/// Nothing for no snapshot.
std::optional<TableFacts> FactsOf(const Snapshot* snapshot);
std::int64_t PartitionCount(const Snapshot& snapshot);

/// stream, table, view, append, merge, partitions, snapshot
std::string_view KindOfNode(const Project& project, const Node& node);
/// Of its source or its model, else of the project.
std::string OwnerOf(const Project& project, const Node& node);
const std::string& DescriptionOf(const Project& project, const Node& node);
/// As somebody has described it, or "".
std::string DescriptionOf(const Project& project, const Node& node, const std::string& column);
/// As published, else as the model's SQL gives them.
Schema SchemaOf(const Project& project, const Node& node, const Snapshot* snapshot);

/// TABLE
Json TableDocument(const Project& project, const Node& node, const std::optional<TableFacts>& facts, const std::vector<CheckRecord>& verdicts);
/// A version of `history TABLE`.
Json CommitDocument(const CommitRecord& commit);
/// A line of `history TABLE --checks`.
Json VerdictDocument(const CheckRecord& check);

}  // namespace caudal
