#include "data/schema.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "data/data_file.h"

namespace caudal {
namespace {

Schema Columns(std::vector<std::pair<std::string, std::string>> columns) {
  Schema schema;
  for (auto& [name, type] : columns) schema.fields.push_back(Field{name, *ParseType(type), 0});
  return schema;
}

TEST(Schema, FindsWithoutRegardToCase) {
  Schema schema = Columns({{"Order_Id", "BIGINT"}});
  ASSERT_NE(schema.Find("ORDER_ID"), nullptr);
  EXPECT_EQ(schema.Find("order"), nullptr);
}

TEST(Schema, IdsArePreOrderAndNeverReused) {
  Schema first = Columns({{"a", "BIGINT"}, {"tags", "VARCHAR[]"}, {"s", "STRUCT(x INTEGER, m MAP(VARCHAR, DATE))"}});
  std::int32_t max = 0;
  AssignFieldIds(Schema(), first, max);
  EXPECT_EQ(max, 8);
  EXPECT_EQ(first.fields[1].id, 2);
  EXPECT_EQ(first.fields[1].type.children[0].id, 3);
  EXPECT_EQ(first.fields[2].type.children[1].type.children[1].id, 8);

  Schema second = Columns({{"new", "DATE"}, {"A", "BIGINT"}, {"s", "STRUCT(y INTEGER, x INTEGER)"}});
  AssignFieldIds(first, second, max);
  EXPECT_EQ(second.fields[0].id, 9);
  EXPECT_EQ(second.fields[1].id, 1);
  EXPECT_EQ(second.fields[2].type.children[0].id, 10);
  EXPECT_EQ(second.fields[2].type.children[1].id, 5);
  EXPECT_EQ(max, 10);
}

TEST(Schema, RoundTripsThroughJson) {
  Schema schema = Columns({{"a \"b\"", "DECIMAL(9,2)"}, {"s", "STRUCT(\"x y\" INTEGER[], m MAP(VARCHAR, DATE))"}});
  std::int32_t max = 0;
  AssignFieldIds(Schema(), schema, max);
  auto read = SchemaFromJson(SchemaToJson(schema));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_TRUE(*read == schema);
  EXPECT_EQ(SchemaToJson(*read), SchemaToJson(schema));
  EXPECT_FALSE(SchemaFromJson(Json{{"a", 1}}));
  EXPECT_FALSE(SchemaFromJson(Json::parse(R"([{"name":"a","type":"MONEY","id":1}])")));
  auto twice = SchemaFromJson(Json::parse(R"([{"name":"a","type":"DATE"},{"name":"A","type":"DATE"}])"));
  EXPECT_TRUE(twice) << "a query may give two columns of one name; who makes a table of it refuses them";
}

TEST(Schema, Quotes) {
  EXPECT_EQ(QuoteIdentifier("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(QuoteLiteral("it's"), "'it''s'");
  EXPECT_EQ(QuoteTable("silver", "orders"), "\"silver\".\"orders\"");
}

TEST(WrittenFile, RoundTripsThroughJson) {
  WrittenFile file;
  file.path = "/tmp/x.parquet";
  file.rows = 5;
  file.size_bytes = 99;
  file.partition = {{"day", "2026-01-01"}, {"region", std::nullopt}};
  file.columns["a.b"] = ColumnStats{"1", "9", 2, true};
  file.columns["c"] = ColumnStats{};
  auto read = WrittenFileFromJson(WrittenFileToJson(file));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(WrittenFileToJson(*read), WrittenFileToJson(file));
  EXPECT_EQ(read->partition, file.partition);
  EXPECT_TRUE(read->columns["a.b"].has_nan);
  EXPECT_FALSE(read->columns["c"].null_count);
  EXPECT_FALSE(WrittenFileFromJson(Json::object()));
}

}  // namespace
}  // namespace caudal
