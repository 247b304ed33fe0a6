// Answers of analyze jobs, kept in a file: an analysis depends on nothing but its job, so an unchanged project costs no
// worker. Every other job passes through. Thread-safe.
#pragma once

#include <memory>
#include <string>

#include "engine/engine.h"

namespace caudal {

/// `program` tells one build of ours from another: answers of another one are forgotten. A file that cannot be read or
/// written costs the cache, never the job; it is written when the engine dies. `under` outlives it.
std::unique_ptr<Engine> MakeAnalysisCache(Engine& under, std::string file, std::string program);

}  // namespace caudal
