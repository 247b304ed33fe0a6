#include "lake/delta_stats.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "lake/delta_schema.h"

namespace caudal {
namespace {

Schema Everything() {
  Schema schema;
  for (const auto& [name, type] : std::vector<std::pair<std::string, std::string>>{
           {"i", "BIGINT"}, {"d", "DECIMAL(38,2)"}, {"f", "DOUBLE"}, {"day", "DATE"}, {"t", "TIMESTAMPTZ"},
           {"s", "VARCHAR"}, {"yes", "BOOLEAN"}, {"b", "BLOB"}, {"l", "BIGINT[]"}, {"m", "MAP(VARCHAR, BIGINT[])"},
           {"a \"b\"", "STRUCT(zip VARCHAR, geo STRUCT(x DOUBLE, l VARCHAR[][]))"}, {"p", "VARCHAR"}}) {
    schema.fields.push_back(Field{name, *ParseType(type), 0});
  }
  std::int32_t max = 0;
  AssignFieldIds(Schema(), schema, max);
  return schema;
}

TEST(DeltaSchema, RoundTripKeepsTypesAndIds) {
  Schema schema = Everything();
  auto read = ReadDeltaSchema(DeltaSchemaText(schema));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(SchemaToJson(*read), SchemaToJson(schema));
  EXPECT_NE(DeltaSchemaText(schema).find(R"("caudal.elementId")"), std::string::npos);
  EXPECT_NE(DeltaSchemaText(schema).find(R"("caudal.value.elementId")"), std::string::npos);
  EXPECT_NE(DeltaSchemaText(schema).find(R"("caudal.element.elementId")"), std::string::npos);
}

TEST(DeltaSchema, RefusesWhatItCannotHold) {
  auto unknown = ReadDeltaSchema(R"({"type":"struct","fields":[{"name":"a","type":"timestamp_ntz"}]})");
  EXPECT_EQ(unknown.error().kind, ErrorKind::kUnsupported);
  for (const char* text : {"", "[]", "{}", R"({"type":"struct","fields":[1]})",
                           R"({"type":"struct","fields":[{"name":"a","type":{"type":"array"}}]})"}) {
    EXPECT_FALSE(ReadDeltaSchema(text)) << text;
  }
}

TEST(DeltaStats, WritesBoundsThatNeverLoseARow) {
  std::map<std::string, ColumnStats> columns;
  columns["i"] = {"-5", "9223372036854775807", 0, false};
  columns["d"] = {"-0.50", "99999999999999999999999999999999999.99", 1, false};
  columns["f"] = {"1e-05", "2.5", 0, false};
  columns["day"] = {"2026-01-01", "2026-01-31", 0, false};
  columns["t"] = {"2026-01-01 01:00:00.123456+00", "2026-01-01 02:00:00.123456+00", 0, false};
  columns["s"] = {"abc", std::string(40, 'z'), 2, false};
  columns["yes"] = {"false", "true", 0, false};
  columns["b"] = {"a", "b", 0, false};
  columns["a \"b\".zip"] = {"1", "2", 3, false};
  columns["a \"b\".geo.x"] = {"1.0", "inf", 0, false};
  columns["p"] = {"x", "x", 0, false};
  columns["unknown"] = {"x", "x", 0, false};
  std::string text = DeltaStatsText(Everything(), {"P"}, 7, columns);
  EXPECT_EQ(text,
            R"({"numRecords":7,"minValues":{"i":-5,"d":-0.50,"f":1e-05,"day":"2026-01-01","t":"2026-01-01T01:00:00.123Z",)"
            R"("s":"abc","a \"b\"":{"zip":"1"}},"maxValues":{"i":9223372036854775807,"d":99999999999999999999999999999999999.99,)"
            R"("f":2.5,"day":"2026-01-31","t":"2026-01-01T02:00:00.124Z","s":")" +
                std::string(31, 'z') +
                R"({","a \"b\"":{"zip":"2"}},"nullCount":{"i":0,"d":1,"f":0,"day":0,"t":0,"s":2,"yes":0,"b":0,)"
                R"("a \"b\"":{"zip":3,"geo":{"x":0}}}})");

  auto read = DeltaStatsReader(Everything()).Read(text);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->rows, 7);
  EXPECT_EQ(read->columns["d"].max, "99999999999999999999999999999999999.99") << "all digits, no double";
  EXPECT_EQ(read->columns["d"].min, "-0.50");
  EXPECT_EQ(read->columns["i"].max, "9223372036854775807");
  EXPECT_EQ(read->columns["t"].min, "2026-01-01 01:00:00.123+00");
  EXPECT_EQ(read->columns["t"].max, "2026-01-01 02:00:00.124+00") << "rounded up";
  EXPECT_EQ(read->columns["a \"b\".zip"].null_count, 3);
  EXPECT_FALSE(read->columns["a \"b\".geo.x"].max);
  EXPECT_FALSE(read->columns.contains("p"));
  EXPECT_EQ(DeltaStatsText(Everything(), {"p"}, read->rows, read->columns), text) << "what is read writes the same";
}

TEST(DeltaStats, LeavesOutWhatIsNoBound) {
  std::map<std::string, ColumnStats> columns;
  columns["f"] = {"1.0", "2.0", 0, true};  // NaN somewhere
  columns["day"] = {"0044-03-15 (BC)", "infinity", std::nullopt, false};
  columns["t"] = {"-infinity", "2026-01-01 00:00:00+00", std::nullopt, false};
  EXPECT_EQ(DeltaStatsText(Everything(), {}, 1, columns),
            R"({"numRecords":1,"maxValues":{"t":"2026-01-01T00:00:00.000Z"},"nullCount":{"f":0}})");
  EXPECT_EQ(DeltaStatsText(Everything(), {}, 0, {}), R"({"numRecords":0})");
}

TEST(DeltaStats, TextBoundsAtCodePoints) {
  std::string snow = "☃";
  std::string many;
  for (int i = 0; i < 40; ++i) many += snow;
  std::string cut = many.substr(0, 32 * snow.size());
  EXPECT_EQ(LowerTextBound(many), cut);
  EXPECT_EQ(*UpperTextBound(many), cut.substr(0, 31 * snow.size()) + "☄");
  EXPECT_EQ(*UpperTextBound("short"), "short");
  std::string top = "\xF4\x8F\xBF\xBF";  // the greatest code point cannot be followed
  std::string tops;
  for (int i = 0; i < 33; ++i) tops += top;
  EXPECT_FALSE(UpperTextBound(tops));
  EXPECT_EQ(*UpperTextBound("a" + tops), "b");
  EXPECT_EQ(*UpperTextBound(std::string("ab\xE2\x98")), "ac") << "a sequence that the footer cut off";
  EXPECT_EQ(LowerTextBound(std::string("ab\xE2\x98")), "ab");
  EXPECT_EQ(*UpperTextBound(std::string(31, 'a') + "\xED\x9F\xBF" + "zz"), std::string(31, 'a') + "\xEE\x80\x80")
      << "surrogates are jumped over";
}

TEST(DeltaStats, RefusesBrokenText) {
  EXPECT_EQ(DeltaStatsReader(Everything()).Read("{\"numRecords\":").error().kind, ErrorKind::kCorruption);
  EXPECT_TRUE(DeltaStatsReader(Everything()).Read(R"({"numRecords":1,"minValues":{"gone":1,"i":null},"tightBounds":true})"));
}

}  // namespace
}  // namespace caudal
