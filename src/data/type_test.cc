#include "data/type.h"

#include <gtest/gtest.h>

namespace caudal {
namespace {

std::string Sql(std::string_view text) {
  auto type = ParseType(text);
  return type ? type->ToSql() : "error: " + type.error().message;
}

TEST(Type, ReadsWhatDuckDbPrints) {
  struct Case {
    const char* text;
    const char* sql;
  };
  const Case cases[] = {
      {"BOOLEAN", "BOOLEAN"},
      {"tinyint", "TINYINT"},
      {"UTINYINT", "SMALLINT"},
      {"USMALLINT", "INTEGER"},
      {"UINTEGER", "BIGINT"},
      {"UBIGINT", "DECIMAL(20,0)"},
      {"HUGEINT", "DECIMAL(38,0)"},
      {"UHUGEINT", "DECIMAL(38,0)"},
      {"FLOAT", "FLOAT"},
      {"REAL", "FLOAT"},
      {"DOUBLE", "DOUBLE"},
      {"double  precision", "DOUBLE"},
      {"DECIMAL(12,2)", "DECIMAL(12,2)"},
      {"DECIMAL(12, 2)", "DECIMAL(12,2)"},
      {"DECIMAL(5)", "DECIMAL(5,0)"},
      {"NUMERIC", "DECIMAL(18,3)"},
      {"VARCHAR", "VARCHAR"},
      {"VARCHAR(20)", "VARCHAR"},
      {"VARCHAR COLLATE NOCASE", "VARCHAR"},
      {"BLOB", "BLOB"},
      {"DATE", "DATE"},
      {"TIME", "VARCHAR"},
      {"TIME WITH TIME ZONE", "VARCHAR"},
      {"INTERVAL", "VARCHAR"},
      {"UUID", "VARCHAR"},
      {"JSON", "VARCHAR"},
      {"BIT", "VARCHAR"},
      {"\"NULL\"", "VARCHAR"},
      {"ENUM('a', 'it''s', ',)')", "VARCHAR"},
      {"ENUM('a')[]", "VARCHAR[]"},
      {"TIMESTAMP", "TIMESTAMPTZ"},
      {"TIMESTAMP_NS", "TIMESTAMPTZ"},
      {"TIMESTAMP(3)", "TIMESTAMPTZ"},
      {"TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ"},
      {"TIMESTAMP WITHOUT TIME ZONE", "TIMESTAMPTZ"},
      {"TIMESTAMP WITH TIME ZONE[]", "TIMESTAMPTZ[]"},
      {"BIGINT[][]", "BIGINT[][]"},
      {"BIGINT[3]", "BIGINT[]"},
      {"INTEGER[2][]", "INTEGER[][]"},
      {"MAP(VARCHAR, BIGINT)", "MAP(VARCHAR, BIGINT)"},
      {"MAP(INTEGER, VARCHAR[])[]", "MAP(VARCHAR, VARCHAR[])[]"},
      {"STRUCT(a BIGINT, b VARCHAR[])", "STRUCT(a BIGINT, b VARCHAR[])"},
      {"STRUCT(\"a b\" INTEGER, \"q\"\"x\" DATE)", "STRUCT(\"a b\" INTEGER, \"q\"\"x\" DATE)"},
      {"STRUCT(\"order\" INTEGER, s STRUCT(\"left\" DECIMAL(4,1), m MAP(VARCHAR, DOUBLE)))[]",
       "STRUCT(\"order\" INTEGER, s STRUCT(\"left\" DECIMAL(4,1), m MAP(VARCHAR, DOUBLE)))[]"},
      {"STRUCT(größe INTEGER)", "STRUCT(\"größe\" INTEGER)"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Sql(c.text), c.sql) << c.text;
    EXPECT_EQ(Sql(Sql(c.text)), c.sql) << "what we print must be readable: " << c.text;
  }
}

TEST(Type, RefusesWhatNoFormatHolds) {
  std::string deep(500, '[');
  for (std::size_t i = 0; i < 500; ++i) deep.insert(2 * i + 1, "]");
  for (const std::string& text :
       {std::string(""), std::string("MONEY"), std::string("BIGINT["), std::string("BIGINT]"), std::string("STRUCT()"),
        std::string("STRUCT(a)"), std::string("STRUCT(a INTEGER, A DATE)"), std::string("STRUCT(a INTEGER"),
        std::string("MAP(VARCHAR)"), std::string("MAP(VARCHAR[], INTEGER)"), std::string("DECIMAL(39,0)"),
        std::string("DECIMAL(5,6)"), std::string("DECIMAL(x)"), std::string("ENUM('a"), std::string("\"abc"),
        std::string("UNION(a INTEGER)"), std::string("INTEGER INTEGER"), std::string("TIMESTAMP WITH"),
        "INTEGER" + deep}) {
    auto type = ParseType(text);
    ASSERT_FALSE(type) << text;
    EXPECT_EQ(type.error().kind, ErrorKind::kInvalidArgument);
    EXPECT_NE(type.error().next.find("TIMESTAMPTZ"), std::string::npos);
  }
}

TEST(Type, EqualityLooksAtNamesNotIds) {
  auto a = *ParseType("STRUCT(a INTEGER)"), b = *ParseType("STRUCT(b INTEGER)"), c = a;
  c.children[0].id = 7;
  EXPECT_FALSE(a == b);
  EXPECT_TRUE(a == c);
}

TEST(Type, Widens) {
  struct Case {
    const char* from;
    const char* to;
    bool yes;
  };
  for (const Case& c : {Case{"TINYINT", "BIGINT", true}, Case{"INTEGER", "BIGINT", true}, Case{"BIGINT", "INTEGER", false},
                        Case{"FLOAT", "DOUBLE", true}, Case{"DOUBLE", "FLOAT", false}, Case{"INTEGER", "DOUBLE", false},
                        Case{"DECIMAL(10,2)", "DECIMAL(12,2)", true}, Case{"DECIMAL(10,2)", "DECIMAL(12,3)", false},
                        Case{"DECIMAL(12,2)", "DECIMAL(10,2)", false}, Case{"DATE", "TIMESTAMPTZ", false},
                        Case{"DATE", "DATE", true}, Case{"VARCHAR", "BLOB", false}}) {
    EXPECT_EQ(Widens(*ParseType(c.from), *ParseType(c.to)), c.yes) << c.from << " -> " << c.to;
  }
}

}  // namespace
}  // namespace caudal
