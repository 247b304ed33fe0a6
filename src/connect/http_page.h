// One page of an API understood: of which kind it is, its records, and what is no data at all. No I/O.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json_fwd.h"
#include "base/result.h"
#include "connect/http_client.h"
#include "connect/http_endpoint.h"

namespace caudal {

struct HttpPage {
  std::shared_ptr<const Json> body;  // null where it is no JSON; shared: the parents' pages live as long as their records
  std::vector<const Json*> records;  // into `body`; empty where nobody needs them
  std::int64_t count = 0;
};

/// The first page decides of which kind all are, and where the records stand.
class HttpPageReader {
 public:
  /// `needs_records`: for a cursor, or for the streams below. `child`: most pages are small or empty, so that a guess
  /// from an empty one is none.
  HttpPageReader(const HttpEndpoint& endpoint, bool needs_records, bool child);

  /// Errors: kPermission for a web page, as for a login; kCorruption for what is no JSON, or of another kind than before;
  /// kInvalidArgument where the selector finds nothing.
  Result<HttpPage> Read(const HttpAnswer& answer);
  /// json, ndjson or csv; "" before the first page.
  const std::string& kind() const { return x_kind; }
  const std::vector<std::string>& selector() const { return x_selector; }
  /// The records are one array.
  bool flat() const;

 private:
  Result<HttpPage> ReadJson(const HttpAnswer& answer, const std::string& place);
  Result<HttpPage> ReadLines(const HttpAnswer& answer, const std::string& place) const;

  std::string x_asked;
  bool x_needs_records;
  bool x_child;
  std::string x_kind;
  bool x_has_selector = false;
  std::vector<std::string> x_selector;
};

}  // namespace caudal
