// A small project in a folder of its own, run with forks instead of workers.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/engine_analyzer_testing.h"
#include "app/forking_engine_testing.h"
#include "app/test_folder_testing.h"
#include "connect/source.h"
#include "flow/inspect.h"
#include "flow/runner.h"
#include "state/sqlite.h"

namespace caudal {

class SmallProject : public ::testing::Test {
 protected:
  SmallProject() {
    std::filesystem::create_directories(x_folder + "/tmp");
    File("caudal.yaml", "name: small\nlake: lake\ndefaults: {retries: []}\nlimits: {slots: 1}\n");
    x_connection = *ForkingEngine::OpenConnection(x_folder);
    x_engine = std::make_unique<ForkingEngine>(*x_connection, x_folder + "/tmp");
    x_state = *MakeSqliteStore(x_folder + "/state.db");
    x_store = *MakeLocalStore(x_folder + "/lake");
  }

  void File(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(x_folder + "/" + path).parent_path());
    std::ofstream(x_folder + "/" + path, std::ios::trunc) << text;
  }
  /// Files of CSV in a folder; the source "shop" drops them into shop.rows.
  void Source(const std::string& stream_words, const std::string& columns) {
    File("sources/shop.yaml", "type: files\nlocation: in\nsettle: 0s\nstreams:\n  rows:\n    glob: \"*.csv\"\n    format: csv\n" +
                                stream_words + "    columns: {" + columns + "}\n");
  }
  void Model(const std::string& name, const std::string& header, const std::string& sql) {
    File("models/silver/" + name + ".sql", "/* caudal:\n" + header + "\n*/\n" + sql + "\n");
  }

  /// What `validate` complains about, one a line.
  std::string Problems() {
    std::string text;
    for (const Problem& problem : Load().problems) text += problem.ToString() + "\n";
    return text;
  }

  /// Task -> "status note", or "failed error".
  std::map<std::string, std::string> Run(const RunRequest& request = {}) {
    LoadOutcome outcome = Load();
    std::map<std::string, std::string> said;
    for (const Problem& problem : outcome.problems) EXPECT_TRUE(problem.warning) << problem.ToString();
    if (!outcome.project) return said;
    Workspace workspace = Open(*outcome.project);
    CancelFlag cancel{false};
    Silence silence;
    auto report = StartRun(workspace, request, silence, cancel);
    EXPECT_TRUE(report) << report.error().ToString();
    if (!report) return said;
    for (const TaskRecord& task : report->tasks) {
      said[task.name] = std::string(TaskStatusName(task.status)) + " " + (task.error.empty() ? task.note : task.error);
    }
    return said;
  }

  /// What each unit test says: "passed", or what differs.
  std::string UnitTests() {
    LoadOutcome outcome = Load();
    if (!outcome.project) return Problems();
    auto results = RunUnitTests(Open(*outcome.project), {}, nullptr);
    if (!results) return results.error().ToString();
    std::string text;
    for (const UnitTestResult& result : *results) {
      text += (text.empty() ? "" : " ") + (result.passed ? "passed" : result.error ? result.error->message : "failed");
    }
    return text;
  }

  /// Rows as "a|b", ordered, joined by spaces.
  std::string Query(const std::string& sql) {
    LoadOutcome outcome = Load();
    if (!outcome.project) return Problems();
    Workspace workspace = Open(*outcome.project);
    auto rows = QueryTables(workspace, "SELECT * FROM (" + sql + ") ORDER BY ALL", 100, nullptr);
    if (!rows) return rows.error().ToString();
    std::string text;
    for (const auto& row : rows->rows) {
      text += text.empty() ? "" : " ";
      for (std::size_t i = 0; i < row.size(); ++i) text += (i > 0 ? "|" : "") + row[i].value_or("NULL");
    }
    return text;
  }

 private:
  class Silence final : public RunObserver {
    void OnRunQueued(const Error&) override {}
    void OnRunStarted(const RunRecord&, const std::vector<TaskRecord>&) override {}
    void OnTaskStarted(const TaskRecord&) override {}
    void OnTaskProgress(const std::string&, const JobProgress&) override {}
    void OnTaskEnded(const TaskRecord&, const TaskOutcome&) override {}
    void OnTaskWaits(const TaskRecord&, const Error&, Timestamp) override {}
    void OnRunEnded(const RunRecord&, const std::vector<TaskRecord>&) override {}
  };

  LoadOutcome Load() {
    EngineAnalyzer analyzer(*x_engine);
    LoadOptions options;
    options.folder = x_folder;
    options.connectors = &x_connectors;
    options.analyzer = &analyzer;
    return LoadProject(options);
  }
  Workspace Open(const Project& project) {
    return {project, *x_store, *x_engine, *x_state, SystemClock(), x_connectors, x_folder + "/lake", x_folder + "/lake/.staging"};
  }

  const TestFolder x_test_folder;
  const std::string& x_folder = x_test_folder.path();
  std::unique_ptr<Connection> x_connection;
  std::unique_ptr<ForkingEngine> x_engine;
  std::unique_ptr<StateStore> x_state;
  std::unique_ptr<ObjectStore> x_store;
  const std::vector<ConnectorSpec> x_connectors = BuiltinRegistry().Specs();
};

}  // namespace caudal
