// Parameters of the project in the SQL of checks.
#pragma once

#include "project/project.h"

namespace caudal {

/// Writes the value of each known $name into expression and sql checks as a literal, so that a check whose parameter
/// changed is another check, and whoever runs it needs no parameters.
void BindCheckParameters(Project& project);

}  // namespace caudal
