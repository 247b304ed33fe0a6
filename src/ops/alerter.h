// Tells people: reads the events of the state store from where it stopped, puts messages into the outbox, and gives them to
// the channels. A channel that is down is asked again later and holds up nothing. Thread-safe.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "ops/alert_story.h"
#include "state/alert_store.h"

namespace caudal {

class Alerter {
 public:
  struct Surroundings {
    StateStore& state;
    const Clock& clock;
    /// The project as it is now; null = not yet.
    std::function<std::shared_ptr<const Project>()> project;
    /// "alert.sent", and what is worth knowing of it.
    std::function<void(const std::string&, std::vector<std::pair<std::string, std::string>>)> log;
  };
  explicit Alerter(Surroundings surroundings) : x_around(std::move(surroundings)) {}
  ~Alerter() { Stop(); }

  /// Looks and sends on a thread of its own until Stop.
  void Start();
  /// Looks once more, and gives what waits a last chance of a few seconds; the rest waits for the next start.
  void Stop();

  /// One look: events become messages. Errors: of the state store.
  Status Look();
  /// Sends what is due to channels that are free. True: something is being sent.
  Result<bool> Send(bool hurry);

 private:
  struct Sending {
    std::thread thread;
    std::atomic<bool> ended{false};
  };
  void SendTo(const std::shared_ptr<const Project>& project, const AlertChannel& channel, const std::vector<AlertRecord>& waiting);
  void Reap(bool wait);

  Surroundings x_around;
  std::atomic<bool> x_cancel{false};
  std::mutex x_mutex;  // guards what follows
  std::condition_variable x_stopping;
  bool x_stopped = false;
  std::map<std::string, Sending> x_sending;     // by channel
  std::map<std::string, Timestamp> x_last_sent;  // by channel
  std::string x_trouble;
  std::thread x_thread;
};

/// How long a message waits after so many failed tries.
std::chrono::milliseconds BackOff(int tries);

/// Sends one test message now. Errors: kNotFound naming the channels, those of Deliver and of secrets.
Status SendTestAlert(const Project& project, const std::string& channel, Timestamp now);

}  // namespace caudal
