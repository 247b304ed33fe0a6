#include "store/s3_lease.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <random>
#include <thread>

#include "base/ids.h"

namespace caudal {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

constexpr std::chrono::milliseconds kFirstPause{20};
constexpr std::chrono::milliseconds kLongestPause{500};
constexpr std::chrono::seconds kGrain{2};  // both times have whole seconds

std::string HostName() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "somewhere";
}

/// Held until it dies.
class Lease {
 public:
  Lease(S3Client& client, std::string key, std::string text, std::string etag, SteadyTime taken)
      : x_client(client), x_key(std::move(key)), x_text(std::move(text)), x_etag(std::move(etag)), x_good_until(taken + Length()) {
    x_renewing = std::thread([this] { Renew(); });
  }

  ~Lease() {
    {
      std::lock_guard lock(x_mutex);
      x_done = true;
    }
    x_changed.notify_all();
    x_renewing.join();
    // A lease that may have gone to somebody else is not ours to remove.
    if (!x_lost && std::chrono::steady_clock::now() < x_good_until) (void)x_client.Send({"DELETE", x_key});
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

 private:
  std::chrono::seconds Length() const { return x_client.options().lease; }

  void Renew() {
    std::unique_lock lock(x_mutex);
    while (!x_changed.wait_for(lock, std::chrono::milliseconds(Length()) / 3, [&] { return x_done; })) {
      lock.unlock();
      const SteadyTime before = std::chrono::steady_clock::now();
      const S3Outcome outcome = x_client.Send({"PUT", x_key, {}, {{"if-match", x_etag}}, x_text});
      lock.lock();
      if (!outcome.answered) continue;  // the next round tries again
      if (outcome.reply.status >= 300) {
        x_lost = true;
        return;
      }
      x_etag = outcome.reply.Header("etag");
      x_good_until = before + Length();
    }
  }

  S3Client& x_client;
  const std::string x_key;
  const std::string x_text;
  std::string x_etag;  // the renewing thread's
  std::mutex x_mutex;
  std::condition_variable x_changed;
  bool x_done = false;  // guarded by x_mutex
  bool x_lost = false;  // the renewing thread's, until it is joined
  SteadyTime x_good_until;
  std::thread x_renewing;  // last: it uses all above
};

struct Seen {
  std::string etag;
  std::string text;
  bool expired = false;
  std::string holder() const { return text.substr(0, text.find('\n')); }
};

/// What lies there now; an empty etag where nothing does.
Result<Seen> Look(S3Client& client, const std::string& key) {
  const S3Outcome outcome = client.Send({"GET", key});
  if (outcome.answered && outcome.reply.status == 404 && outcome.code != "NoSuchBucket") return Seen{};
  if (!outcome.answered || outcome.reply.status >= 300) return S3ErrorOf(outcome, "cannot look at the lock " + key, client.options());
  Seen seen{outcome.reply.Header("etag"), outcome.reply.body, false};
  const std::time_t written = curl_getdate(outcome.reply.Header("last-modified").c_str(), nullptr);
  const std::time_t now = curl_getdate(outcome.reply.Header("date").c_str(), nullptr);
  seen.expired = written > 0 && now > 0 && now - written > (client.options().lease + kGrain).count();
  return seen;
}

}  // namespace

Result<std::shared_ptr<void>> AcquireLease(S3Client& client, const std::string& key, std::chrono::milliseconds wait) {
  const SteadyTime give_up = std::chrono::steady_clock::now() + wait;
  const std::string text = fmt::format("process {} on {}\n{}\n", ::getpid(), HostName(), NewToken());
  std::chrono::milliseconds pause = kFirstPause;
  std::minstd_rand random(std::random_device{}());
  std::map<std::string, std::string> condition{{"if-none-match", "*"}};
  for (;;) {
    const SteadyTime before = std::chrono::steady_clock::now();
    const S3Outcome put = client.Send({"PUT", key, {}, condition, text});
    if (put.answered && put.reply.status < 300) {
      return std::shared_ptr<void>(std::make_shared<Lease>(client, key, text, put.reply.Header("etag"), before));
    }
    const bool taken = put.answered && (put.reply.status == 412 || put.reply.status == 409 || put.reply.status == 404) && put.code != "NoSuchBucket";
    if (!taken && !put.unclear) return S3ErrorOf(put, "cannot take the lock " + key, client.options());
    TRY_ASSIGN(const Seen seen, Look(client, key));
    condition = {{"if-none-match", "*"}};
    if (seen.text == text) {  // ours: only the answer was lost
      return std::shared_ptr<void>(std::make_shared<Lease>(client, key, text, seen.etag, before));
    }
    if (seen.etag.empty()) {
      // Freed meanwhile: at once again.
    } else if (seen.expired) {
      condition = {{"if-match", seen.etag}};
    } else {
      const SteadyTime now = std::chrono::steady_clock::now();
      if (now >= give_up) {
        return Error{ErrorKind::kConflict, fmt::format("{} holds the lock {} for more than {}", seen.holder(), key, FormatDuration(wait)),
                     "wait until it is done, or end it; the lock of one that died is free after " + FormatDuration(client.options().lease), ""};
      }
      const auto jittered = std::chrono::milliseconds(std::uniform_int_distribution<std::int64_t>(pause.count() / 2, pause.count())(random));
      std::this_thread::sleep_for(std::min<std::chrono::milliseconds>(
          jittered, std::chrono::duration_cast<std::chrono::milliseconds>(give_up - now) + std::chrono::milliseconds(1)));
      pause = std::min(pause * 2, kLongestPause);
      continue;
    }
    if (std::chrono::steady_clock::now() >= give_up + client.options().lease) {
      return Error{ErrorKind::kConflict, "the lock " + key + " changes hands faster than it can be taken", "try again", ""};
    }
  }
}

}  // namespace caudal
