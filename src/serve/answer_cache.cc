#include "serve/answer_cache.h"

#include "serve/route.h"

namespace caudal {
namespace {

constexpr std::chrono::seconds kGoodFor{1};
constexpr std::size_t kMostAnswers = 64;
constexpr std::size_t kMostBytes = std::size_t{1} << 20;  // of one

bool Same(const AnswerGround& kept, const AnswerGround& ground) {
  return kept.changes == ground.changes && kept.workspace == ground.workspace && kept.waiting == ground.waiting && ground.now >= kept.now &&
         ground.now - kept.now < kGoodFor;
}

}  // namespace

Result<AnswerGround> GroundNow(const Served& served) {
  AnswerGround ground;
  TRY_ASSIGN(ground.changes, served.state.Changes());
  ground.workspace = served.daemon.workspace();
  for (const AskedRun& asked : served.daemon.Asked()) ground.waiting += asked.run + " ";
  if (const auto broken = served.daemon.broken()) ground.waiting += broken->message;
  ground.now = served.clock.Now();
  return ground;
}

std::optional<HttpResponse> AnswerCache::Find(const std::string& asked, const AnswerGround& ground) const {
  const std::lock_guard lock(x_mutex);
  if (!Same(x_ground, ground)) return std::nullopt;
  const auto it = x_answers.find(asked);
  return it == x_answers.end() ? std::nullopt : std::optional(it->second);
}

void AnswerCache::Keep(const std::string& asked, const AnswerGround& ground, const HttpResponse& response) {
  if (response.status != 200 || response.stream || response.body.size() > kMostBytes) return;
  const std::lock_guard lock(x_mutex);
  if (!Same(x_ground, ground)) {
    x_ground = ground;
    x_answers.clear();
  }
  if (x_answers.size() < kMostAnswers) x_answers.emplace(asked, response);
}

}  // namespace caudal
