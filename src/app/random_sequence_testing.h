// One project folder with random models, and its life: loads, late rows, deletes, partial and failing runs, changed
// definitions. Sources are compared with what the test put there, models with their queries over all of it.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/engine_analyzer_testing.h"
#include "app/analysis_cache.h"
#include "app/dice_testing.h"
#include "app/forking_engine_testing.h"
#include "app/loose_models_testing.h"
#include "app/random_model_testing.h"
#include "app/random_source_testing.h"
#include "app/rebuild_comparison_testing.h"
#include "app/test_folder_testing.h"
#include "connect/source.h"
#include "flow/runner.h"

namespace caudal {

/// How tasks were done: a property that holds because everything is always rebuilt says nothing. Shared by processes.
struct BuildTally {
  std::atomic<int> partitions{0}, new_rows{0}, whole{0};
  std::atomic<int> closed{0};  // of all tasks: those that left a partition closed
};

/// Counts what was done; can stop the run when its n-th task starts.
class Watcher final : public RunObserver {
 public:
  Watcher(BuildTally& tally, std::optional<std::size_t> stop_at) : x_tally(tally), x_stop_at(stop_at) {}
  CancelFlag cancel{false};
  std::map<std::string, BuildWay> ways;  // of models that were looked at

  void OnRunQueued(const Error&) override {}
  void OnRunStarted(const RunRecord&, const std::vector<TaskRecord>&) override {}
  void OnTaskStarted(const TaskRecord&) override {
    if (x_stop_at && (*x_stop_at)-- == 0) cancel = true;
  }
  void OnTaskProgress(const std::string&, const JobProgress&) override {}
  void OnTaskEnded(const TaskRecord& task, const TaskOutcome& outcome) override {
    const bool done = task.status == TaskStatus::kSucceeded || task.status == TaskStatus::kUnchanged;
    if (!done || task.name.starts_with("in")) return;
    ways[task.name] = task.status == TaskStatus::kUnchanged ? BuildWay::kUnchanged
                      : outcome.partitions.empty()          ? BuildWay::kWhole
                                                            : BuildWay::kPartitions;
    if (outcome.note.find("closed") != std::string::npos) ++x_tally.closed;
    if (task.status == TaskStatus::kUnchanged) return;
    ++(!outcome.partitions.empty() ? x_tally.partitions : outcome.note.starts_with("new rows") ? x_tally.new_rows : x_tally.whole);
  }
  void OnTaskWaits(const TaskRecord&, const Error&, Timestamp) override {}
  void OnRunEnded(const RunRecord&, const std::vector<TaskRecord>&) override {}

 private:
  BuildTally& x_tally;
  std::optional<std::size_t> x_stop_at;
};

/// One project folder and its life.
class RandomSequence {
 public:
  /// The same seed gives the same life; of its steps, those in `left_out` are not taken.
  RandomSequence(std::uint64_t seed, const std::set<std::size_t>& left_out, Connection& connection, BuildTally& tally)
      : x_seed(seed), x_left_out(left_out), x_dice(seed), x_tally(tally) {
    std::filesystem::create_directories(x_folder + "/tmp");
    std::ofstream(x_folder + "/caudal.yaml") << "name: random\nlake: lake\ndefaults: {retries: []}\nlimits: {slots: 1}\n";
    x_engine = std::make_unique<ForkingEngine>(connection, x_folder + "/tmp");
    x_cache = MakeAnalysisCache(*x_engine, x_folder + "/analysis.json", "test");
    auto state = MakeSqliteStore(x_folder + "/state.db");
    auto store = MakeLocalStore(x_folder + "/lake");
    if (!state || !store) std::abort();
    x_state = std::move(*state);
    x_store = std::move(*store);
    for (std::size_t i = (x_dice.Chance(35) ? 2U : 1U); i > 0; --i) {
      x_sources.push_back(std::make_unique<RandomSource>(x_dice, x_last_id, x_folder, fmt::format("in{}", i)));
      x_relations.push_back({x_sources.back()->table(), false, false, true, true});
    }
    for (std::size_t i = x_dice.Below(2) + 2; i > 0; --i) {
      x_models.push_back(std::make_unique<RandomModel>(x_dice, x_relations, fmt::format("m{}", x_models.size() + 1)));
      x_relations.push_back(x_models.back()->Relation());
    }
    std::filesystem::create_directories(x_folder + "/loose");
    x_loose = std::make_unique<LooseModels>(*x_engine, *x_store, x_folder + "/loose", x_relations);
    WriteModels(nullptr);
  }
  ~RandomSequence() {
    x_cache.reset();  // it writes a file
  }

  void Live() {
    Take(0, [this] { RunEverything("first run"); }, 80);
    for (std::size_t i = 1; i <= kSteps && Fine(); ++i) Take(i, [this] { Step(); }, 75);
    if (!Fine()) return;
    RunEverything("last run");
    if (Fine()) Take(kSteps + 1, [this] { RunAgain(); }, 50);
  }
  static constexpr std::size_t kSteps = 4;

  /// What was found wrong; empty: nothing.
  const std::vector<std::string>& failures() const { return x_failures; }

  std::string Story() const {
    std::string story;
    for (const auto& model : x_models) {
      story += "  " + model->table() + " " + model->Words() + "\n    " + model->Sql(x_relations) + "\n";
    }
    for (const std::string& line : x_story) story += "  - " + line + "\n";
    return story;
  }

 private:
  bool Fine() const { return x_failures.empty(); }
  void Fail(const std::string& text) { x_failures.push_back(text); }
  void FailUnless(const Status& status) {
    if (!status) Fail(status.error().ToString());
  }

  /// Each step has dice of its own: without another one it does the same.
  template <typename Does>
  void Take(std::size_t step, Does does, std::size_t chance) {
    x_dice.Reseed(x_seed * 64 + step + 1);
    if (x_dice.Chance(chance) && !x_left_out.contains(step)) does();
  }

  /// Files of all models; `failing` with a check that fails.
  void WriteModels(const RandomModel* failing) {
    for (std::size_t i = 0; i < x_models.size(); ++i) x_relations[x_sources.size() + i] = x_models[i]->Relation();
    for (const auto& model : x_models) model->Write(x_folder, x_relations, model.get() == failing);
  }

  void Step() {
    std::size_t chance = x_dice.Below(100);
    if (chance < 65) {
      const auto& source = x_dice.Of(x_sources);
      x_story.push_back(source->table() + ": " + source->Change());
      if (chance < 45) RunEverything("run of everything");
    } else if (chance < 71) {
      RunSome();
    } else if (chance < 77) {
      Backfill();
    } else if (chance < 83) {
      RunWithFailingCheck();
    } else if (chance < 90) {
      RunToItsDeath();
    } else if (chance < 93) {
      x_story.push_back("stopped run");
      Watcher watcher(x_tally, x_dice.Below(x_models.size() + 1));
      Start({}, watcher);
    } else {
      x_story.push_back(x_dice.Of(x_models)->Change());
      WriteModels(nullptr);
    }
  }

  void RunSome() {
    const std::string& table = x_dice.Of(x_relations).table;
    std::string selector = x_dice.Of(std::vector<std::string>{"", "+", "@"}) + table;
    if (selector[0] != '@' && x_dice.Chance(40)) selector += "+";
    RunRequest request;
    request.select = {selector};
    request.full_refresh = x_dice.Chance(10);
    x_story.push_back("run -s " + selector + (request.full_refresh ? " --full-refresh" : ""));
    Watcher watcher(x_tally, std::nullopt);
    Start(request, watcher);
  }

  void Backfill() {
    RunRequest request;
    const auto& model = x_dice.Of(x_models);
    if (!model->by_partition()) return RunSome();
    request.select = {model->table()};
    std::int64_t from = x_dice.Between(1, 4);
    request.interval.emplace(fmt::format("2010-12-{:02}", from), fmt::format("2010-12-{:02}", x_dice.Between(from + 1, 6)));
    x_story.push_back("backfill " + request.select[0] + " from " + request.interval->first + " to " + request.interval->second);
    Watcher watcher(x_tally, std::nullopt);
    Start(request, watcher);
  }

  void RunWithFailingCheck() {
    if (x_dice.Chance(30)) {
      const auto& source = x_dice.Of(x_sources);
      x_story.push_back("run with a failing check of " + source->table());
      source->WriteYaml(true);
      Watcher watcher(x_tally, std::nullopt);
      Start({}, watcher);
      source->WriteYaml(false);
    } else {
      const auto& model = x_dice.Of(x_models);
      x_story.push_back("run with a failing check of " + model->table());
      WriteModels(model.get());
      Watcher watcher(x_tally, std::nullopt);
      Start({}, watcher);
      WriteModels(nullptr);
    }
    MaybeRetry();
  }

  void RunToItsDeath() {
    int jobs = static_cast<int>(x_dice.Below(2 * x_models.size() + 2));
    x_story.push_back(fmt::format("run whose worker dies after {} jobs", jobs));
    Watcher watcher(x_tally, std::nullopt);
    x_jobs_to_live = jobs;
    Start({}, watcher);
    MaybeRetry();
  }

  void MaybeRetry() {
    if (!x_dice.Chance(50) || !Fine()) return;
    x_story.push_back("retry");
    auto workspace = Open();
    if (!workspace) return;
    Watcher watcher(x_tally, std::nullopt);
    Timestamp now = SystemClock().Now();
    auto report = RetryRun(*workspace, "", {}, watcher, watcher.cancel);
    if (!report && report.error().kind == ErrorKind::kNotFound) return;  // nothing had failed
    if (!report) return Fail(report.error().ToString());
    Note(*report, watcher, now);
  }

  void RunEverything(const std::string& name) {
    x_story.push_back(name);
    Watcher watcher(x_tally, std::nullopt);
    auto report = Start({}, watcher);
    if (!report) return;
    for (const TaskRecord& task : report->tasks) {
      if (!task.error.empty()) Fail(task.name + ": " + task.error);
    }
    if (Fine() && report->run.status != RunStatus::kSucceeded) Fail("the run did not succeed");
    if (Fine()) FailUnless(Compare());
  }

  /// Nothing is new: nothing is done.
  void RunAgain() {
    x_story.push_back("run with nothing new");
    Watcher watcher(x_tally, std::nullopt);
    auto report = Start({}, watcher);
    if (!report) return;
    for (const TaskRecord& task : report->tasks) {
      if (task.status != TaskStatus::kUnchanged) Fail(task.name + " was built again: " + task.note + task.error);
    }
  }

  /// The project as it is now. Null where it has mistakes.
  std::unique_ptr<Workspace> Open() {
    EngineAnalyzer analyzer(*x_cache);
    LoadOptions options;
    options.folder = x_folder;
    options.connectors = &x_connectors;
    options.analyzer = &analyzer;
    for (const auto& source : x_sources) {
      auto latest = Table(*x_store, PrefixOf(source->table()), SystemClock()).Latest();
      if (latest) options.published[source->table()] = (*latest)->schema;
    }
    LoadOutcome outcome = LoadProject(options);
    for (const Problem& problem : outcome.problems) {
      if (!problem.warning) Fail(problem.ToString());
    }
    x_project = outcome.project;
    if (!x_project) return nullptr;
    return std::make_unique<Workspace>(Workspace{*x_project, *x_store, *x_cache, *x_state, SystemClock(), x_connectors,
                                                 x_folder + "/lake", x_folder + "/lake/.staging"});
  }

  std::optional<RunReport> Start(const RunRequest& request, Watcher& watcher) {
    auto workspace = Open();
    if (!workspace) return std::nullopt;
    Timestamp now = SystemClock().Now();
    if (x_jobs_to_live) x_engine->DieAfter(*std::exchange(x_jobs_to_live, std::nullopt));
    auto report = StartRun(*workspace, request, watcher, watcher.cancel);
    x_engine->LiveOn();
    if (!report) {
      Fail(report.error().ToString());
      return std::nullopt;
    }
    Note(*report, watcher, now);
    return *report;
  }

  /// What the sources' tables must hold from here on; and no task may fail for a reason that the test did not give.
  void Note(const RunReport& report, const Watcher& watcher, Timestamp since) {
    auto request = RunRequestFromJson(report.run.command);
    bool anew = request && request->full_refresh;
    for (const TaskRecord& task : report.tasks) {
      if (!task.ended || *task.ended < since) continue;  // done before this was a retry
      bool done = task.status == TaskStatus::kSucceeded || task.status == TaskStatus::kUnchanged;
      for (const auto& source : x_sources) {
        if (done && source->table() == task.name) source->Loaded(anew);
      }
      if (task.error.empty()) continue;
      bool expected = task.error_kind == KindName(ErrorKind::kNotFound) || task.error_kind == KindName(ErrorKind::kCheckFailed) ||
                      task.error_kind == KindName(ErrorKind::kCancelled) || task.error_kind == KindName(ErrorKind::kUnavailable);
      expected = expected || (request && request->interval && task.error.find("cannot be backfilled") != std::string::npos);
      if (!expected) Fail(task.name + ": " + task.error_kind + ": " + task.error);
    }
    for (const auto& model : x_models) {
      auto way = watcher.ways.find(model->table());
      if (way == watcher.ways.end() || !model->is_loose() || !Fine()) continue;
      auto wrong = x_loose->After(*model, way->second, x_models);
      if (!wrong) Fail(wrong.error().ToString());
      if (wrong && !wrong->empty()) Fail(*wrong);
    }
  }

  Status Compare() {
    RebuildComparison comparison(*x_engine, *x_store, x_folder + "/lake", x_relations);
    for (const auto& source : x_sources) TRY(comparison.Add(*source));
    for (const auto& model : x_models) TRY(comparison.Add(*model));
    TRY_ASSIGN(const std::vector<std::string> differences, comparison.Differences());
    for (const std::string& difference : differences) Fail(difference);
    return {};
  }

  const std::uint64_t x_seed;
  const std::set<std::size_t> x_left_out;
  Dice x_dice;
  BuildTally& x_tally;
  std::vector<std::string> x_failures;
  const TestFolder x_test_folder;
  const std::string& x_folder = x_test_folder.path();
  std::unique_ptr<ForkingEngine> x_engine;
  std::unique_ptr<LooseModels> x_loose;
  std::optional<int> x_jobs_to_live;  // of the next run's worker
  std::unique_ptr<Engine> x_cache;
  std::unique_ptr<StateStore> x_state;
  std::unique_ptr<ObjectStore> x_store;
  const std::vector<ConnectorSpec> x_connectors = BuiltinRegistry().Specs();
  std::int64_t x_last_id = 0;
  std::vector<std::unique_ptr<RandomSource>> x_sources;
  std::vector<std::unique_ptr<RandomModel>> x_models;
  std::vector<RandomRelation> x_relations;  // sources, then models
  std::shared_ptr<const Project> x_project;
  std::vector<std::string> x_story;
};

}  // namespace caudal
