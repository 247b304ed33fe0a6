// Questions of those who look at what ran: by page, by pipeline, by table. Read-only, thread-safe. Part of a StateStore.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "state/alert_store.h"
#include "state/state_store.h"

namespace caudal {

struct RunFilter {
  std::string pipeline;  // "" = all
  std::optional<RunStatus> status;
  std::string cursor;    // RunPage::next of the page before; "" = the newest
  int limit = 50;
};
struct RunPage {
  std::vector<RunRecord> runs;  // newest first
  std::string next;             // "" = that was all
};

/// A message to people, whatever became of it.
struct MessageRecord {
  AlertRecord alert;
  std::string status;  // waiting, sent, given up
  std::optional<Timestamp> ended;
};

class HistoryStore {
 public:
  virtual ~HistoryStore() = default;
  /// Errors: kInvalidArgument for a cursor that nobody gave.
  virtual Result<RunPage> Runs(const RunFilter& filter) const = 0;
  /// Run -> name of a status -> so many tasks.
  virtual Result<std::map<std::string, std::map<std::string, int>>> TaskCounts(const std::vector<std::string>& runs) const = 0;
  /// Pipeline -> its newest run.
  virtual Result<std::map<std::string, RunRecord>> LastRuns() const = 0;
  /// Name of a status -> so many runs that began at `since` or later.
  virtual Result<std::map<std::string, int>> RunsSince(Timestamp since) const = 0;
  /// Newest first, those of a run that have begun or ended.
  virtual Result<std::vector<TaskRecord>> TasksOf(const std::string& table, int limit) const = 0;
  /// The newest verdict of each check of the table, in the order in which they were given.
  virtual Result<std::vector<CheckRecord>> LastVerdicts(const std::string& table) const = 0;
  /// Sequence of the newest event, 0 where there is none.
  virtual Result<std::int64_t> NewestEvent() const = 0;

  /// Newest first; only ids below `before`, 0 = all.
  virtual Result<std::vector<MessageRecord>> Messages(std::int64_t before, int limit) const = 0;
  /// Channel -> messages that wait.
  virtual Result<std::map<std::string, int>> MessagesWaiting() const = 0;
  /// Pipeline, "" = the project -> what is remembered of it, as AlertStore::Subject gives it.
  virtual Result<std::map<std::string, std::string>> Subjects() const = 0;
};

}  // namespace caudal
