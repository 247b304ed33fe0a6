#include "connect/hive_path.h"

#include <gtest/gtest.h>

namespace caudal {
namespace {

std::string Text(const std::vector<PartitionValue>& values) {
  std::string text;
  for (const PartitionValue& one : values) text += one.column + "=" + one.value.value_or("NULL") + ";";
  return text;
}

TEST(HivePath, FoldersThatNameColumns) {
  const std::pair<const char*, const char*> cases[] = {
      {"a.parquet", ""},
      {"country=France/a.parquet", "country=France;"},
      {"2010/country=Isle%20of%20Man/day=2010-12-01/a=b.parquet", "country=Isle of Man;day=2010-12-01;"},
      {"c=__HIVE_DEFAULT_PARTITION__/d=/a.parquet", "c=NULL;d=;"},
      {"=x/y/z=1=2/a.parquet", "z=1=2;"},
  };
  for (const auto& [path, values] : cases) EXPECT_EQ(Text(PartitionValuesOf(path)), values) << path;
}

}  // namespace
}  // namespace caudal
