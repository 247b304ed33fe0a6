// Sources as JSON, for the command line and the API. Schema: docs/cli.md. Pure functions.
#pragma once

#include <optional>

#include "base/json_fwd.h"
#include "flow/source_status.h"
#include "serve/table_document.h"

namespace caudal {

/// STREAM
Json StreamDocument(const StreamConfig& stream, const StreamStatus& status, const std::optional<TableFacts>& facts);
/// SOURCE; `streams`: an array of STREAM.
Json SourceDocument(const Project& project, const SourceConfig& source, const SourceStatus& status, Json streams);

}  // namespace caudal
