// What to do about a problem that the engine's parser has with the user's SQL. Pure.
#pragma once

#include <string>

#include "data/analysis.h"

namespace caudal {

/// The problem in one line, without the engine's own list of candidates.
std::string SqlMessage(const SqlProblem& problem);
/// The next step; never empty.
std::string SqlAdvice(const SqlProblem& problem);

}  // namespace caudal
