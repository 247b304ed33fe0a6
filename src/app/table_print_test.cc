#include "app/table_print.h"

#include <gtest/gtest.h>

#include "app/console.h"
#include "base/json.h"

namespace caudal {
namespace {

Field Column(const char* name, TypeKind kind) {
  Type type;
  type.kind = kind;
  return Field{name, type, 0};
}

Rows Sample() {
  Rows rows;
  rows.schema.fields = {Column("name", TypeKind::kVarchar), Column("n", TypeKind::kBigint)};
  rows.rows = {{Cell("a"), Cell("7")}, {std::nullopt, Cell("1200")}};
  return rows;
}

TEST(FormatTableTest, PutsNumbersToTheRightAndShowsNull) {
  EXPECT_EQ(FormatTable(TextTableOf(Sample()), TextLayout{}),
            "name     n\n"
            "----  ----\n"
            "a        7\n"
            "NULL  1200\n");
}

TEST(FormatTableTest, CutsWideTextByColumnsOfTheScreen) {
  TextTable table{{{"x", false}}, {{Cell("äöüäöüäöü")}, {Cell("漢字漢字漢字")}}};
  TextLayout layout;
  layout.cell_width = 5;
  EXPECT_EQ(FormatTable(table, layout), "x\n-----\näöüä…\n漢字…\n");
}

TEST(FormatTableTest, LetsNoDataMoveTheCursor) {
  TextTable table{{{"x", false}}, {{Cell("a\x1b[2Jb\nc\r\td\x7f")}}};
  EXPECT_EQ(FormatTable(table, TextLayout{}), "x\n-------------------------\na\\u001b[2Jb\\nc\\r\\td\\u007f\n");
}

TEST(FormatTableTest, NamesTheColumnsThatDoNotFit) {
  TextTable table{{{"first", false}, {"second", false}, {"third", false}}, {{Cell("1"), Cell("2"), Cell("3")}}};
  TextLayout layout;
  layout.line_width = 14;
  EXPECT_EQ(FormatTable(table, layout), "first\n-----\n1\n(2 more columns do not fit: second third)\n");
}

TEST(FormatTableTest, TakesBrokenUtf8) {
  TextTable table{{{"x", false}}, {{Cell("a\xff\xc3")}}};
  EXPECT_EQ(FormatTable(table, TextLayout{}), "x\n---\na\xEF\xBF\xBD\xEF\xBF\xBD\n");
}

TEST(FormatCsvTest, QuotesByTheRfcAndTellsNullFromEmpty) {
  Rows rows;
  rows.schema.fields = {Column("a", TypeKind::kVarchar), Column("b,c", TypeKind::kVarchar)};
  rows.rows = {{Cell("say \"hi\""), Cell("x\ny")}, {std::nullopt, Cell("")}};
  EXPECT_EQ(FormatCsv(rows, false), "a,\"b,c\"\r\n\"say \"\"hi\"\"\",\"x\ny\"\r\n,\"\"\r\n");
}

TEST(FormatCsvTest, MarksFormulasOnlyWhereAsked) {
  Rows rows;
  rows.schema.fields = {Column("t", TypeKind::kVarchar), Column("n", TypeKind::kBigint)};
  rows.rows = {{Cell("=1+1"), Cell("-5")}};
  EXPECT_EQ(FormatCsv(rows, false), "t,n\r\n=1+1,-5\r\n");
  EXPECT_EQ(FormatCsv(rows, true), "t,n\r\n'=1+1,-5\r\n");
}

TEST(RowsDocumentTest, KeepsTypes) {
  Rows rows;
  rows.schema.fields = {Column("a", TypeKind::kBigint), Column("f", TypeKind::kDouble), Column("b", TypeKind::kBoolean),
                        Column("d", TypeKind::kDecimal)};
  rows.rows = {{Cell("9007199254740993"), Cell("0.5"), Cell("true"), Cell("1.10")},
               {std::nullopt, Cell("inf"), Cell("false"), std::nullopt}};
  EXPECT_EQ(RowsDocument(rows).dump(),
            R"([{"a":9007199254740993,"b":true,"d":"1.10","f":0.5},{"a":null,"b":false,"d":null,"f":"inf"}])");
}

TEST(ConsoleTextTest, WritesNumbersSizesAndTimesForEyes) {
  EXPECT_EQ(Grouped(0), "0");
  EXPECT_EQ(Grouped(999), "999");
  EXPECT_EQ(Grouped(-1234567), "-1,234,567");
  EXPECT_EQ(Counted(1, "row"), "1 row");
  EXPECT_EQ(Counted(42481, "row"), "42,481 rows");
  EXPECT_EQ(SizeText(999), "999 B");
  EXPECT_EQ(SizeText(1'200'000), "1.2 MB");
  EXPECT_EQ(SizeText(999'999), "1.0 MB");
  EXPECT_EQ(SizeText(210'000'000), "210 MB");
  EXPECT_EQ(SecondsText(std::chrono::milliseconds(840)), "0.8 s");
  EXPECT_EQ(SecondsText(std::chrono::milliseconds(125'000)), "2 min 05 s");
  EXPECT_EQ(SecondsText(std::chrono::minutes(63)), "1 h 03 min");
}

TEST(ConsoleTextTest, QuotesForTheShellOnlyWhatNeedsIt) {
  EXPECT_EQ(ShellQuoted("/srv/shop-1"), "/srv/shop-1");
  EXPECT_EQ(ShellQuoted("my shop"), "'my shop'");
  EXPECT_EQ(ShellQuoted("it's"), "'it'\\''s'");
  EXPECT_EQ(ShellQuoted(""), "''");
}

}  // namespace
}  // namespace caudal
