#include "serve/web_files.h"

namespace caudal {

/// The page is not built into this executable.
const WebFile* FindWebFile(std::string_view) { return nullptr; }

}  // namespace caudal
