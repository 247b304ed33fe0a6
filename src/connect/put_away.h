// What becomes of files at their place once their rows are committed. docs/connectors/files.md, "After loading".
#pragma once

#include <string>
#include <vector>

#include "connect/options.h"
#include "connect/place.h"
#include "connect/source.h"

namespace caudal {

/// Moves or removes the files that the ledger in request.cursor knows, as `after_load` of the stream says; side files go
/// with their file. The notes tell what was done, and what could not be. Done twice, it does nothing the second time.
Result<std::vector<std::string>> PutAway(const SourceRequest& request, const Options& stream, FilePlace& place);

}  // namespace caudal
