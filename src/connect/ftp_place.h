// A folder on an FTP server, with or without TLS, as a place of files.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "connect/place_url.h"

namespace caudal {

/// ftps://: TLS by AUTH TLS, on port 990 from the first byte; never without. Paths are below the folder that one logs in to.
Result<std::unique_ptr<FilePlace>> OpenFtpPlace(PlaceUrl url, PlaceAccess access);

/// A line of MLSD (RFC 3659); nothing for the folder itself and its parent.
std::optional<PlaceEntry> ParseMachineLine(std::string_view line);
/// A line of LIST, as `ls -l` or DOS writes it. Its time is not taken: it has no zone, and often no year.
std::optional<PlaceEntry> ParseListLine(std::string_view line);

}  // namespace caudal
