#include "flow/raw_history.h"

#include <gtest/gtest.h>

namespace caudal {
namespace {

CommitRecord Load(std::int64_t version, const std::string& operation, const std::vector<std::string>& keys) {
  CommitRecord commit;
  commit.version = version;
  commit.operation = operation;
  commit.change = operation == "APPEND" ? ChangeKind::kAppend : ChangeKind::kOverwrite;
  for (const std::string& key : keys) commit.raw.push_back({key, "", 1, 1, key.substr(0, 1), "{}"});
  return commit;
}

std::string KeysOf(const std::vector<CommitRecord>& history, bool replaces) {
  std::string keys;
  for (const RawObject& object : RawObjectsOf(history, replaces)) keys += object.key + " ";
  return keys;
}

TEST(RawHistory, IsWhatTheTableIsMadeOf) {
  const CommitRecord a = Load(0, "APPEND", {"a1"}), b = Load(1, "APPEND", {"b1"});
  EXPECT_EQ(KeysOf({a, b}, false), "a1 b1 ");
  EXPECT_EQ(KeysOf({a, b, Load(2, "REPAIR", {"a2"})}, false), "b1 a2 ") << "the file came again";
  EXPECT_EQ(KeysOf({a, b, Load(2, "REPLACE", {"c1"})}, false), "c1 ") << "--full-refresh of a stream that appends";
  EXPECT_EQ(KeysOf({a, b, Load(2, "REPLACE", {})}, true), "");
  EXPECT_EQ(KeysOf({a, b, Load(2, "REBUILD", {"a1", "b1"})}, false), "a1 b1 ");
  EXPECT_EQ(KeysOf({a, b, Load(2, "REPLAY", {})}, false), "a1 b1 ") << "rejected rows came from objects that are there";
  CommitRecord back = Load(2, "ROLLBACK", {});
  back.note = R"({"restores":0})";
  EXPECT_EQ(KeysOf({a, b, back}, false), "a1 ");
  EXPECT_EQ(KeysOf({a, b, back, Load(3, "APPEND", {"b2"})}, false), "a1 b2 ") << "what came after is read again";
}

}  // namespace
}  // namespace caudal
