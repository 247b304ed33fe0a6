#include "lake/value_text.h"

#include <gtest/gtest.h>

namespace caudal {
namespace {

TEST(CompareValues, ByTypeNotByText) {
  struct Case {
    const char* type;
    const char* a;
    const char* b;
    int order;  // -1, 0, 1; 9 = not known
    const char* why;
  };
  for (const Case& c : {
           Case{"BIGINT", "9", "10", -1, "numbers, not text"},
           Case{"BIGINT", "-9", "-10", 1, "negative numbers turn round"},
           Case{"BIGINT", "-1", "1", -1, "sign first"},
           Case{"BIGINT", "9223372036854775807", "9223372036854775806", 1, "doubles would lose this"},
           Case{"DECIMAL(38,2)", "99999999999999999999999999999999999.10", "99999999999999999999999999999999999.1", 0,
                "zeros at the end do not count"},
           Case{"DECIMAL(12,2)", "-0.00", "0", 0, "no negative zero"},
           Case{"DECIMAL(12,2)", "1.05", "1.5", -1, "fractions from the left"},
           Case{"DOUBLE", "1e-05", "0.00002", -1, "exponents"},
           Case{"DOUBLE", "nan", "1", 9, "NaN has no order"},
           Case{"DOUBLE", "inf", "1", 9, "infinity is not in the log"},
           Case{"DATE", "2026-01-09", "2026-01-10", -1, "dates"},
           Case{"DATE", "12026-01-09", "2026-01-10", 9, "five digits of year: assume nothing"},
           Case{"TIMESTAMPTZ", "2026-01-01 01:00:00.123+00", "2026-01-01T01:00:00.123Z", 0, "both spellings"},
           Case{"VARCHAR", "Z", "a", -1, "bytes"},
           Case{"VARCHAR", "z", "ä", -1, "bytes are unsigned"},
           Case{"BOOLEAN", "false", "true", -1, "false first"},
           Case{"BLOB", "a", "b", 9, "no order"},
           Case{"BIGINT", "x", "1", 9, "no number"},
           Case{"BIGINT", "", "1", 9, "no number"},
       }) {
    auto order = CompareValues(*ParseType(c.type), c.a, c.b);
    int seen = !order ? 9 : *order < 0 ? -1 : *order > 0 ? 1 : 0;
    EXPECT_EQ(seen, c.order) << c.type << " " << c.a << " " << c.b << ": " << c.why;
  }
}

TEST(ValueText, TimestampAsDuckDbPrintsIt) {
  auto text = [](const char* t) { return DuckDbTimestamp(*ParseTimestamp(t)); };
  EXPECT_EQ(text("2026-01-01T01:00:00Z"), "2026-01-01 01:00:00+00");
  EXPECT_EQ(text("2026-01-01T01:00:00.100Z"), "2026-01-01 01:00:00.1+00");
  EXPECT_EQ(text("2026-01-01T01:00:00.123456Z"), "2026-01-01 01:00:00.123456+00");
}

TEST(ValueText, JsonNumbers) {
  for (const char* yes : {"0", "-1", "12.50", "1e+20", "1e-05", "-0.0"}) EXPECT_TRUE(IsJsonNumber(yes)) << yes;
  for (const char* no : {"", "-", "+1", "01", "1.", ".5", "inf", "nan", "1e", "1 ", "0x1"}) EXPECT_FALSE(IsJsonNumber(no)) << no;
}

}  // namespace
}  // namespace caudal
