// The engine's parser over all SQL of a project, in one call, and what it says put where the user can mend it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "project/table_index.h"

namespace caudal {

/// SQL inside checks, once it was looked at: the other tables that a table's checks read.
using CheckedTables = std::map<std::string, std::set<std::string>>;

/// Fills Analysis of every model and the columns of every model that binds; notes unknown tables, cycles, the parser's
/// problems, unknown parameters, and checks whose SQL does not bind. A model below something that is not known or is
/// already complained about is not complained about again. `adopt` is asked for what nobody makes.
CheckedTables ReviewSql(Project& project, std::vector<ModelFile>& files, TableIndex& index, SqlAnalyzer& analyzer,
                        const AdoptTable& adopt, ProblemList& problems);

}  // namespace caudal
