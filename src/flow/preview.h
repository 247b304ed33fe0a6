// A look at a source that is not part of the project yet: what it offers, and its first rows as a load would type them.
// Nothing is kept.
#pragma once

#include <string>
#include <vector>

#include "connect/source.h"
#include "flow/workspace.h"

namespace caudal {

struct Preview {
  Rows rows;
  std::int64_t rejected = 0;       // of the records looked at: could not be split or typed
  std::vector<std::string> notes;  // of the connector
};

/// What the folders of those who ask begin with; they belong to no run.
inline constexpr const char* kDiscoverStaging = "discover-";

/// Errors: those of the source.
Result<std::vector<StreamOffer>> OfferedStreams(const Workspace& workspace, const SourceConfig& source, const CancelFlag* cancel);

/// At most `rows` rows. Reads little more than it shows where the source lets it.
Result<Preview> PreviewStream(const Workspace& workspace, const SourceConfig& source, const StreamConfig& stream, std::int64_t rows,
                              const CancelFlag* cancel);

}  // namespace caudal
