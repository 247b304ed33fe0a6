#include "flow/extraction.h"

#include <gtest/gtest.h>

namespace caudal {
namespace {

TEST(RawManifestTest, ReadsBackWhatItWrote) {
  RawManifest manifest;
  manifest.cursor_from = "{\"a\":1}";
  manifest.cursor_to = "{\"a\":2}";
  manifest.definition = "d";
  manifest.objects = {{"raw/s/t/1.csv.zst", "ab", 10, 3, "a.csv", "{}"}};
  manifest.replaces = {{"a.csv", 0}};
  auto back = RawManifestFromJson(RawManifestToJson(manifest));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->cursor_from, manifest.cursor_from);
  EXPECT_EQ(back->cursor_to, manifest.cursor_to);
  EXPECT_EQ(back->definition, "d");
  ASSERT_EQ(back->objects.size(), 1u);
  EXPECT_EQ(back->objects[0].key, "raw/s/t/1.csv.zst");
  EXPECT_EQ(back->objects[0].rows, 3);
  EXPECT_EQ(back->replaces, manifest.replaces) << "a repaired file would be loaded beside its old rows";
  EXPECT_FALSE(RawManifestFromJson("["));
}

TEST(DefinitionOfStreamTest, ChangesWithTheWordsThatShapeTheRows) {
  SourceConfig source;
  StreamConfig stream;
  std::string before = DefinitionOfStream(source, stream);
  stream.description = "another text";
  EXPECT_EQ(DefinitionOfStream(source, stream), before);
  stream.options = "{\"glob\":\"*.csv\"}";
  EXPECT_NE(DefinitionOfStream(source, stream), before);
}

}  // namespace
}  // namespace caudal
