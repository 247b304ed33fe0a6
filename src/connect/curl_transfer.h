// One transfer by libcurl at a time, over connections that are kept: what the places behind ftp:// and http:// have in
// common. Used by one thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "connect/place_url.h"

namespace caudal {

struct CurlRequest {
  std::string url;  // whole, encoded
  bool head = false;         // facts alone
  std::string command;       // FTP: instead of LIST
  std::vector<std::string> after;  // FTP: commands before anything else, nothing is transferred
  std::int64_t from = 0;
  std::int64_t at_most = 0;  // 0 = all
};

struct CurlReply {
  int status = 0;                  // HTTP's, or FTP's last
  std::int64_t size_bytes = -1;    // of the file, where a head tells
  std::int64_t modified_us = 0;    // 0 = it does not say
  std::map<std::string, std::string> headers;  // HTTP; names in lower case
  std::string said;                // FTP: the last line of the server
  std::string entry;               // FTP: the folder that one logs in to
};

class CurlTransfer {
 public:
  /// `schemes` is what libcurl may speak: "ftp,ftps".
  static Result<std::unique_ptr<CurlTransfer>> Make(PlaceUrl url, PlaceAccess access, std::string schemes);
  virtual ~CurlTransfer() = default;
  /// Gives the bytes to `take` as they come. HTTP: any status is a reply. Errors: those of `take`; kUnavailable, kTimeout,
  /// kPermission (log in, certificate), kNotFound, kCancelled.
  virtual Result<CurlReply> Run(const CurlRequest& request, const TakeBytes& take) = 0;
};

/// `path` with all that a URL's path cannot hold as %XX; '/' stays.
std::string EncodedPath(std::string_view path);

}  // namespace caudal
