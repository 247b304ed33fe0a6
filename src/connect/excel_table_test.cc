// Sheets as they are found in the world, through `files`.
#include "connect/excel_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "connect/excel_testing.h"
#include "connect/extract.h"
#include "connect/files_testing.h"
#include "connect/replay.h"
#include "connect/value_class.h"

namespace caudal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Excel : public Files {
 protected:
  Excel() { stream["glob"] = "*.xlsx"; }
  void Put(const Book& book, const std::string& name = "a.xlsx") const { folder.Write("drops/" + name, book.Bytes()); }
  std::string RecordsOf(const Book& book) const {
    Put(book);
    const ReadDone done = Read();
    return done.read ? done.Records() : done.read.error().message;
  }
  static std::string TypesOf(const ReadDone& done) {
    std::string types;
    const StagedBatch& batch = done.read->batches.at(0);
    for (std::size_t i = 0; i < batch.columns.size(); ++i) types += (i == 0 ? "" : ", ") + batch.columns[i] + " " + InferredType(batch.facts[i]).ToSql();
    return types;
  }
};

const std::string kHeader = SheetRow(1, TextCell("A1", "id") + TextCell("B1", "name"));

TEST_F(Excel, EachKindOfCellBecomesWhatACsvFileWouldSay) {
  Book book;
  book.formats = "<numFmt numFmtId=\"164\" formatCode=\"dd/mm/yyyy\\ hh:mm\"/><numFmt numFmtId=\"165\" formatCode=\"0.0%\"/>";
  book.styles = {0, 14, 164, 20, 165};
  book.strings = "<si><t>one</t></si><si><r><t>t</t></r><r><t xml:space=\"preserve\">wo </t></r><rPh sb=\"0\" eb=\"1\"><t>x</t></rPh></si>";
  std::string names;
  const char* words[] = {"number", "code", "day", "moment", "time", "share", "yes", "shared", "formula", "said"};
  for (int i = 0; i < 10; ++i) names += TextCell(std::string(1, static_cast<char>('A' + i)) + "1", words[i]);
  const std::string cells = NumberCell("A2", "12.0") + TextCell("B2", "007") + NumberCell("C2", "46053", 1) + NumberCell("D2", "46053.430902777778", 2) +
                            NumberCell("E2", "0.35416666666666669", 3) + NumberCell("F2", "0.25", 4) + "<c r=\"G2\" t=\"b\"><v>1</v></c>" +
                            "<c r=\"H2\" t=\"s\"><v>1</v></c>" + "<c r=\"I2\"><f>A2*2</f><v>24</v></c>" + "<c r=\"J2\" t=\"str\"><f>\"a\"&amp;\"\"</f><v>a \"b\", c</v></c>";
  book.sheets = {{"Sales", SheetRow(1, names) + SheetRow(2, cells)}};
  Put(book);
  const ReadDone done = Read();
  ASSERT_TRUE(done.read) << done.read.error().ToString();
  EXPECT_EQ(done.Records(), "0,2,12,007,2026-01-31,2026-01-31 10:20:30,08:30:00,0.25,true,two ,24,\"a \"\"b\"\", c\"\n");
  EXPECT_EQ(TypesOf(done), "number BIGINT, code VARCHAR, day DATE, moment TIMESTAMPTZ, time VARCHAR, share DOUBLE, yes BOOLEAN, shared VARCHAR, formula BIGINT, said VARCHAR");
  EXPECT_EQ(done.read->chunks[0].extension, "xlsx");
  EXPECT_EQ(Contents(done.read->chunks[0].raw_path), Contents(folder / "drops/a.xlsx"));
  EXPECT_EQ(done.read->chunks[0].rows, 1);
}

TEST_F(Excel, ARowKeepsItsNumberAndEmptyOnesAreLeftOut) {
  Book book;
  book.sheets = {{"S", SheetRow(3, TextCell("B3", " id ") + TextCell("D3", "na\nme")) + "<row r=\"5\"><c r=\"B5\"><v>1</v></c><c r=\"C5\"><v></v></c></row>" +
                           "<row r=\"6\"/><row r=\"7\"><c r=\"B7\" s=\"0\"/></row>" + "<row><c/><c><v>2</v></c></row>" + SheetRow(1048576, TextCell("D1048576", "a\nb"))}};
  Put(book);
  const ReadDone done = Read();
  ASSERT_TRUE(done.read) << done.read.error().ToString();
  EXPECT_EQ(done.Records(), "0,5,1,,\n0,8,2,,\n0,1048576,,,\"a\nb\"\n");
  EXPECT_THAT(done.read->batches[0].columns, ElementsAre("id", "column2", "na me"));
  EXPECT_TRUE(done.read->batches[0].multiline);
  EXPECT_EQ(done.rows(), 3);
}

TEST_F(Excel, NoValueIsNeverTakenForOne) {
  Book book;
  book.sheets = {{"S", kHeader + SheetRow(2, NumberCell("A2", "1")) + SheetRow(3, "<c r=\"A3\" t=\"e\"><v>#N/A</v></c>" + TextCell("B3", "x")) +
                           SheetRow(4, "<c r=\"A4\"><f>B4*2</f><v/></c><c r=\"B4\" t=\"str\"><f>\"\"</f><v></v></c>")}};
  Put(book);
  const ReadDone done = Read();
  ASSERT_TRUE(done.read) << done.read.error().ToString();
  EXPECT_EQ(done.Records(), "0,2,1,\n0,3,#N/A,x\n0,4,=B4*2,\n");
  EXPECT_EQ(TypesOf(done), "id BIGINT, name VARCHAR");
  EXPECT_NE(done.read->batches[0].facts[0].classes & kNoValues, 0U);
  EXPECT_FALSE(SurelyFits(done.read->batches[0].facts[0], *ParseType("BIGINT")));
  EXPECT_TRUE(SurelyFits(done.read->batches[0].facts[0], *ParseType("VARCHAR")));
}

TEST_F(Excel, AValueOutsideOfTheHeaderIsARejectedRow) {
  Book book;
  book.sheets = {{"S", SheetRow(1, TextCell("B1", "id") + TextCell("C1", "name")) + SheetRow(2, NumberCell("B2", "1")) + SheetRow(3, NumberCell("B3", "2") + TextCell("E3", "a note")) +
                           SheetRow(4, TextCell("A4", "total"))}};
  Put(book);
  const ReadDone done = Read();
  ASSERT_TRUE(done.read) << done.read.error().ToString();
  EXPECT_EQ(done.Records(), "0,2,1,\n");
  EXPECT_EQ(done.rows(), 3);
  EXPECT_EQ(done.read->rejected, 2);
  const std::string rejects = Contents(done.read->rejects_path);
  EXPECT_THAT(rejects, HasSubstr("has a value outside of the header's columns B to C, in E3"));
  EXPECT_THAT(rejects, HasSubstr("in A4"));
  EXPECT_THAT(rejects, HasSubstr("a note"));
  stream["range"] = "B1:C";
  EXPECT_EQ(Read().Records(), "0,2,1,\n0,3,2,\n");
  stream["range"] = "B1:C2";
  EXPECT_EQ(Read().rows(), 1);
}

TEST_F(Excel, RangeAndSheetSayWhereTheTableIs) {
  Book book;
  book.sheets = {{"lists", SheetRow(1, TextCell("A1", "x")), "hidden"},
                 {"Report", SheetRow(1, TextCell("A1", "Sales of May")) + SheetRow(4, TextCell("A4", "id") + TextCell("B4", "name")) + SheetRow(5, NumberCell("A5", "1") + NumberCell("C5", "9"))},
                 {"O'Brien &amp; co", SheetRow(1, NumberCell("A1", "7") + NumberCell("B1", "8")) + SheetRow(2, NumberCell("A2", "9"))}};
  Put(book);
  stream["range"] = "A4:C";
  ReadDone done = Read();
  ASSERT_TRUE(done.read) << done.read.error().ToString();
  EXPECT_EQ(done.Records(), "0,5,1,,9\n");
  EXPECT_THAT(done.read->batches[0].columns, ElementsAre("id", "name", "column3"));
  stream["range"] = "";
  stream["sheet"] = "o'brien & CO";
  stream["header"] = false;
  done = Read();
  ASSERT_TRUE(done.read) << done.read.error().ToString();
  EXPECT_EQ(done.Records(), "0,1,7,8\n0,2,9,\n");
  EXPECT_THAT(done.read->batches[0].columns, ElementsAre("column1", "column2"));
  stream["column_names"] = {"a"};
  EXPECT_EQ(ErrorOf(), "`column_names` has 1 names, row 1 of a.xlsx has 2 cells");
  stream["column_names"] = {"a", "b", "c"};
  EXPECT_EQ(Read().Records(), "0,1,7,8,\n0,2,9,,\n");
  stream["sheet"] = "sales";
  EXPECT_EQ(ErrorOf(), "a.xlsx has no sheet 'sales'; it has: 'lists' (hidden), 'Report', 'O'Brien & co'");
  stream["sheet"] = "lists";
  stream["header"] = true;
  EXPECT_EQ(Read().rows(), 0);
  stream["range"] = "Z9";
  EXPECT_EQ(ErrorOf(), "a.xlsx has no cell in sheet 'lists', Z9: not even a header");
  stream["range"] = "F5:A";
  EXPECT_EQ(ErrorOf(), "`range` names cells, such as A5, A5:F, A5:F100 or B:D, not: F5:A");
}

TEST_F(Excel, AHeaderNamesEachColumnOnce) {
  Book book;
  book.sheets = {{"S", SheetRow(2, TextCell("B2", "id") + TextCell("C2", "ID "))}};
  EXPECT_EQ(RecordsOf(book), "a.xlsx names the column ID twice in its header (cell C2)");
}

TEST_F(Excel, DaysAreCountedAsTheWorkbookSays) {
  Book book;
  book.styles = {0, 14};
  book.sheets = {{"S", SheetRow(1, TextCell("A1", "day")) + SheetRow(2, NumberCell("A2", "0", 1)) + SheetRow(3, NumberCell("A3", "44591", 1))}};
  EXPECT_EQ(RecordsOf(book), "0,2,1900-01-00\n0,3,2022-01-30\n");
  book.properties = "date1904=\"1\"";
  EXPECT_EQ(RecordsOf(book), "0,2,1904-01-01\n0,3,2026-01-31\n");
}

TEST_F(Excel, PrefixesAndOtherFoldersAreRead) {
  Book book;
  book.sheets = {{"S", kHeader + SheetRow(2, NumberCell("A2", "1"))}};
  auto parts = book.Parts();
  std::string text = parts["xl/worksheets/r0.xml"];
  for (const char* name : {"worksheet", "sheetData", "row", "c", "v", "is", "t"}) {
    for (const std::string& before : {std::string("<"), std::string("</")}) {
      for (const char* after : {">", " "}) {
        for (std::size_t at = 0; (at = text.find(before + name + after, at)) != std::string::npos; at += 3) text.replace(at, before.size(), before + "x:");
      }
    }
  }
  text.replace(text.find("xmlns="), 6, "xmlns:x=");
  parts["xl/worksheets/r0.xml"] = text;
  parts["[Content_Types].xml"] = "<Types><Override PartName=\"/odd/book.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml\"/></Types>";
  parts["odd/book.xml"] = parts["xl/workbook.xml"];
  parts["odd/_rels/book.xml.rels"] = parts["xl/_rels/workbook.xml.rels"];
  parts["odd/worksheets/r0.xml"] = text;
  for (const char* gone : {"xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/worksheets/r0.xml"}) parts.erase(gone);
  folder.Write("drops/a.xlsx", ZipOf(parts));
  EXPECT_EQ(Read().Records(), "0,2,1,\n");
}

TEST_F(Excel, WhatIsNoWorkbookIsToldByName) {
  Book book;
  book.sheets = {{"S", kHeader + SheetRow(2, NumberCell("A2", "1"))}};
  const std::string whole = book.Bytes();
  const auto error = [&](const std::string& bytes) {
    folder.Write("drops/a.xlsx", bytes);
    const ReadDone done = Read();
    EXPECT_FALSE(done.read);
    EXPECT_FALSE(done.read.error().next.empty());
    return done.read.error().message;
  };
  std::string container = "\xD0\xCF\x11\xE0" + std::string((std::size_t{1} << 20) - 10, '\0');
  for (const char c : std::string("EncryptedPackage")) container.append({c, '\0'});
  EXPECT_EQ(error(container), "a.xlsx is protected by a password");
  EXPECT_EQ(error("\xD0\xCF\x11\xE0" + std::string("..W\0o\0r\0k\0b\0o\0o\0k\0", 18)), "a.xlsx is an .xls file of Excel 97-2003, whatever its name says");
  EXPECT_THAT(error(whole.substr(0, whole.size() / 2)), HasSubstr("a.xlsx is no whole zip archive"));
  EXPECT_EQ(error("<html><table>"), "a.xlsx is no Excel file: it begins as HTML or XML does");
  EXPECT_EQ(error("id;name\n1;x\n"), "a.xlsx is no Excel file: it is text; is it CSV?");
  EXPECT_EQ(error(""), "a.xlsx is no Excel file: it is empty");
  EXPECT_EQ(error(ZipOf({{"a.csv", "x"}})), "a.xlsx is a zip archive without a workbook in it, no .xlsx");
  EXPECT_EQ(error(ZipOf({{"xl/workbook.bin", "x"}})), "a.xlsx is an .xlsb file: a binary workbook, no .xlsx");
  EXPECT_EQ(error(ZipOf({{"content.xml", "x"}})), "a.xlsx is an OpenDocument file, no .xlsx");
  auto parts = book.Parts();
  parts["xl/worksheets/r0.xml"].resize(parts["xl/worksheets/r0.xml"].size() - 20);
  EXPECT_THAT(error(ZipOf(parts)), HasSubstr("a.xlsx is damaged: xl/worksheets/r0.xml: "));
  parts.erase("xl/worksheets/r0.xml");
  EXPECT_EQ(error(ZipOf(parts)), "a.xlsx is damaged: xl/worksheets/r0.xml with sheet 'S' is missing");
}

TEST_F(Excel, HostileSheetsAreRefused) {
  const auto error = [&](const std::string& rows) {
    Book book;
    book.sheets = {{"S", kHeader + rows}};
    return RecordsOf(book);
  };
  EXPECT_EQ(error(SheetRow(2, "<c r=\"A2\" t=\"s\"><v>5</v></c>")), "a.xlsx is damaged: A2 refers to the text '5' of 0");
  EXPECT_EQ(error(SheetRow(2, NumberCell("B2", "1") + NumberCell("A2", "1"))), "a.xlsx is damaged: B2 is followed by cell 'A2'");
  EXPECT_EQ(error(SheetRow(2, NumberCell("ZZZ2", "1"))), "a.xlsx is damaged: row 2 is followed by cell 'ZZZ2'");
  EXPECT_EQ(error(SheetRow(1, NumberCell("A1", "1"))), "a.xlsx is damaged: row 1 is followed by row '1'");
  EXPECT_THAT(error(SheetRow(2, TextCell("A2", std::string(2 << 20, 'x')))), HasSubstr("a text of more than 1 MiB"));
  Book book;
  book.sheets = {{"S", kHeader}};
  auto parts = book.Parts();
  parts["xl/worksheets/r0.xml"] = "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]>" "<worksheet><sheetData/></worksheet>";
  folder.Write("drops/a.xlsx", ZipOf(parts));
  EXPECT_THAT(ErrorOf(), HasSubstr("a document type declaration"));
  parts["xl/worksheets/r0.xml"] = "<worksheet><sheetData>" + std::string(std::size_t{100} << 20, ' ') + "</sheetData></worksheet>";
  folder.Write("drops/a.xlsx", ZipOf(parts));
  EXPECT_THAT(ErrorOf(), HasSubstr("refused as a decompression bomb"));
  std::string deep = "<worksheet>";
  for (int i = 0; i < 200; ++i) deep += "<a>";
  parts["xl/worksheets/r0.xml"] = deep;
  folder.Write("drops/a.xlsx", ZipOf(parts));
  EXPECT_THAT(ErrorOf(), HasSubstr("more than 100 levels"));
}

TEST_F(Excel, ComesOutOfRawAsItWas) {
  Book book;
  book.strings = "<si><t>a_x000D_b</t></si>";
  book.sheets = {{"other", kHeader}, {"S", kHeader + SheetRow(2, NumberCell("A2", "1") + "<c r=\"B2\" t=\"s\"><v>0</v></c>") + SheetRow(4, TextCell("C4", "x"))}};
  Put(book);
  stream["sheet"] = "S";
  const ReadDone done = Read();
  ASSERT_TRUE(done.read) << done.read.error().ToString();
  EXPECT_EQ(done.Records(), "0,2,1,\"a\rb\"\n");
  const StagedChunk& chunk = done.read->chunks[0];
  const Result<ChunkFormat> format = ChunkFormatFromJson(ChunkFormatToJson(chunk.format));
  ASSERT_TRUE(format);
  EXPECT_THAT(format->selector, ElementsAre("S", ""));
  TempFolder again;
  StagingOptions to;
  to.folder = again.path();
  ReplayRequest request;
  request.objects.push_back({chunk.raw_path, "raw/x", chunk.origin, chunk.sha256, *format});
  const Result<StagedRead> replayed = Replay(request, std::move(to));
  ASSERT_TRUE(replayed) << replayed.error().ToString();
  EXPECT_EQ(Contents(replayed->batches[0].path), done.Records());
  EXPECT_EQ(replayed->rejected, 1);
}

TEST_F(Excel, AMemberOfAnArchiveIsAFileAndAnOpenOneIsNotNoticed) {
  Book book;
  book.sheets = {{"S", kHeader + SheetRow(2, NumberCell("A2", "1"))}};
  folder.Write("drops/day.zip", ZipOf({{"in/b.xlsx", book.Bytes()}}));
  folder.Write("drops/~$a.xlsx", "x");
  stream["glob"] = "*";
  const ReadDone done = Read();
  ASSERT_TRUE(done.read) << done.read.error().ToString();
  EXPECT_EQ(done.Records(), "0,2,1,\n");
  EXPECT_EQ(done.read->chunks[0].origin, "day.zip/in/b.xlsx");
  Put(book, "REPORT.XLSX");
  Shell("gzip " + (folder / "drops/REPORT.XLSX"));
  EXPECT_THAT(ErrorOf(), HasSubstr("REPORT.XLSX.gz is compressed by gzip"));
}

}  // namespace
}  // namespace caudal
