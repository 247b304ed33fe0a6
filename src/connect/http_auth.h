// What proves to an API who asks: nothing, bearer, basic, API key, OAuth2 client credentials. Used by one thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "connect/http_client.h"
#include "connect/options.h"

namespace caudal {

class HttpAuth {
 public:
  virtual ~HttpAuth() = default;
  /// For the next request. Errors: those of asking for a token.
  virtual Result<std::map<std::string, std::string>> Headers() = 0;
  /// The URL as it is sent.
  virtual std::string Signed(const std::string& url) const { return url; }
  /// The server said 401 to these headers. True where new ones may be better.
  virtual bool Renews(const std::map<std::string, std::string>& /*refused*/) { return false; }
  /// What no message may hold, tokens included.
  virtual const std::vector<std::string>& secrets() const = 0;
};

/// `path`: where the words of `auth:` stand. `like`: time-outs and limits for asking for tokens; what is in its `headers`
/// and `auth` does not go to the token's server.
/// Errors: kInvalidArgument where a word is missing or a credential cannot stand in a header; kPermission where a secret
/// would go over plain http though the API itself is asked over https.
Result<std::unique_ptr<HttpAuth>> MakeHttpAuth(const Options& options, const std::string& path, const HttpOptions& like,
                                               const Clock& clock);

/// RFC 4648, section 4.
std::string Base64(std::string_view bytes);

}  // namespace caudal
