// The faces as objects in a store. What foreign readers make of them: tests/lake/test_foreign_readers.py.
#include "lake/faces/faces.h"

#include <gmock/gmock.h>

#include <cmath>
#include <cstring>

#include "base/json.h"
#include "lake/faces/avro.h"
#include "lake/faces/iceberg.h"
#include "lake/lake_fixture.h"
#include "lake/overwrite.h"
#include "lake/whole_fixture.h"

namespace caudal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class FacesTest : public LakeFixture {
 protected:
  Table Open(TableFormats formats = kAllFormats) { return Table(*x_store, "silver/orders", x_clock, formats); }

  void Publish(Table& table, const Change& change) {
    auto outcome = table.Commit(change);
    ASSERT_TRUE(outcome) << outcome.error().ToString();
    x_clock.Advance(std::chrono::seconds(1));
  }

  /// Versions 0 to 4: created, two appends, one file rewritten, one partition emptied.
  void Life(Table& table) {
    Publish(table, Create(Orders({"region"})));
    Publish(table, Append(0, {Stage(10, {{"region", "us"}}), Stage(20, {{"region", "fr"}})}));
    Publish(table, Append(1, {Stage(5, {{"region", "us"}})}));
    auto snapshot = *table.Latest();
    Change merge;
    merge.operation = "MERGE";
    merge.kind = ChangeKind::kUpsert;
    merge.base_version = 2;
    merge.removes = {snapshot->files[0].path};
    merge.adds = {AddFile{Stage(21, {{"region", "fr"}}), snapshot->files[0].path}};
    Publish(table, merge);
    Publish(table, *OverwritePartitions(**table.Latest(), {{{"region", "us"}}}, {}));
  }

  std::map<std::string, std::string> Everything() {
    std::map<std::string, std::string> bytes;
    for (const ObjectInfo& object : Objects(*x_store, "")) bytes[object.key] = *x_store->Get(object.key);
    return bytes;
  }

  std::set<std::string> Keys(const std::string& prefix) {
    std::set<std::string> keys;
    for (const ObjectInfo& object : Objects(*x_store, "silver/orders/" + prefix)) keys.insert(object.key.substr(14));
    return keys;
  }

  static std::vector<Json> Records(const std::string& bytes) {
    auto file = ReadAvroContainer(bytes);
    EXPECT_TRUE(file) << file.error().message;
    return file ? std::move(file->records) : std::vector<Json>{};
  }

  /// Data files of the newest snapshot, as Iceberg's manifests list them, and what it calls its operation.
  std::pair<std::set<std::string>, std::string> IcebergFiles() {
    auto hint = *x_store->Get("silver/orders/metadata/version-hint.text");
    auto metadata = *ParseJson(*x_store->Get("silver/orders/metadata/v" + hint + ".metadata.json"), "metadata");
    const Json& newest = metadata["snapshots"].back();
    std::string location = metadata["location"].get<std::string>();
    auto at = [&](const std::string& url) { return *x_store->Get("silver/orders" + url.substr(location.size())); };
    std::set<std::string> files;
    for (const Json& listed : Records(at(newest["manifest-list"].get<std::string>()))) {
      for (const Json& entry : Records(at(listed["manifest_path"].get<std::string>()))) {
        if (entry["status"] != 2) files.insert(entry["data_file"]["file_path"].get<std::string>().substr(location.size() + 1));
      }
    }
    return {files, newest["summary"]["operation"].get<std::string>()};
  }

  static std::set<std::string> Paths(const Snapshot& snapshot) {
    std::set<std::string> paths;
    for (const LiveFile& file : snapshot.files) paths.insert(file.path);
    return paths;
  }

  FakeClock x_clock{TestTime()};
  std::unique_ptr<ObjectStore> x_store = MakeMemoryStore();
};

TEST_F(FacesTest, OneInstantAndOneSnapshotAVersion) {
  Table table = Open();
  Life(table);
  EXPECT_THAT(Keys(".hoodie/2"), ElementsAre(".hoodie/20260110101010101.commit", ".hoodie/20260110101011101.commit",
                                             ".hoodie/20260110101012101.commit", ".hoodie/20260110101013101.commit",
                                             ".hoodie/20260110101014101.replacecommit"));
  auto commit = *ParseJson(*x_store->Get("silver/orders/.hoodie/20260110101013101.commit"), "commit");
  EXPECT_EQ(commit["partitionToWriteStats"]["region=fr"][0]["prevCommit"], "20260110101011101");
  auto emptied = *ParseJson(*x_store->Get("silver/orders/.hoodie/20260110101014101.replacecommit"), "commit");
  EXPECT_EQ(emptied["partitionToReplaceFileIds"]["region=us"].size(), 2U);
  EXPECT_EQ(IcebergFiles(), std::pair(Paths(**table.Latest()), std::string("delete")));
  EXPECT_THAT(*table.CheckFormats(), IsEmpty());
  EXPECT_EQ(*table.FormatsBehind(), "");
}

TEST_F(FacesTest, HudisProperties) {
  Table table = Open();
  TableDefinition definition = Orders();
  definition.name = "default.v6_simplekeygen_nonhivestyle";  // a table of Hudi's own with a known checksum
  Publish(table, Create(definition));
  EXPECT_EQ(*x_store->Get("silver/orders/.hoodie/hoodie.properties"),
            "#Properties saved on 2026-01-10T10:10:10.101Z\n#Sat Jan 10 10:10:10 UTC 2026\n"
            "hoodie.table.name=v6_simplekeygen_nonhivestyle\nhoodie.database.name=default\nhoodie.table.type=COPY_ON_WRITE\n"
            "hoodie.table.version=6\nhoodie.timeline.layout.version=1\nhoodie.table.base.file.format=PARQUET\n"
            "hoodie.table.recordkey.fields=id\nhoodie.table.keygenerator.class=org.apache.hudi.keygen.NonpartitionedKeyGenerator\n"
            "hoodie.datasource.write.hive_style_partitioning=true\nhoodie.datasource.write.partitionpath.urlencode=true\n"
            "hoodie.datasource.write.drop.partition.columns=false\nhoodie.populate.meta.fields=false\n"
            "hoodie.archivelog.folder=archived\nhoodie.table.timeline.timezone=UTC\nhoodie.table.checksum=616688896\n");
}

TEST_F(FacesTest, TheSameLogGivesTheSameBytesWhoeverRenders) {
  Table table = Open();
  Life(table);
  auto first = Everything();
  Table plain = Open({});
  ASSERT_TRUE(plain.Heal());
  EXPECT_THAT(Keys("metadata/"), IsEmpty());
  EXPECT_THAT(Keys(".hoodie/hoodie"), IsEmpty());
  EXPECT_EQ(*table.FormatsBehind(), "readers of Hudi see an older version");
  ASSERT_TRUE(table.Heal());
  EXPECT_EQ(Everything(), first);
}

TEST_F(FacesTest, AFaceIsAddedToATableWithAHistory) {
  Table plain = Open({});
  Life(plain);
  EXPECT_THAT(Keys("metadata/"), IsEmpty());
  Table table = Open({false, true});
  Publish(table, Append(4, {Stage(7, {{"region", "de"}})}));
  EXPECT_EQ(IcebergFiles(), std::pair(Paths(**table.Latest()), std::string("append")));
  EXPECT_THAT(Keys(".hoodie/hoodie"), IsEmpty());
  EXPECT_THAT(*table.CheckFormats(), IsEmpty());
}

TEST_F(FacesTest, WhatIsTornOrMissingIsFoundAndMended) {
  Table table = Open();
  Life(table);
  auto whole = Everything();
  int faces = 0;
  for (const auto& [key, bytes] : whole) {
    bool face = key.find("/metadata/") != std::string::npos || key.ends_with("commit") || key.ends_with(".properties");
    if (!face) continue;
    ++faces;
    for (bool torn : {true, false}) {
      ASSERT_TRUE(torn ? x_store->Put(key, bytes.substr(0, bytes.size() / 2)) : x_store->Delete(key));
      EXPECT_EQ(table.CheckFormats()->size(), 1U) << key;
      EXPECT_EQ(*table.RepairFormats(), true) << key;
      EXPECT_THAT(*table.CheckFormats(), IsEmpty()) << key;
    }
  }
  EXPECT_GT(faces, 15);
  EXPECT_EQ(*table.RepairFormats(), false);
  EXPECT_EQ(Everything(), whole);
}

TEST_F(FacesTest, ADroppedFaceLeavesWhatOthersPut) {
  Table table = Open();
  Life(table);
  for (const char* name : {"notes.txt", "foreign/x.parquet", "00005-abc.metadata.json"}) {
    ASSERT_TRUE(x_store->Put(std::string("silver/orders/metadata/") + name, "theirs"));
  }
  ASSERT_TRUE(Open({}).Heal());
  EXPECT_THAT(Keys("metadata/"), ElementsAre("metadata/00005-abc.metadata.json", "metadata/foreign/x.parquet", "metadata/notes.txt"));
  EXPECT_EQ(*Open({}).FormatsBehind(), "");
}

/// A death after any call of dropping or rendering leaves something that the next one completes.
TEST_F(FacesTest, KilledAnywhereTheNextOneCompletes) {
  for (int stop = 1; stop < 200; ++stop) {
    x_store = MakeMemoryStore();
    Table table = Open();
    Life(table);
    auto whole = Everything();
    int calls = 0;
    auto dying = MakeFaultyStore(*x_store, [&](std::string_view operation, std::string_view) -> Status {
      bool writes = operation == "delete" || operation.starts_with("put");
      if (!writes || ++calls < stop) return {};
      return Error{ErrorKind::kUnavailable, "dead", "", ""};
    });
    (void)Table(*dying, "silver/orders", x_clock, {}).Heal();
    bool all_done = calls < stop;
    ASSERT_TRUE(table.Heal()) << stop;
    EXPECT_EQ(*table.FormatsBehind(), "") << stop;
    EXPECT_THAT(*table.CheckFormats(), IsEmpty()) << stop;
    EXPECT_EQ(Everything(), whole) << stop;
    if (all_done) return;
  }
  FAIL() << "dropping never came to an end";
}

TEST_F(FacesTest, OneFaceThatFailsDoesNotStopTheOther) {
  auto broken = MakeFaultyStore(*x_store, [&](std::string_view operation, std::string_view key) -> Status {
    if (operation.starts_with("put") && key.ends_with(".commit")) return Error{ErrorKind::kUnavailable, "no", "", ""};
    return {};
  });
  Table table(*broken, "silver/orders", x_clock, kAllFormats);
  Publish(table, Create(Orders()));
  EXPECT_EQ(*table.FormatsBehind(), "readers of Hudi see an older version");
  EXPECT_EQ(*x_store->Get("silver/orders/metadata/version-hint.text"), "1");
}

TEST_F(FacesTest, InfinitiesAndNanAreInTheRangesOfPartitions) {
  Table table = Open({false, true});
  TableDefinition definition{"silver.orders", Columns({{"id", "BIGINT"}, {"p", "DOUBLE"}}), {"p"}, {}, {}};
  Publish(table, Create(definition));
  Publish(table, Append(0, {Stage(1, {{"p", "nan"}}), Stage(1, {{"p", "inf"}}), Stage(1, {{"p", "2.0"}}), Stage(1, {{"p", "-inf"}})}));
  auto metadata = *ParseJson(*x_store->Get("silver/orders/metadata/v2.metadata.json"), "metadata");
  std::string list = metadata["snapshots"].back()["manifest-list"].get<std::string>();
  auto manifests = *ReadManifestList(*x_store->Get(list.substr(std::string("memory:///").size())));
  ASSERT_EQ(manifests.size(), 1U);
  double lower = 0, upper = 0;
  memcpy(&lower, manifests[0].partitions[0].lower->data(), sizeof lower);
  memcpy(&upper, manifests[0].partitions[0].upper->data(), sizeof upper);
  EXPECT_EQ(lower, -INFINITY);
  EXPECT_EQ(upper, INFINITY);
  EXPECT_EQ(manifests[0].partitions[0].contains_nan, true);
}

TEST_F(FacesTest, NamesThatAvroHasNotLeaveTheSchemaToTheFiles) {
  Table table = Open({true, false});
  Publish(table, Create(TableDefinition{"silver.orders", Columns({{"id", "BIGINT"}, {"s", "STRUCT(\"a b\" BIGINT)"}}), {}, {}, {}}));
  auto commit = *ParseJson(*x_store->Get("silver/orders/.hoodie/20260110101010101.commit"), "commit");
  EXPECT_FALSE(commit["extraMetadata"].contains("schema"));
}

TEST_F(FacesTest, ATableThatIsPartitionedAnewHasASecondSpec) {
  Table table = Open();
  Life(table);
  Change change = OverwriteTable(**table.Latest(), {Stage(9, {{"id", "1"}}), Stage(8, {{"id", "2"}})});
  change.definition = Orders({"id"});
  Publish(table, change);
  auto metadata = *ParseJson(*x_store->Get("silver/orders/metadata/v6.metadata.json"), "metadata");
  EXPECT_EQ(metadata["partition-specs"].size(), 2U);
  EXPECT_EQ(metadata["default-spec-id"], 1);
  EXPECT_EQ(IcebergFiles(), std::pair(Paths(**table.Latest()), std::string("overwrite")));
  EXPECT_THAT(*x_store->Get("silver/orders/.hoodie/hoodie.properties"), ::testing::HasSubstr("partition.fields=id\n"));
  EXPECT_THAT(*table.CheckFormats(), IsEmpty());
}

TEST_F(FacesTest, ALakeThatWasMovedNamesItsNewPlace) {
  std::filesystem::create_directories(x_folder + "/here");
  x_store = std::move(MakeLocalStore(x_folder + "/here")).value();
  Table before = Open();
  Life(before);
  std::filesystem::create_directory_symlink(x_folder + "/here", x_folder + "/link");
  auto linked = std::move(MakeLocalStore(x_folder + "/link")).value();
  EXPECT_EQ(*Table(*linked, "silver/orders", x_clock, kAllFormats).FormatsBehind(), "");
  std::filesystem::rename(x_folder + "/here", x_folder + "/there");
  x_store = std::move(MakeLocalStore(x_folder + "/there")).value();
  Table after = Open();
  EXPECT_EQ(*after.FormatsBehind(), "readers of Iceberg are sent to another place, where the lake was before");
  ASSERT_TRUE(after.Heal());
  EXPECT_EQ(*after.FormatsBehind(), "");
  EXPECT_THAT(*after.CheckFormats(), IsEmpty());
  for (const auto& [key, bytes] : Everything()) EXPECT_EQ(bytes.find("/here/silver"), std::string::npos) << key;
}

/// 300 commits: what a commit writes depends neither on the history nor on the files it does not touch.
TEST_F(FacesTest, MetadataStaysBounded) {
  Table table = Open({false, true});
  Publish(table, Create(Orders({"region"})));
  std::size_t manifests_at_150 = 0;
  for (int i = 0; i < 300; ++i) {
    std::vector<WrittenFile> files;
    for (int n = 0; n < 4; ++n) files.push_back(Stage(1 + n, {{"region", "r" + std::to_string((4 * i + n) % 50)}}));
    auto before = Keys("metadata/");
    Publish(table, Append(i, files));
    std::size_t written = 0;
    for (const std::string& key : Keys("metadata/")) written += before.contains(key) ? 0 : 1;
    EXPECT_LE(written, 10U) << "commit " << i;  // four buckets, two that split, a list, a metadata.json, and room for more
    if (i == 150) manifests_at_150 = (*x_store->Get("silver/orders/" + IcebergMetadataKey(151))).size();
  }
  auto last = *x_store->Get("silver/orders/" + IcebergMetadataKey(300));
  EXPECT_LT(static_cast<double>(last.size()), 1.05 * static_cast<double>(manifests_at_150));
  EXPECT_EQ(IcebergFiles().first, Paths(**table.Latest()));
  EXPECT_EQ(IcebergFiles().first.size(), 1200U);
  std::size_t metadata_files = 0;
  for (const std::string& key : Keys("metadata/v")) metadata_files += key.ends_with(".metadata.json") ? 1 : 0;
  EXPECT_EQ(metadata_files, 11U);
  std::size_t lists = 0;
  for (const std::string& key : Keys("metadata/snap-")) lists += key.empty() ? 0 : 1;
  EXPECT_EQ(lists, 100U) << "lists of expired snapshots are gone";
  EXPECT_LT(Keys("metadata/").size(), 1000U);
  EXPECT_THAT(*table.CheckFormats(), IsEmpty());
}

}  // namespace
}  // namespace caudal
