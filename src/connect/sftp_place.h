// A folder on an SSH server as a place of files.
#pragma once

#include <memory>

#include "connect/place_url.h"

namespace caudal {

/// Connects, checks the host key, logs in and looks at the folder; errors say which of these failed.
Result<std::unique_ptr<FilePlace>> OpenSftpPlace(PlaceUrl url, PlaceAccess access);

}  // namespace caudal
