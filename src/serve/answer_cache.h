// Answers that were given a moment ago: good while nothing that they tell of has changed, and for a second at most, since
// they tell of the time, too. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "serve/http_message.h"

namespace caudal {

struct Served;
struct Workspace;

/// What an answer stands on.
struct AnswerGround {
  std::int64_t changes = 0;  // StateStore::Changes
  std::shared_ptr<const Workspace> workspace;
  std::string waiting;  // runs that were asked for and have not begun, and what is wrong with the project
  Timestamp now;
};
Result<AnswerGround> GroundNow(const Served& served);

class AnswerCache {
 public:
  std::optional<HttpResponse> Find(const std::string& asked, const AnswerGround& ground) const;
  /// Answers that are too large, or not 200, are not kept.
  void Keep(const std::string& asked, const AnswerGround& ground, const HttpResponse& response);

 private:
  mutable std::mutex x_mutex;
  AnswerGround x_ground;  // of all that is kept
  std::map<std::string, HttpResponse> x_answers;
};

}  // namespace caudal
