// The DAG of a project: nodes in an order in which they can be built, stable by name.
#pragma once

#include <vector>

#include "project/sql_review.h"
#include "project/table_index.h"

namespace caudal {

/// Cycles were complained about: their edges are left out where the order meets them.
std::vector<Node> BuildNodes(const Project& project, const TableIndex& index, const CheckedTables& checked);

}  // namespace caudal
