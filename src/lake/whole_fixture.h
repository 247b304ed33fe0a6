// Is a table whole? What must hold after any death of a writer, once the next writer has healed. For tests.
#pragma once

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "lake/retention.h"
#include "lake/table.h"

namespace caudal {

inline std::vector<ObjectInfo> Objects(ObjectStore& store, const std::string& prefix) {
  auto objects = store.List(prefix, "");
  EXPECT_TRUE(objects);
  return objects ? std::move(objects).value() : std::vector<ObjectInfo>{};
}

/// Files of the versions of `table` that can be read; every one of them must be there.
inline std::set<std::string> NamedFiles(ObjectStore& store, const Table& table) {
  std::set<std::string> named;
  auto latest = table.Latest();
  if (!latest) {
    EXPECT_EQ(latest.error().kind, ErrorKind::kNotFound) << latest.error().message;
    return named;
  }
  auto versions = KeptVersions(**latest);
  EXPECT_TRUE(versions) << versions.error().message;
  for (const std::int64_t version : versions ? *versions : std::vector<std::int64_t>()) {
    auto snapshot = table.At(version);
    EXPECT_TRUE(snapshot) << snapshot.error().message;
    if (!snapshot) continue;
    for (const LiveFile& file : (*snapshot)->files) {
      if (!named.insert(table.KeyOf(file)).second) continue;
      EXPECT_TRUE(store.Head(table.KeyOf(file))) << "version " << version << " names a file that is not there: " << file.path;
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
      if (IsDataFile(std::string_view(object.key).substr(each.prefix().size() + 1))) {
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
