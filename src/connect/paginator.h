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
};

class Paginator {
 public:
  virtual ~Paginator() = default;
  /// The first request's URL, from the stream's own.
  virtual std::string First(const std::string& url) = 0;
  /// The next page's URL; nothing after the last.
  virtual Result<std::optional<std::string>> Next(const std::string& url, const PageSeen& page) = 0;
};

/// `path`: where the paginator's options stand. Errors: kInvalidArgument where an option is missing.
Result<std::unique_ptr<Paginator>> MakePaginator(const Options& options, const std::string& path);

/// The value at a dotted path, or nullptr.
const Json* AtPath(const Json& json, const std::string& path);

/// Values at the selector, as the JSON splitter gives them; nullopt where there is nothing at it.
std::optional<std::vector<const Json*>> SelectRecords(const Json& body, const std::vector<std::string>& selector);

/// Where the records probably are, in a body for which nobody said it.
std::vector<std::string> GuessSelector(const Json& body);

}  // namespace caudal
