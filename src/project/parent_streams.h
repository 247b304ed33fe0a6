// Streams of an API that ask for each record of another stream: `{resources.orders.id}` in a path, dlt's words.
#pragma once

#include "project/file_context.h"
#include "project/project.h"

namespace caudal {

/// Writes the options of the stream above into each stream's own, as `parents: {orders: {...}}`: a worker that reads the
/// lines of orders sees the lines' options alone. A parent that is no stream, and one below itself, are problems.
void LinkParents(SourceConfig& source, const FileContext& file);

}  // namespace caudal
