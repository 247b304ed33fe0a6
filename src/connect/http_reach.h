// How an API is reached, as `client:` of a source says it.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "connect/http_auth.h"
#include "connect/http_client.h"
#include "connect/http_walk.h"
#include "connect/options.h"
#include "connect/source.h"

namespace caudal {

/// The client refers to the auth, hence their order.
struct HttpReach {
  HttpOptions http;
  HttpWalkRules rules;
  std::int64_t max_read_bytes = 0;
  std::unique_ptr<HttpAuth> auth;
  std::unique_ptr<HttpClient> client;

  /// For messages, origins and raw pages.
  std::string Public(const std::string& text) const;
};

/// `cancelled` may be empty; `tries`: of each request. Errors: kInvalidArgument, kPermission.
Result<HttpReach> MakeHttpReach(const SourceRequest& request, const Options& options, std::function<bool()> cancelled, int tries);

}  // namespace caudal
