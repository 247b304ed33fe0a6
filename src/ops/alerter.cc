#include "ops/alerter.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>

#include "base/json.h"
#include "ops/delivery.h"
#include "project/secret_file.h"
#include "state/schedule_store.h"

namespace caudal {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kEvery{500};
constexpr int kEventsAtOnce = 500;
constexpr int kMostInAMessage = 20;
constexpr seconds kLastChance{5};
constexpr std::chrono::hours kGiveUpAfter{72};

Result<std::map<std::string, std::string>> SecretsOf(const Project& project, const AlertChannel& channel) {
  std::map<std::string, std::string> values;
  if (channel.secrets.empty()) return values;
  TRY_ASSIGN(const SecretFile file, SecretFile::Read(project.folder));
  for (const auto& [option, name] : channel.secrets) {
    TRY_ASSIGN(values[option], file.Value(name, "channel " + channel.name, option));
  }
  return values;
}

}  // namespace

milliseconds BackOff(int tries) {
  constexpr seconds kWaits[] = {seconds(5), seconds(15), seconds(60), seconds(300), seconds(900), seconds(1800)};
  const auto most = static_cast<int>(std::size(kWaits)) - 1;
  return kWaits[std::clamp(tries, 0, most)];
}

void Alerter::Start() {
  x_thread = std::thread([this] {
    std::unique_lock lock(x_mutex);
    while (!x_stopped) {
      lock.unlock();
      Status looked = Look();
      if (looked) {
        auto sent = Send(false);
        if (!sent) looked = sent.error();
      }
      lock.lock();
      const std::string trouble = looked ? "" : looked.error().ToString();
      if (!trouble.empty() && trouble != x_trouble) x_around.log("alert.trouble", {{"error", trouble}});
      x_trouble = trouble;
      x_stopping.wait_for(lock, looked ? kEvery : 10 * kEvery, [this] { return x_stopped; });
    }
  });
}

void Alerter::Stop() {
  {
    const std::lock_guard lock(x_mutex);
    if (x_stopped || !x_thread.joinable()) return;
    x_stopped = true;
  }
  x_stopping.notify_all();
  x_thread.join();
  const auto until = std::chrono::steady_clock::now() + kLastChance;
  if (Look()) {
    while (std::chrono::steady_clock::now() < until) {
      const auto sending = Send(true);
      if (!sending || !*sending) break;
      std::this_thread::sleep_for(milliseconds(20));
    }
  }
  x_cancel = true;
  Reap(true);
}

Status Alerter::Look() {
  const auto project = x_around.project();
  if (!project) return {};
  AlertStore& store = x_around.state.alerts();
  TRY_ASSIGN(std::int64_t cursor, store.Cursor());
  for (;;) {
    TRY_ASSIGN(const auto events, x_around.state.Events(cursor, kEventsAtOnce));
    if (events.empty()) return {};
    std::map<std::string, Subject> subjects;
    std::vector<AlertRecord> alerts;
    for (const EventRecord& event : events) {
      cursor = event.sequence;
      const auto name = SubjectOf(*project, event);
      if (!name) continue;
      if (!subjects.contains(*name)) {
        TRY_ASSIGN(const std::string remembered, store.Subject(*name));
        subjects[*name] = remembered.empty() ? Subject{} : SubjectFromJson(remembered);
      }
      Happening happening{event, {}, {}};
      if (!event.run.empty()) {
        TRY_ASSIGN(happening.tasks, x_around.state.Tasks(event.run));
        TRY_ASSIGN(happening.checks, store.ChecksOf(event.run));
      }
      const auto telling = Tell(*project, happening, subjects[*name]);
      if (!telling) continue;
      for (const std::string& channel : telling->channels) {
        const Timestamp now = x_around.clock.Now();
        alerts.push_back(AlertRecord{0, channel, telling->alert.id, AlertToJson(telling->alert), now, 0, now, ""});
      }
    }
    std::map<std::string, std::string> remembered;
    for (const auto& [name, subject] : subjects) remembered[name] = SubjectToJson(subject);
    TRY(store.Advance(cursor, remembered, alerts));
  }
}

Result<bool> Alerter::Send(bool hurry) {
  Reap(false);
  const auto project = x_around.project();
  if (!project) return false;
  bool sending = false;
  const Timestamp now = x_around.clock.Now();
  for (const AlertChannel& channel : project->alerts.channels) {
    {
      const std::lock_guard lock(x_mutex);
      if (x_sending.contains(channel.name)) {
        sending = true;
        continue;
      }
      const auto last = x_last_sent.find(channel.name);
      if (!hurry && last != x_last_sent.end() && now >= last->second && now - last->second < channel.pause) continue;
    }
    TRY_ASSIGN(const auto waiting, x_around.state.alerts().Waiting(channel.name, now, kMostInAMessage));
    if (waiting.empty()) continue;
    sending = true;
    const std::lock_guard lock(x_mutex);
    x_last_sent[channel.name] = now;
    Sending& slot = x_sending[channel.name];
    // The channel is copied: a new release may leave it out while it is sent to.
    slot.thread = std::thread([this, project, channel, waiting, &slot] {
      SendTo(project, channel, waiting);
      slot.ended = true;
    });
  }
  return sending;
}

void Alerter::SendTo(const std::shared_ptr<const Project>& project, const AlertChannel& channel, const std::vector<AlertRecord>& waiting) {
  std::vector<std::int64_t> ids;
  std::vector<Alert> alerts;
  for (const AlertRecord& record : waiting) {
    ids.push_back(record.id);
    if (auto alert = AlertFromJson(record.body)) alerts.push_back(*std::move(alert));
  }
  AlertStore& store = x_around.state.alerts();
  const Timestamp now = x_around.clock.Now();
  Status sent = [&]() -> Status {
    TRY_ASSIGN(const auto secrets, SecretsOf(*project, channel));
    return Deliver(channel, secrets, alerts, now, x_cancel);
  }();
  Status kept;
  if (sent) {
    x_around.log("alert.sent", {{"channel", channel.name}, {"alerts", std::to_string(ids.size())}, {"title", AlertTitle(alerts)}});
    kept = store.Sent(ids, now);
  } else if (sent.error().kind == ErrorKind::kCancelled) {
    return;  // as if it had not been tried
  } else {
    const std::string why = sent.error().ToString();
    const milliseconds wait = BackOff(waiting.front().tries);
    const bool enough = now - waiting.front().created > kGiveUpAfter;
    x_around.log(enough ? "alert.given_up" : "alert.failed",
                 {{"channel", channel.name}, {"alerts", std::to_string(ids.size())}, {"again_in", enough ? "never" : FormatDuration(wait)}, {"error", why}});
    const EventRecord told{0, now, "alert.given_up", "", "", DumpJson(Json{{"channel", channel.name}, {"alerts", ids.size()}, {"error", why}})};
    kept = enough ? store.GiveUp(ids, why, told) : store.Postpone(ids, now + wait, why);
  }
  if (!kept) x_around.log("alert.trouble", {{"error", kept.error().ToString()}});
}

void Alerter::Reap(bool wait) {
  for (;;) {
    {
      const std::lock_guard lock(x_mutex);
      const auto found = std::find_if(x_sending.begin(), x_sending.end(), [&](const auto& entry) { return wait || entry.second.ended; });
      if (found == x_sending.end()) return;
      if (found->second.ended) {
        found->second.thread.join();
        x_sending.erase(found);
        continue;
      }
    }
    std::this_thread::sleep_for(milliseconds(10));
  }
}

Status SendTestAlert(const Project& project, const std::string& channel, Timestamp now) {
  std::vector<std::string> names;
  for (const AlertChannel& candidate : project.alerts.channels) {
    names.push_back(candidate.name);
    if (candidate.name != channel) continue;
    Alert alert;
    alert.id = fmt::format("{}-test-{}", project.name, MillisecondsOf(now));
    alert.words = {"test"};
    alert.project = project.name;
    alert.at = now;
    alert.title = project.name + ": a test of channel " + channel;
    alert.facts = {"nothing happened: somebody typed `caudal alerts test " + channel + "`"};
    TRY_ASSIGN(const auto secrets, SecretsOf(project, candidate));
    const std::atomic<bool> go{false};
    return Deliver(candidate, secrets, {alert}, now, go);
  }
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  return Error{ErrorKind::kNotFound, "no channel is called '" + channel + "'",
               names.empty() ? "write channels below `alerts:` in caudal.yaml" : "there is " + all, ""};
}

}  // namespace caudal
