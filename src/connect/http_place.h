// The files that a page of links offers (an index of nginx, Apache, python -m http.server) as a place of files.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "connect/place_url.h"

namespace caudal {

/// Asks the host of `url` alone: no redirect is followed, and no link that leads elsewhere.
Result<std::unique_ptr<FilePlace>> OpenHttpPlace(PlaceUrl url, PlaceAccess access);

/// What the page of a folder links to right below it; folders end in '/' there. `path` is the folder's, decoded, with '/' at
/// its end; `origin` is "https://host:port".
std::vector<PlaceEntry> ParseIndexPage(std::string_view page, const std::string& origin, const std::string& path);

}  // namespace caudal
