#include "connect/excel_value.h"

#include <gtest/gtest.h>

namespace caudal {
namespace {

TEST(ExcelValue, AFormatTellsWhatANumberIs) {
  const std::pair<const char*, NumberForm> cases[] = {
      {"General", NumberForm::kNumber},
      {"0.00%", NumberForm::kNumber},
      {"0.00E+00", NumberForm::kNumber},
      {"#,##0.00\\ \"days\"", NumberForm::kNumber},
      {"[Red]#,##0;[Blue]-#,##0", NumberForm::kNumber},
      {"[$-409]0.0", NumberForm::kNumber},
      {"0_d;yyyy", NumberForm::kNumber},
      {"General\" h\"", NumberForm::kNumber},
      {"yyyy-mm-dd", NumberForm::kDate},
      {"mmm", NumberForm::kDate},
      {"[$-F800]dddd\\,\\ mmmm\\ dd\\,\\ yyyy", NumberForm::kDate},
      {"d/m/yy h:mm", NumberForm::kMoment},
      {"h:mm AM/PM", NumberForm::kTime},
      {"mm:ss.0", NumberForm::kTime},
      {"[h]:mm:ss", NumberForm::kElapsed},
      {"[mm]:ss", NumberForm::kElapsed},
      {"[", NumberForm::kNumber},
      {"\"", NumberForm::kNumber},
      {"\\", NumberForm::kNumber},
      {"", NumberForm::kNumber},
  };
  for (const auto& [code, form] : cases) EXPECT_EQ(FormOfCode(code), form) << code;
  EXPECT_EQ(FormOfId(0), NumberForm::kNumber);
  EXPECT_EQ(FormOfId(14), NumberForm::kDate);
  EXPECT_EQ(FormOfId(22), NumberForm::kMoment);
  EXPECT_EQ(FormOfId(21), NumberForm::kTime);
  EXPECT_EQ(FormOfId(46), NumberForm::kElapsed);
  EXPECT_EQ(FormOfId(49), NumberForm::kNumber);
}

TEST(ExcelValue, NumbersAreWhatTheyWereBeforeExcelRoundedThem) {
  const std::pair<const char*, const char*> cases[] = {
      {"12", "12"},
      {"12.0", "12"},
      {"-0", "0"},
      {"0.0", "0"},
      {"1.1000000000000001", "1.1"},     // how Excel writes 1.1
      {"29.990000000000002", "29.99"},   // 9.99 + 20
      {"0.30000000000000004", "0.3"},
      {"2.9999999999999996", "3"},
      {"0.3333333333333333", "0.3333333333333333"},
      {"0.1234567890123456", "0.1234567890123456"},
      {"1234567890123456789", "1234567890123456789"},
      {"1234567890123456.5", "1234567890123456.5"},
      {"1E+3", "1000"},
      {"1.5E+17", "150000000000000000"},
      {"1E+20", "1e+20"},
      {"1.5E-7", "1.5e-07"},
      {"-42.5", "-42.5"},
      {"007", "7"},
      {"x", "x"},
      {"1e999", "1e999"},
      {"nan", "nan"},
      {"0x10", "0x10"},
      {"1 ", "1 "},
  };
  for (const auto& [written, text] : cases) EXPECT_EQ(NumberText(written, NumberForm::kNumber, false), text) << written;
}

TEST(ExcelValue, DatesKeepTheTimeThatTheirFormatHides) {
  const auto text = [](const char* written, NumberForm form) { return NumberText(written, form, false); };
  EXPECT_EQ(text("46053", NumberForm::kDate), "2026-01-31");
  EXPECT_EQ(text("46053.5", NumberForm::kDate), "2026-01-31 12:00:00");
  EXPECT_EQ(text("46053", NumberForm::kMoment), "2026-01-31 00:00:00");
  EXPECT_EQ(text("46053.5", NumberForm::kTime), "2026-01-31 12:00:00");
  EXPECT_EQ(text("36525.99999998842", NumberForm::kMoment), "1999-12-31 23:59:59.999");
  EXPECT_EQ(text("46053.999999999", NumberForm::kMoment), "2026-02-01 00:00:00");
  EXPECT_EQ(text("0.99998842592592586", NumberForm::kTime), "23:59:59");
  EXPECT_EQ(text("1.5", NumberForm::kElapsed), "36:00:00");
  EXPECT_EQ(text("1", NumberForm::kDate), "1900-01-01");
  EXPECT_EQ(text("59", NumberForm::kDate), "1900-02-28");
  EXPECT_EQ(text("60", NumberForm::kDate), "1900-02-29");  // Excel's own; no calendar has it, so a DATE column rejects it
  EXPECT_EQ(text("61", NumberForm::kDate), "1900-03-01");
  EXPECT_EQ(text("2958465", NumberForm::kDate), "9999-12-31");
  EXPECT_EQ(text("2958466", NumberForm::kDate), "2958466");
  EXPECT_EQ(text("-1", NumberForm::kDate), "-1");
  EXPECT_EQ(NumberText("1461", NumberForm::kDate, true), "1908-01-01");
}

TEST(ExcelValue, EscapesAreCharacters) {
  EXPECT_EQ(WithoutEscapes("a_x000D_b"), "a\rb");
  EXPECT_EQ(WithoutEscapes("_x005F_x000D_"), "_x000D_");
  EXPECT_EQ(WithoutEscapes("_x00E9__x20AC_"), "é€");
  for (const char* same : {"", "plain", "_x", "_x000", "_x000D", "_xZZZZ_", "_xD800_", "_x0000_", "__x", "_x12_x"}) EXPECT_EQ(WithoutEscapes(same), same);
}

}  // namespace
}  // namespace caudal
