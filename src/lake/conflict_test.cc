#include "lake/conflict.h"

#include <gtest/gtest.h>

namespace caudal {
namespace {

using Kind = Decision::Kind;

LogEntry Other(ChangeKind kind) {
  LogEntry entry;
  entry.version = 5;
  entry.operation = "OTHER";
  entry.kind = kind;
  return entry;
}

LogEntry Adds(PartitionValues partition, ChangeKind kind = ChangeKind::kAppend) {
  LogEntry entry = Other(kind);
  LiveFile file;
  file.path = "new";
  file.partition = std::move(partition);
  entry.adds.push_back(file);
  return entry;
}

LogEntry Removes(const std::string& path, PartitionValues partition, ChangeKind kind = ChangeKind::kOverwrite) {
  LogEntry entry = Other(kind);
  entry.removes.push_back(LogRemove{path, std::move(partition), 1, 1, "g", "i", 0});
  return entry;
}

LogEntry Redefines() {
  LogEntry entry = Other(ChangeKind::kNone);
  entry.metadata.emplace();
  return entry;
}

LogEntry Moves(const std::string& domain, bool removed = false) {
  LogEntry entry = Other(ChangeKind::kNone);
  entry.domains[domain] = removed ? std::nullopt : std::optional<std::string>("{}");
  return entry;
}

LogEntry Task(const std::string& task) {
  LogEntry entry = Adds({});
  entry.task = task;
  return entry;
}

Change Mine() {
  Change change;
  change.operation = "MINE";
  change.kind = ChangeKind::kUpsert;
  change.base_version = 4;
  change.task = "run/mine";
  return change;
}

Change Blind() {
  Change change = Mine();
  change.kind = ChangeKind::kAppend;
  change.blind = true;
  return change;
}

Change Removing(const std::string& path) {
  Change change = Mine();
  change.removes = {path};
  return change;
}

Change Moving(Change change, const std::string& domain) {
  change.domains[domain] = "{}";
  return change;
}

TEST(Conflict, EveryRule) {
  const PartitionValues p1{{"day", "1"}}, p2{{"day", "2"}}, none{{"day", std::nullopt}};
  ChangeFacts whole;
  ChangeFacts read_p1{{{p1}}, false};
  ChangeFacts read_nothing{std::vector<PartitionValues>{}, false};
  ChangeFacts redefines{std::nullopt, true};
  struct Case {
    const char* why;
    Change change;
    ChangeFacts facts;
    LogEntry other;
    Kind decision;
  };
  const Case cases[] = {
      {"a blind append follows an append", Blind(), whole, Adds(p1), Kind::kProceed},
      {"a blind append follows an overwrite", Blind(), whole, Removes("x", p1), Kind::kProceed},
      {"a blind append follows a compaction", Blind(), whole, Adds(p1, ChangeKind::kNone), Kind::kProceed},
      {"nothing follows a changed definition", Blind(), whole, Redefines(), Kind::kConflict},
      {"not even a change elsewhere", Mine(), read_p1, Redefines(), Kind::kConflict},
      {"the whole table was read, rows came", Mine(), whole, Adds(p1), Kind::kConflict},
      {"the whole table was read, rows went", Mine(), whole, Removes("x", p2), Kind::kConflict},
      {"the read partition got rows", Mine(), read_p1, Adds(p1), Kind::kConflict},
      {"another partition got rows", Mine(), read_p1, Adds(p2), Kind::kProceed},
      {"the NULL partition is one like the others", Mine(), read_p1, Adds(none), Kind::kProceed},
      {"another partition lost rows", Mine(), read_p1, Removes("x", p2), Kind::kProceed},
      {"the read partition lost rows", Mine(), read_p1, Removes("x", p1), Kind::kConflict},
      {"nothing was read", Mine(), read_nothing, Adds(p1), Kind::kProceed},
      {"both rewrite the same file", Removing("f"), read_p1, Removes("f", p2), Kind::kConflict},
      {"a compaction rewrote my file", Removing("f"), whole, Removes("f", p1, ChangeKind::kNone), Kind::kConflict},
      {"a compaction rewrote other files", Removing("f"), whole, Removes("x", p1, ChangeKind::kNone), Kind::kProceed},
      {"both move one cursor", Moving(Mine(), "cursor.a"), read_nothing, Moves("cursor.a"), Kind::kConflict},
      {"even a blind append moves it only once", Moving(Blind(), "cursor.a"), whole, Moves("cursor.a"), Kind::kConflict},
      {"one moves what the other removes", Moving(Blind(), "cursor.a"), whole, Moves("cursor.a", true), Kind::kConflict},
      {"two cursors", Moving(Blind(), "cursor.a"), whole, Moves("cursor.b"), Kind::kProceed},
      {"a backfill moves none", Blind(), whole, Moves("cursor.a"), Kind::kProceed},
      {"a new definition after new files", Mine(), redefines, Adds(p1), Kind::kConflict},
      {"a new definition after a compaction", Mine(), redefines, Adds(p1, ChangeKind::kNone), Kind::kConflict},
      {"a new definition after a moved cursor", Mine(), redefines, Moves("cursor.a"), Kind::kProceed},
      {"my own task", Mine(), whole, Task("run/mine"), Kind::kAlreadyApplied},
      {"my own task, whatever else it did", Removing("f"), whole,
       [] { LogEntry e = Removes("f", {}); e.task = "run/mine"; return e; }(), Kind::kAlreadyApplied},
      {"a task whose name only begins like mine", Mine(), whole, Task("run/mine2"), Kind::kConflict},
      {"a task without a name is nobody's", [] { Change c = Blind(); c.task = ""; return c; }(), whole, Task(""), Kind::kProceed},
  };
  for (const Case& c : cases) {
    auto decision = Decide(c.change, c.facts, {std::make_shared<LogEntry>(c.other)});
    EXPECT_EQ(decision.kind, c.decision) << c.why << ": " << decision.why;
    if (c.decision != Kind::kProceed) {
      EXPECT_EQ(decision.version, 5) << c.why;
    }
    if (c.decision == Kind::kConflict) {
      EXPECT_FALSE(decision.why.empty()) << c.why;
    }
  }
}

TEST(Conflict, OwnTaskCountsBeforeAnOlderConflict) {
  auto entry = std::make_shared<LogEntry>(Redefines());
  auto mine = std::make_shared<LogEntry>(Task("run/mine"));
  mine->version = 6;
  auto decision = Decide(Mine(), {}, {entry, mine});
  EXPECT_EQ(decision.kind, Kind::kAlreadyApplied);
  EXPECT_EQ(decision.version, 6);
  EXPECT_EQ(Decide(Mine(), {}, {}).kind, Kind::kProceed);
}

}  // namespace
}  // namespace caudal
