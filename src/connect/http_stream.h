// The pages of one stream, below those of its parents where it has some. Bounded memory: of each level one page of records
// is held, and as many children are asked at once as there are lanes. Used by one thread.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json_fwd.h"
#include "base/result.h"
#include "connect/http_endpoint.h"
#include "connect/http_page.h"
#include "connect/http_reach.h"
#include "connect/http_walk.h"

namespace caudal {

/// A page as the reader of a stream gets it.
struct HttpStreamPage {
  HttpRequest request;
  HttpAnswer answer;
  HttpPage page;
  std::string members;  // what each record gets besides: the inside of a JSON object
  bool last = false;    // of its walk
};

struct HttpStreamOptions {
  std::string name;
  std::string options;         // of the stream, JSON; `parents` in it are those of the streams above
  const Options* client = nullptr;  // of the source: its paginator is the default; outlives the stream
  std::string cursor;          // JSON object, or ""
  bool needs_records = false;  // for the streams below
  Timestamp now{};
};

class HttpStream {
 public:
  /// `reach` outlives the stream. Errors: kInvalidArgument, kPermission.
  static Result<std::unique_ptr<HttpStream>> Make(HttpReach& reach, const HttpStreamOptions& options);
  virtual ~HttpStream() = default;

  /// The first request, without the paginator's part; for a stream with a parent, the parent's.
  virtual const HttpRequest& first() const = 0;
  virtual bool has_parent() const = 0;
  /// The next page; nothing after the last. `condition`: headers for the very first request of a stream without parent.
  virtual Result<std::optional<HttpStreamPage>> Next(const std::map<std::string, std::string>& condition) = 0;
  /// `cursor` with the values that the records moved, of this stream and of those above.
  virtual void Remember(Json& cursor) const = 0;
  virtual const HttpPageReader& reader() const = 0;
  virtual std::vector<std::string> notes() const = 0;
};

}  // namespace caudal
