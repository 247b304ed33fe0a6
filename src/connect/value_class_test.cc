#include "connect/value_class.h"

#include <gtest/gtest.h>

namespace caudal {
namespace {

std::string Inferred(std::initializer_list<const char*> values) {
  ColumnFacts facts;
  for (const char* value : values) NarrowFacts(facts, value);
  return InferredType(facts).ToSql();
}

bool Fits(std::initializer_list<const char*> values, const char* type) {
  ColumnFacts facts;
  for (const char* value : values) NarrowFacts(facts, value);
  return SurelyFits(facts, *ParseType(type));
}

TEST(ValueClass, InfersOnlyWhatAllValuesAre) {
  EXPECT_EQ(Inferred({"1", "-20", ""}), "BIGINT");
  EXPECT_EQ(Inferred({"1", "2.5"}), "DOUBLE");
  EXPECT_EQ(Inferred({"17850.0", "13090.0"}), "DOUBLE");
  EXPECT_EQ(Inferred({"00123", "5"}), "VARCHAR");
  EXPECT_EQ(Inferred({"85123A", "71053"}), "VARCHAR");
  EXPECT_EQ(Inferred({"12345678901234567890"}), "VARCHAR");
  EXPECT_EQ(Inferred({"true", "False"}), "BOOLEAN");
  EXPECT_EQ(Inferred({"2026-01-31", "2024-02-29"}), "DATE");
  EXPECT_EQ(Inferred({"2026-01-31", "2026-01-31T10:00:00.123Z"}), "TIMESTAMPTZ");
  EXPECT_EQ(Inferred({"2026-02-29"}), "VARCHAR");
  EXPECT_EQ(Inferred({"12/1/2010 8:26"}), "VARCHAR");
  EXPECT_EQ(Inferred({"", ""}), "VARCHAR");
  EXPECT_EQ(Inferred({"0", "1"}), "BIGINT");
  EXPECT_EQ(Inferred({"-"}), "VARCHAR");
  EXPECT_EQ(Inferred({"1."}), "VARCHAR");
  EXPECT_EQ(Inferred({"nan", "1.5"}), "VARCHAR");
}

TEST(ValueClass, IsSureOnlyWhereNothingCanBeLost) {
  EXPECT_TRUE(Fits({"1", "999999999"}, "INTEGER"));
  EXPECT_FALSE(Fits({"9999999999"}, "INTEGER"));
  EXPECT_FALSE(Fits({"1.5"}, "BIGINT"));
  EXPECT_FALSE(Fits({"1.0"}, "BIGINT"));  // the exact cast decides
  EXPECT_TRUE(Fits({"12.34"}, "DECIMAL(12,2)"));
  EXPECT_FALSE(Fits({"12.345"}, "DECIMAL(12,2)"));
  EXPECT_FALSE(Fits({"12345678901.00"}, "DECIMAL(12,2)"));
  EXPECT_FALSE(Fits({"2026-01-31 10:00"}, "DATE"));
  EXPECT_TRUE(Fits({"2026-01-31"}, "TIMESTAMPTZ"));
  EXPECT_FALSE(Fits({"2026-01-31 10:00:00.1234567"}, "TIMESTAMPTZ"));
  EXPECT_TRUE(Fits({"2026-01-31 10:00", "2026-01-31T10:00:00-03"}, "TIMESTAMPTZ"));
  EXPECT_FALSE(Fits({"2026-01-31 10:00+05:30"}, "TIMESTAMPTZ"));
  EXPECT_TRUE(Fits({"anything"}, "VARCHAR"));
  EXPECT_TRUE(Fits({""}, "BIGINT"));
  EXPECT_FALSE(Fits({""}, "BIGINT[]"));
}

TEST(ValueClass, TextsThatSayThatThereIsNoValueNarrowNothingAndFitTextsAlone) {
  const Type number = *ParseType("BIGINT");
  ColumnFacts facts;
  facts.classes |= kNoValues;
  EXPECT_EQ(InferredType(facts).kind, TypeKind::kVarchar);
  EXPECT_FALSE(SurelyFits(facts, number));
  NarrowFacts(facts, "12");
  EXPECT_EQ(InferredType(facts), number);
  EXPECT_FALSE(SurelyFits(facts, number));
  EXPECT_TRUE(SurelyFits(facts, *ParseType("VARCHAR")));
  ColumnFacts others;
  EXPECT_FALSE(SurelyFits(JoinFacts(others, facts), number));
  EXPECT_FALSE(SurelyFits(JoinFacts(facts, others), number));
  NarrowFacts(others, "13");
  EXPECT_TRUE(SurelyFits(others, number));
  EXPECT_FALSE(SurelyFits(JoinFacts(others, facts), number));
  for (const char* text : {"x", "true", "2026-01-31"}) {
    ColumnFacts one = facts;
    NarrowFacts(one, text);
    EXPECT_EQ(InferredType(one).kind, TypeKind::kVarchar) << text;
    EXPECT_NE(one.classes & kNoValues, 0U) << text;
  }
}

}  // namespace
}  // namespace caudal
