#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connect/source_testing.h"

namespace caudal {
namespace {

using ::testing::HasSubstr;

/// Splits `text` given in pieces of `piece` bytes; error text where it fails.
struct Split {
  TempFolder folder;
  std::string error;
  StagedRead read;
  std::string records;

  explicit Split(const std::string& text, ChunkFormat format = {}, std::size_t piece = std::size_t{1} << 20) {
    StagingOptions options;
    options.folder = folder.path();
    StagingSink sink(std::move(options));
    Status status = sink.Begin("day.csv", format);
    for (std::size_t i = 0; status && i < text.size(); i += piece) status = sink.Append(text.substr(i, piece));
    if (status) status = sink.End();
    if (!status) {
      error = status.error().message;
      return;
    }
    read = *sink.Finish();
    for (const StagedBatch& batch : read.batches) records += Contents(batch.path);
  }
  std::string rejects() const { return read.rejects_path.empty() ? "" : Contents(read.rejects_path); }
};

TEST(CsvSplitter, NumbersTheLinesAndKeepsTheRecords) {
  const Split split("a,b\n1,x\n2,\"y,z\"\n");
  EXPECT_EQ(split.error, "");
  EXPECT_EQ(split.records, "0,2,1,x\n0,3,2,\"y,z\"\n");
  EXPECT_EQ(split.read.chunks[0].rows, 2);
  EXPECT_EQ(split.read.batches[0].columns, (std::vector<std::string>{"a", "b"}));
}

TEST(CsvSplitter, GivesTheSameForEveryCutOfTheBytes) {
  std::string text = "\xEF\xBB\xBF\"a\",b,c\r\n";
  for (int i = 0; i < 3000; ++i) {
    text += std::to_string(i) + ",\"multi\r\nline \"\"" + std::to_string(i) + "\"\"\",5\" pipe\r\n";
    if (i % 100 == 0) text += "\r\n";
  }
  const Split whole(text);
  ASSERT_EQ(whole.error, "");
  EXPECT_EQ(whole.read.chunks[0].rows, 3000);
  EXPECT_TRUE(whole.read.batches[0].multiline);
  for (const std::size_t piece : {1, 7, 4096}) {
    EXPECT_TRUE(Split(text, {}, piece).records == whole.records) << piece;
  }
  // Lines count inside quotes, and blank ones count, too.
  EXPECT_NE(whole.records.find("\n0,5,\"1\",\"multi\r\nline \"\"1\"\"\",\"5\"\" pipe\"\n"), std::string::npos);
}

TEST(CsvSplitter, WritesAnewWhatReadersDisagreeAbout) {
  EXPECT_EQ(Split("a,b\n5\" pipe,x\n").records, "0,2,\"5\"\" pipe\",\"x\"\n");
  EXPECT_EQ(Split("a,b\nx\ry,\n").records, "0,2,\"x\ry\",\n");
}

TEST(CsvSplitter, RejectsRaggedRowsWithTheirPlace) {
  const Split split("a,b,c\n1,2\n1,2,3\n1,2,3,4\n\"x\"y,2,3\n");
  EXPECT_EQ(split.records, "0,3,1,2,3\n");
  EXPECT_EQ(split.read.rejected, 3);
  EXPECT_EQ(split.read.chunks[0].rows, 4);
  EXPECT_THAT(split.rejects(), HasSubstr(R"("reason":"has 2 fields, the header has 3","row":2,"text":"1,2")"));
  EXPECT_THAT(split.rejects(), HasSubstr(R"("reason":"has 4 fields, the header has 3","row":4)"));
  EXPECT_THAT(split.rejects(), HasSubstr(R"("reason":"has text behind a closing quote","row":5)"));
}

TEST(CsvSplitter, RefusesFilesThatAreCut) {
  EXPECT_EQ(Split("a,b,c\n1,2,3\n4,5").error, "day.csv ends inside row 2 (line 3): 2 of 3 fields; the file is cut");
  EXPECT_THAT(Split("a,b\n1,2\n3,\"open\nmore\n").error, HasSubstr("ends inside a quote that opens in row 2 (line 3)"));
  EXPECT_EQ(Split("").error, "day.csv is empty: not even a header");
  EXPECT_EQ(Split("\n\n").error, "day.csv is empty: not even a header");
  // Whole by all that can be seen: the last line end alone is missing.
  EXPECT_EQ(Split("a,b\n1,2").records, "0,2,1,2\n");
  EXPECT_EQ(Split("a,b\n1,2\r").records, "0,2,1,2\n");
  EXPECT_EQ(Split("a,b\n").read.chunks[0].rows, 0);
}

TEST(CsvSplitter, RefusesWhatIsNoCsv) {
  EXPECT_THAT(Split("a,A\n1,2\n").error, HasSubstr("names the column A twice"));
  EXPECT_THAT(Split("\xFF\xFE" "a\0b", {}).error, HasSubstr("UTF-16"));
  EXPECT_THAT(Split("PAR1xxxxPAR1").error, HasSubstr("is no CSV"));
  EXPECT_THAT(Split("a,b\r1,2\r").error, HasSubstr("CR alone"));
}

TEST(CsvSplitter, ReadsLatin1AndRejectsBrokenUtf8) {
  ChunkFormat latin;
  latin.encoding = "latin-1";
  EXPECT_EQ(Split("a\ncaf\xE9\n", latin).records, "0,2,caf\xC3\xA9\n");
  const Split utf8("a\ncaf\xE9\ncaf\xC3\xA9\n");
  EXPECT_EQ(utf8.records, "0,3,caf\xC3\xA9\n");
  EXPECT_THAT(utf8.rejects(), HasSubstr("is no UTF-8 at byte 4"));
}

TEST(CsvSplitter, TakesOtherDialects) {
  ChunkFormat format;
  format.delimiter = ";";
  format.escape = "\\";
  EXPECT_EQ(Split("a;b\n\"x\\\";y\";2\n", format).records, "0;2;\"x\\\";y\";2\n");
  format.delimiter = "\t";
  format.quote = format.escape = "";
  EXPECT_EQ(Split("a\tb\n\"x\t2\n", format).records, "0\t2\t\"x\t2\n");
  format.header = false;
  format.columns = {"p", "q"};
  EXPECT_EQ(Split("1\t2\n", format).records, "0\t1\t1\t2\n");
}

TEST(CsvSplitter, KnowsWhatTheColumnsHold) {
  const Split split("i,code,d,t,b,mix\n1,007,1.5,2026-01-31 10:00:00,true,1\n-2,008,1e3,2026-02-28,FALSE,x\n,,,,,\n");
  const auto& facts = split.read.batches[0].facts;
  EXPECT_TRUE(facts[0].classes & ColumnFacts::kInteger);
  EXPECT_FALSE(facts[1].classes & ColumnFacts::kPlain);
  EXPECT_TRUE(facts[2].classes & ColumnFacts::kDouble);
  EXPECT_FALSE(facts[2].classes & ColumnFacts::kInteger);
  EXPECT_TRUE(facts[3].classes & ColumnFacts::kTimestamp);
  EXPECT_TRUE(facts[4].classes & ColumnFacts::kBoolean);
  EXPECT_EQ(facts[5].classes, 0U);
}

TEST(CsvSplitter, RefusesRecordsThatNeverEnd) {
  StagingOptions options;
  TempFolder folder;
  options.folder = folder.path();
  options.max_record_bytes = 1 << 20;
  StagingSink sink(std::move(options));
  ASSERT_TRUE(sink.Begin("x.csv", {}).has_value());
  Status status = sink.Append("a,b\n1,\"");
  for (int i = 0; status && i < 64; ++i) status = sink.Append(std::string(1 << 18, 'x'));
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr("x.csv has a record of more than 1048576 bytes at line 2"));
}

}  // namespace
}  // namespace caudal
