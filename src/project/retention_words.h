// The word `retention` of caudal.yaml, a model or a stream.
#pragma once

#include <optional>

#include "project/file_context.h"
#include "project/project.h"

namespace caudal {

/// `retention: {older_than: 30d, keep_versions: 10, reader_grace: 1h}`, each of them optional; absent where the word is.
std::optional<Retention> RetentionOf(MapReader& reader, const FileContext& file);

}  // namespace caudal
