#include "flow/task_graph.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace caudal {
namespace {

/// a, b (one source) -> c -> d ; e alone.
Project MakeProject(int max_parallel) {
  Project project;
  SourceConfig source;
  source.max_parallel = max_parallel;
  source.streams.resize(2);
  project.sources = {source};
  project.models.resize(3);
  auto node = [&](const std::string& table, Node::Kind kind, std::vector<std::string> up) {
    Node n;
    n.table = table;
    n.kind = kind;
    n.upstream = std::move(up);
    project.nodes.push_back(n);
  };
  node("s.a", Node::Kind::kStream, {});
  node("s.b", Node::Kind::kStream, {});
  node("m.c", Node::Kind::kModel, {"s.a", "s.b"});
  node("m.d", Node::Kind::kModel, {"m.c"});
  node("m.e", Node::Kind::kModel, {});
  return project;
}

using Names = std::vector<std::string>;

TEST(TaskGraphTest, ATaskWaitsForAllAboveIt) {
  Project project = MakeProject(4);
  TaskGraph graph(project, {"s.a", "s.b", "m.c", "m.d", "m.e"});
  EXPECT_EQ(graph.Ready(), (Names{"s.a", "s.b", "m.e"}));
  graph.Mark("s.a", TaskStatus::kSucceeded);
  EXPECT_EQ(graph.Ready(), (Names{"s.b", "m.e"}));
  graph.Mark("s.b", TaskStatus::kUnchanged);
  EXPECT_EQ(graph.Ready(), (Names{"m.c", "m.e"}));
}

TEST(TaskGraphTest, APriorityCountsForAllThatTheTableWaitsForThenTheLongestChainIsFirst) {
  Project project = MakeProject(4);
  auto find = [&](const std::string& table) {
    return std::find_if(project.nodes.begin(), project.nodes.end(), [&](const Node& n) { return n.table == table; });
  };
  find("m.e")->priority = 1;
  EXPECT_EQ(TaskGraph(project, {"s.a", "s.b", "m.c", "m.d", "m.e"}).Ready(), (Names{"m.e", "s.a", "s.b"}));
  find("m.d")->priority = 2;
  EXPECT_EQ(TaskGraph(project, {"s.a", "s.b", "m.c", "m.d", "m.e"}).Ready(), (Names{"s.a", "s.b", "m.e"}));
  EXPECT_EQ(TaskGraph(project, {"s.a", "s.b", "m.c", "m.e"}).Ready(), (Names{"m.e", "s.a", "s.b"}))
      << "a table outside the run pulls nothing";
  find("m.d")->priority = find("m.e")->priority = 0;
  find("s.b")->upstream = {"s.a"};
  find("m.c")->upstream = {"s.b"};
  std::rotate(project.nodes.begin(), find("m.e"), project.nodes.end());
  EXPECT_EQ(TaskGraph(project, {"s.a", "s.b", "m.c", "m.e"}).Ready(), (Names{"s.a", "m.e"})) << "the longer chain first";
  find("s.a")->priority = -1;
  EXPECT_EQ(TaskGraph(project, {"s.a", "s.b", "m.c", "m.e"}).Ready(), (Names{"s.a", "m.e"})) << "m.c needs it at 0";
}

TEST(TaskGraphTest, ASourceGetsAsManyTasksAsItAllows) {
  Project project = MakeProject(1);
  TaskGraph graph(project, {"s.a", "s.b"});
  EXPECT_EQ(graph.Ready(), (Names{"s.a"}));
  graph.Mark("s.a", TaskStatus::kRunning);
  EXPECT_TRUE(graph.Ready().empty());
  graph.Mark("s.a", TaskStatus::kSucceeded);
  EXPECT_EQ(graph.Ready(), (Names{"s.b"}));
}

TEST(TaskGraphTest, AFailureBlocksWhatIsBelowAndOnlyThat) {
  Project project = MakeProject(4);
  TaskGraph graph(project, {"s.a", "s.b", "m.c", "m.d", "m.e"});
  graph.Mark("s.a", TaskStatus::kFailed);
  EXPECT_EQ(graph.TakeBlocked(), (Names{"m.c", "m.d"}));
  EXPECT_EQ(graph.BlockedBy("m.d"), (Names{"s.a"}));
  EXPECT_EQ(graph.Ready(), (Names{"s.b", "m.e"}));
  EXPECT_FALSE(graph.AllEnded());
  graph.Mark("s.b", TaskStatus::kSucceeded);
  graph.Mark("m.e", TaskStatus::kSucceeded);
  EXPECT_TRUE(graph.AllEnded());
}

TEST(TaskGraphTest, EdgesToTablesOutsideTheRunDoNotCount) {
  Project project = MakeProject(4);
  TaskGraph graph(project, {"m.d"});
  EXPECT_EQ(graph.Ready(), (Names{"m.d"}));
}

}  // namespace
}  // namespace caudal
