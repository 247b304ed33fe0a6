// The band of a source's rows: what is inside, what is out, and which of several files is named.
#include <gtest/gtest.h>

#include "quality/volume.h"

namespace caudal {
namespace {

VolumeFacts Load(std::int64_t rows, std::vector<std::int64_t> usual = {}) { return {{{"", rows}}, std::move(usual)}; }

TEST(Volume, LeastAndMost) {
  Volume volume;
  volume.least = 10;
  volume.most = 20;
  EXPECT_EQ(JudgeVolume(volume, Load(10)).verdict, Verdict::kPass);
  EXPECT_EQ(JudgeVolume(volume, Load(20)).verdict, Verdict::kPass);
  const CheckResult few = JudgeVolume(volume, Load(9));
  EXPECT_EQ(few.verdict, Verdict::kFail);
  EXPECT_EQ(few.message, "9 rows, fewer than 10");
  EXPECT_EQ(few.id, "volume");
  EXPECT_EQ(JudgeVolume(volume, Load(21)).message, "21 rows, more than 20");
  volume.severity = Severity::kWarn;
  EXPECT_EQ(JudgeVolume(volume, Load(0)).verdict, Verdict::kWarn);
}

TEST(Volume, AgainstTheMedianOfTheLastOnes) {
  Volume volume;
  volume.warn = 10;
  volume.fail = 50;
  const std::vector<std::int64_t> usual = {100, 102, 98, 5000, 1};  // two days that were odd move nothing
  EXPECT_EQ(JudgeVolume(volume, Load(110, usual)).verdict, Verdict::kPass);
  EXPECT_EQ(JudgeVolume(volume, Load(111, usual)).verdict, Verdict::kWarn);
  EXPECT_EQ(JudgeVolume(volume, Load(89, usual)).verdict, Verdict::kWarn);
  const CheckResult half = JudgeVolume(volume, Load(49, usual));
  EXPECT_EQ(half.verdict, Verdict::kFail);
  EXPECT_EQ(half.message, "49 rows, usually 100 (-51.0 %), more than 50 % away");
  const CheckResult early = JudgeVolume(volume, Load(1, {100, 100}));
  EXPECT_EQ(early.verdict, Verdict::kPass);
  EXPECT_EQ(early.observed, "1 row, too few before to compare with");
}

TEST(Volume, TheFileThatIsFarthestOutIsNamed) {
  Volume volume;
  volume.per_file = true;
  volume.least = 90;
  volume.warn = 1;
  const CheckResult result = JudgeVolume(volume, {{{"a.csv", 100}, {"b.csv", 95}, {"c.csv", 12}}, {100, 100, 100}});
  EXPECT_EQ(result.verdict, Verdict::kFail);
  EXPECT_EQ(result.message, "c.csv: 12 rows, usually 100 (-88.0 %), fewer than 90; so are 1 more of 3 files");
}

TEST(Volume, Median) {
  EXPECT_EQ(MedianOf({}), 0);
  EXPECT_EQ(MedianOf({7}), 7);
  EXPECT_EQ(MedianOf({3, 1, 2}), 2);
}

}  // namespace
}  // namespace caudal
