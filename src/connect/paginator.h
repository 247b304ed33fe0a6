// Which page comes after this one. Words: dlt's REST paginators. Used by one thread, for one read.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json_fwd.h"
#include "base/result.h"
#include "connect/http_client.h"
#include "connect/options.h"

namespace caudal {

struct PageSeen {
  const HttpAnswer* answer = nullptr;
  const Json* body = nullptr;  // null where the body is no JSON
  std::int64_t records = 0;
  bool flat = true;  // they are one array: `records` is what the server counts
};

class Paginator {
 public:
  virtual ~Paginator() = default;
  /// The first request, from the stream's own.
  virtual HttpRequest First(const HttpRequest& request) = 0;
  /// The next page's; nothing after the last. Errors: kInvalidArgument where the answer leads nowhere; kUnavailable where
  /// the records moved while they were read, so that one may be missing.
  virtual Result<std::optional<HttpRequest>> Next(const HttpRequest& request, const PageSeen& page) = 0;
  /// After Next: up to `most` requests that will follow the one it gave, if the pages hold what they promise.
  virtual std::vector<HttpRequest> Ahead(std::size_t /*most*/) { return {}; }
  /// What the log should know: the number of records grew.
  virtual std::vector<std::string> notes() const { return {}; }
};

/// `path`: where the paginator's options stand. Errors: kInvalidArgument where an option is missing, or nothing would end it.
Result<std::unique_ptr<Paginator>> MakePaginator(const Options& options, const std::string& path);

/// `request` with `value` at a dotted path of its JSON body.
HttpRequest WithMember(HttpRequest request, const std::string& path, const Json& value);

/// The value at a dotted path, or nullptr.
const Json* AtPath(const Json& json, const std::string& path);

/// Values at the selector, as the JSON splitter gives them; nullopt where there is nothing at it.
std::optional<std::vector<const Json*>> SelectRecords(const Json& body, const std::vector<std::string>& selector);

/// Where the records probably are, in a body for which nobody said it.
std::vector<std::string> GuessSelector(const Json& body);

}  // namespace caudal
