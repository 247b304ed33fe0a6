#include "flow/drift.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace caudal {
namespace {

Drift Of(DriftKind kind, const std::string& column, std::int64_t values = 0) {
  Drift drift;
  drift.kind = kind;
  drift.column = column;
  drift.type = kind == DriftKind::kMissingColumn ? "" : "BIGINT";
  drift.values = values;
  return drift;
}

Timestamp At(const char* text) { return *ParseTimestamp(text); }

TEST(DriftTest, IsRememberedSinceItWasFirstMet) {
  std::vector<Drift> met{Of(DriftKind::kIgnoredColumn, "zip", 2), Of(DriftKind::kMissingColumn, "city"), Of(DriftKind::kRejectedValues, "n", 3)};
  std::string known = RememberDrift("", met, true, At("2026-01-01"));
  EXPECT_TRUE(met[0].news);
  EXPECT_FALSE(met[2].news) << "a bad value is no change of the source";
  met = {Of(DriftKind::kIgnoredColumn, "ZIP", 5), Of(DriftKind::kNewColumn, "at")};
  known = RememberDrift(known, met, true, At("2026-01-02"));
  EXPECT_FALSE(met[0].news);
  EXPECT_EQ(met[0].since, At("2026-01-01"));
  EXPECT_TRUE(met[1].news);
  const std::vector<Drift> remembered = DriftOfNote(known);
  ASSERT_EQ(remembered.size(), 3U) << "the column that came back is missing no more";
  EXPECT_EQ(remembered[0].values, 7);
  EXPECT_EQ(remembered[2].column, "at");
  met.clear();
  EXPECT_EQ(RememberDrift(known, met, false, At("2026-01-03")), known);
}

TEST(DriftTest, ReadsBackWhatItWrote) {
  Drift drift = Of(DriftKind::kNulledValues, "n", 12);
  drift.origin = "b.csv";
  drift.row = 3;
  drift.example = "x";
  drift.since = At("2026-01-01");
  EXPECT_EQ(DriftInWords(drift), "12 values of n did not fit BIGINT: set to NULL (b.csv, row 3: 'x')");
  const auto back = DriftOfNote(DumpJson(Json{{"drift", DriftToJson({drift})}}));
  ASSERT_EQ(back.size(), 1U);
  EXPECT_EQ(DriftInWords(back[0]), DriftInWords(drift));
  EXPECT_EQ(back[0].since, drift.since);
  EXPECT_TRUE(DriftOfNote("{").empty());
  EXPECT_TRUE(DriftOfNote(R"({"restores":1})").empty());
}

}  // namespace
}  // namespace caudal
