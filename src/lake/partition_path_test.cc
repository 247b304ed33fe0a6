#include "lake/partition_path.h"

#include <gtest/gtest.h>

#include "base/percent.h"

namespace caudal {
namespace {

TEST(PartitionPath, FolderAndUri) {
  struct Case {
    Cell value;
    const char* folder;
    const char* uri;
  };
  for (const Case& c : {
           Case{"us", "region=us", "region=us"},
           Case{"a b", "region=a b", "region=a%20b"},
           Case{"x/y", "region=x%2Fy", "region=x%252Fy"},
           Case{"p%q", "region=p%25q", "region=p%2525q"},
           Case{"ñ ☃", "region=ñ ☃", "region=%C3%B1%20%E2%98%83"},
           Case{std::nullopt, "region=__HIVE_DEFAULT_PARTITION__", "region=__HIVE_DEFAULT_PARTITION__"},
           Case{"a\nb", "region=a%0Ab", "region=a%250Ab"},
           Case{"h#s?t*", "region=h%23s%3Ft%2A", "region=h%2523s%253Ft%252A"},
           Case{"[{^'\"\\:=]", "region=%5B%7B%5E%27%22%5C%3A%3D%5D", nullptr},
           Case{"a+b&c,d;e~", "region=a+b&c,d;e~", "region=a%2Bb%26c%2Cd%3Be~"},
           Case{"..", "region=..", "region=.."},
           Case{"x%20y", "region=x%2520y", "region=x%252520y"},
       }) {
    std::string folder = PartitionFolder({"region"}, {{"region", c.value}});
    EXPECT_EQ(folder, c.folder);
    if (c.uri != nullptr) {
      EXPECT_EQ(EncodeUriPath(folder), c.uri);
    }
    EXPECT_EQ(PercentDecoded(EncodeUriPath(folder)), folder);
  }
  EXPECT_EQ(PartitionFolder({}, {}), "");
  EXPECT_EQ(PartitionFolder({"b", "a"}, {{"a", "1"}, {"b", "2"}}), "b=2/a=1") << "the table's order, not the alphabet's";
  EXPECT_EQ(PercentDecoded("a%2"), "a%2") << "no escape: left as it is";
}

TEST(PartitionPath, NormalValues) {
  Schema schema{{Field{"Region", *ParseType("VARCHAR"), 1}, Field{"at", *ParseType("TIMESTAMPTZ"), 2}}};
  auto values = NormalPartition(schema, {"Region", "at"}, {{"region", ""}, {"AT", "2026-01-01 02:03:04.567891+00"}});
  ASSERT_TRUE(values) << values.error().message;
  EXPECT_EQ(*values, (PartitionValues{{"Region", std::nullopt}, {"at", "2026-01-01T02:03:04.567891Z"}}));
  EXPECT_EQ(*NormalPartition(schema, {"Region", "at"}, *values), *values) << "normal stays normal";
  EXPECT_FALSE(NormalPartition(schema, {"Region", "at"}, {{"region", "x"}}));
  EXPECT_FALSE(NormalPartition(schema, {"Region"}, {{"region", "x"}, {"other", "y"}}));
  EXPECT_FALSE(NormalPartition(schema, {"Region", "at"}, {{"region", "x"}, {"at", "yesterday"}}));
  EXPECT_TRUE(NormalPartition(schema, {}, {}));
}

}  // namespace
}  // namespace caudal
