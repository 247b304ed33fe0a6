// Which place a `location:` names, and the way to it. Values; pure, but for OpenPlace.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "connect/options.h"
#include "connect/place.h"

namespace caudal {

/// "scheme://host:port/path"; nothing is decoded but the path.
struct PlaceUrl {
  std::string scheme;
  std::string host;
  int port = 0;      // the scheme's own where the URL has none
  std::string path;  // begins with '/' or is empty; no '/' at its end
  /// "sftp://host:port", without credentials: for messages.
  std::string Server() const;
};
/// Errors: kInvalidArgument for what is no such URL.
Result<PlaceUrl> ParsePlaceUrl(const std::string& text);

/// What every server's place needs. Secrets: password, key_passphrase.
struct PlaceAccess {
  std::string user;
  std::string password;
  std::string key_file;
  std::string key_passphrase;
  std::vector<std::string> host_keys;  // fingerprints, "SHA256:..."
  std::string known_hosts;
  std::string ca_file;
  std::chrono::milliseconds timeout{60'000};          // without a byte
  std::chrono::milliseconds connect_timeout{15'000};
  std::function<bool()> cancelled;  // may be empty
};

/// The place that the options of a `files` source name. Errors say which part is wrong: kNotFound, kPermission,
/// kInvalidArgument, kUnavailable, kTimeout.
Result<std::unique_ptr<FilePlace>> OpenPlace(const Options& options, const std::string& project_folder,
                                             std::function<bool()> cancelled);

}  // namespace caudal
