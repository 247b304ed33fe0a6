#include "connect/cell_range.h"

#include <gtest/gtest.h>

namespace caudal {
namespace {

TEST(CellRange, CellsHaveNames) {
  EXPECT_EQ(CellOfName("A1")->column, 1U);
  EXPECT_EQ(CellOfName("AA10")->column, 27U);
  EXPECT_EQ(CellOfName("xfd1048576")->column, kMostSheetColumns);
  EXPECT_EQ(CellOfName("XFD1048576")->row, kMostSheetRows);
  for (const char* none : {"", "A", "1", "A0", "XFE1", "A1048577", "1A", "A1B", "A-1", "AAAAAAAAAAAAAAAAAAAAAAAA1", "A99999999999999999999"}) {
    EXPECT_FALSE(CellOfName(none)) << none;
  }
  for (const std::size_t column : {1U, 26U, 27U, 702U, 703U, 16384U}) EXPECT_EQ(CellOfName(ColumnLetters(column) + "1")->column, column);
}

TEST(CellRange, WhatIsNotSaidGoesAsFarAsThereAreCells) {
  const auto text = [](const char* range) -> std::string {
    const Result<CellRange> parsed = ParseCellRange(range);
    if (!parsed) return "error";
    return std::to_string(parsed->first_row) + "-" + (parsed->last_row == kMostSheetRows ? "" : std::to_string(parsed->last_row)) + " " +
           (parsed->first_column ? ColumnLetters(*parsed->first_column) : "") + "-" + (parsed->last_column ? ColumnLetters(*parsed->last_column) : "");
  };
  EXPECT_EQ(text(""), "1- -");
  EXPECT_EQ(text("A5"), "5- A-");
  EXPECT_EQ(text("$A$5:$F"), "5- A-F");
  EXPECT_EQ(text("A5:F100"), "5-100 A-F");
  EXPECT_EQ(text("B:D"), "1- B-D");
  EXPECT_EQ(text("5:7"), "5-7 -");
  for (const char* bad : {":", "A5:", ":F", "x5y", "F5:A9", "A9:F5", "A5:F9:G1", "Sheet1!A5", "A0"}) EXPECT_EQ(text(bad), "error") << bad;
}

}  // namespace
}  // namespace caudal
