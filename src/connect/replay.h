// Raw objects back into records, the way they were read the first time.
#pragma once

#include "connect/extract.h"
#include "connect/staging_sink.h"

namespace caudal {

/// Errors: kCorruption where an object's bytes are not those of its digest, or its container is broken.
Result<StagedRead> Replay(const ReplayRequest& request, StagingOptions options);

}  // namespace caudal
