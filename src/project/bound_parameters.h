// Parameters of the project in the SQL of checks and views.
#pragma once

#include "project/project.h"

namespace caudal {

/// Writes the value of each known $name into expression and sql checks, and into the SQL of views, as a literal: a check
/// whose parameter changed is another check, and whoever runs it needs no parameters; the engine has no views with them.
/// After the SQL was reviewed, since places in a view's SQL move.
void BindParameters(Project& project);

}  // namespace caudal
