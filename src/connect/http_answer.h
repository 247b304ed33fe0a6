// What an answer means: data, a later try, or an error. No I/O.
#pragma once

#include <chrono>

#include "base/clock.h"
#include "connect/http_client.h"

namespace caudal {

/// Whether another try may cure an error, and when.
struct HttpAgain {
  bool again = false;
  bool busy = false;  // the server asked for patience: this is no failed try
  std::chrono::milliseconds wait{-1};  // what the server asked for; below 0 = nothing
};

/// The answer, where it is one that a caller may use; `now` is for a Retry-After that is a date.
Result<HttpAnswer> JudgeAnswer(HttpAnswer answer, Timestamp now, HttpAgain& again);

/// Replaces a compressed body by the plain one. Errors: kCorruption where it is broken, cut or expands beyond `max_bytes`;
/// kUnsupported for a compression that nobody asked for.
Status DecodeBody(HttpAnswer& answer, std::int64_t max_bytes);

/// The pause before try `attempt` + 1, from 1.
std::chrono::milliseconds PauseBefore(int attempt, const HttpAgain& again);

}  // namespace caudal
