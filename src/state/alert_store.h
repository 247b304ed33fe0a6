// The outbox of messages to people: an event is looked at once, a message is kept until its channel took it. Thread-safe.
// Part of a StateStore.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "state/state_store.h"

namespace caudal {

struct AlertRecord {
  std::int64_t id = 0;  // given by the store
  std::string channel;
  std::string key;   // one message of this key goes to a channel
  std::string body;  // JSON
  Timestamp created;
  int tries = 0;
  Timestamp next_try;
  std::string error;  // of the last try
};

class AlertStore {
 public:
  virtual ~AlertStore() = default;
  /// Sequence of the last event that was looked at. Asked for the first time: of the newest there is, so that nobody is
  /// told of the past.
  virtual Result<std::int64_t> Cursor() = 0;
  /// What is remembered of a pipeline: JSON, "" = nothing.
  virtual Result<std::string> Subject(const std::string& name) const = 0;
  /// In one transaction: events up to `cursor` are looked at, subjects are remembered, alerts wait to be sent.
  virtual Status Advance(std::int64_t cursor, const std::map<std::string, std::string>& subjects, const std::vector<AlertRecord>& alerts) = 0;

  /// What is to be sent to the channel now, oldest first: nothing while one of its messages is to wait, so that none overtakes.
  virtual Result<std::vector<AlertRecord>> Waiting(const std::string& channel, Timestamp now, int limit) const = 0;
  virtual Status Sent(const std::vector<std::int64_t>& ids, Timestamp at) = 0;
  virtual Status Postpone(const std::vector<std::int64_t>& ids, Timestamp next_try, const std::string& error) = 0;
  virtual Status GiveUp(const std::vector<std::int64_t>& ids, const std::string& error, const EventRecord& told) = 0;

  /// Every verdict of a run, in the order in which it was given.
  virtual Result<std::vector<CheckRecord>> ChecksOf(const std::string& run) const = 0;
};

}  // namespace caudal
