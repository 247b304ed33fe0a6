// Is a table whole? What must hold after any death of a writer, once the next writer has healed. For tests.
#pragma once

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "lake/table.h"

namespace caudal {

inline std::vector<ObjectInfo> Objects(ObjectStore& store, const std::string& prefix) {
  auto objects = store.List(prefix, "");
  EXPECT_TRUE(objects);
  return objects ? std::move(objects).value() : std::vector<ObjectInfo>{};
}

/// Paths that some version of `table` added; every one of them must be there.
inline std::set<std::string> NamedFiles(ObjectStore& store, const Table& table) {
  std::set<std::string> named;
  auto latest = table.Latest();
  if (!latest) {
    EXPECT_EQ(latest.error().kind, ErrorKind::kNotFound) << latest.error().message;
    return named;
  }
  auto history = table.History(-1, (*latest)->version);
  EXPECT_TRUE(history) << history.error().message;
  if (!history) return named;
  for (const CommitRecord& record : *history) {
    for (const std::string& path : record.added_paths) {
      EXPECT_TRUE(store.Head(table.prefix() + "/" + path)) << "version " << record.version << " names a file that is not there: " << path;
      named.insert(table.prefix() + "/" + path);
    }
  }
  return named;
}

/// No file that no version names, no intent, a rejects version for every commit that owes one, and the table's formats as
/// the log has them.
inline void ExpectWhole(ObjectStore& store, const Table& table) {
  for (const Table& each : {table, table.Rejects()}) {
    auto named = NamedFiles(store, each);
    for (const ObjectInfo& object : Objects(store, each.prefix() + "/")) {
      if (object.key.ends_with(".parquet")) {
        EXPECT_TRUE(named.contains(object.key)) << "no version names " << object.key;
      }
      EXPECT_FALSE(object.key.ends_with(".intent.json")) << object.key;
    }
  }
  auto differences = table.CheckFormats();
  if (!differences) {
    EXPECT_EQ(differences.error().kind, ErrorKind::kNotFound) << differences.error().message;
    return;
  }
  for (const std::string& difference : *differences) ADD_FAILURE() << difference;
}

}  // namespace caudal
