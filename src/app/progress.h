// What a run tells while it runs: live lines on a terminal, plain lines in a pipe, NDJSON for programs. Every one of them
// also remembers how each task ended, for the summary. docs/cli.md.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/console.h"
#include "flow/runner.h"

namespace caudal {

class RunWatcher : public RunObserver {
 public:
  /// How each task of this command ended; tasks that an earlier attempt of the run had done are not there.
  struct Ended {
    TaskRecord task;
    TaskOutcome outcome;
  };
  const std::map<std::string, Ended>& ended() const { return x_ended; }

  void OnRunStarted(const RunRecord& run, const std::vector<TaskRecord>& tasks) override;
  void OnTaskEnded(const TaskRecord& task, const TaskOutcome& outcome) override;

 protected:
  /// "3 of 9", as wide as "9 of 9".
  std::string Ordinal(const std::string& table) const;

 private:
  std::map<std::string, std::size_t> x_ordinals;
  std::map<std::string, Ended> x_ended;
};

/// `verbose`: checks that passed are told, too. `console` outlives it.
std::unique_ptr<RunWatcher> MakeRunWatcher(const Console& console, bool verbose);

/// What a task did: "42,481 rows  1.2 MB  0.8 s  peak 210 MB".
std::string TaskFigures(const TaskRecord& task, const TaskOutcome& outcome);

}  // namespace caudal
