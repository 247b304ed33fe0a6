#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connect/source_testing.h"

namespace caudal {
namespace {

using ::testing::HasSubstr;

struct Split {
  TempFolder folder;
  std::string error;
  StagedRead read;
  std::string records;

  Split(const std::string& kind, const std::string& text, std::vector<std::string> selector = {}, std::size_t piece = 3) {
    StagingOptions options;
    options.folder = folder.path();
    StagingSink sink(std::move(options));
    ChunkFormat format;
    format.kind = kind;
    format.selector = std::move(selector);
    Status status = sink.Begin("body", format);
    for (std::size_t i = 0; status && i < text.size(); i += piece) status = sink.Append(text.substr(i, piece));
    if (status) status = sink.End();
    if (!status) {
      error = status.error().message;
      return;
    }
    read = *sink.Finish();
    for (const StagedBatch& batch : read.batches) records += Contents(batch.path);
  }
};

TEST(JsonSplitter, CopiesRecordsAsTheyWereWritten) {
  const Split split("json", "{\"meta\": 1, \"data\": {\"items\": [\n {\"id\": 1.10, \"s\": \"a\\\"}]\"},\n{\"id\":2,\"z\":[{\"k\":[]}]}]}}",
                    {"data", "items"});
  EXPECT_EQ(split.error, "");
  EXPECT_EQ(split.records, "0\t1\t{\"id\": 1.10, \"s\": \"a\\\"}]\"}\n0\t2\t{\"id\":2,\"z\":[{\"k\":[]}]}\n");
}

TEST(JsonSplitter, TakesRootsMembersAndNulls) {
  EXPECT_EQ(Split("json", "[{\"a\":1},{\"a\":2}]").read.chunks[0].rows, 2);
  EXPECT_EQ(Split("json", "{\"a\":1}").records, "0\t1\t{\"a\":1}\n");
  EXPECT_EQ(Split("json", "{\"data\":null}", {"data"}).read.chunks[0].rows, 0);
  EXPECT_EQ(Split("json", "{\"g\":{\"x\":[{\"a\":1}],\"y\":[{\"a\":2}]}}", {"g", "*"}).read.chunks[0].rows, 2);
  EXPECT_EQ(Split("json", "[]").read.chunks[0].rows, 0);
}

TEST(JsonSplitter, RejectsRecordsThatAreNoObjects) {
  const Split split("json", "[{\"a\":1}, 5, \"x\"]");
  EXPECT_EQ(split.read.rejected, 2);
  EXPECT_EQ(split.read.chunks[0].rows, 3);
}

TEST(JsonSplitter, SaysWhatIsWrong) {
  EXPECT_THAT(Split("json", "").error, HasSubstr("body is empty"));
  EXPECT_THAT(Split("json", "[{\"a\":1},{\"a\":").error, HasSubstr("ends inside record 2"));
  EXPECT_THAT(Split("json", "<html>").error, HasSubstr("is HTML or XML"));
  EXPECT_THAT(Split("json", "{\"a\":1}\n{\"a\":2}").error, HasSubstr("format: ndjson"));
  EXPECT_THAT(Split("json", "{\"x\":1,\"y\":2}", {"data"}).error, HasSubstr("members at the top: x, y"));
  EXPECT_THAT(Split("json", "[{\"a\" 1}]").error, HasSubstr("is no valid JSON"));
  EXPECT_THAT(Split("json", "[{\"a\": truu}]").error, HasSubstr("truu"));
}

TEST(LineSplitter, NumbersLinesAndSkipsBlankOnes) {
  const Split split("ndjson", "\xEF\xBB\xBF{\"a\":1}\r\n\n{\"a\":\t2}\n");
  EXPECT_EQ(split.records, "0\t1\t{\"a\":1}\n0\t3\t{\"a\": 2}\n");
}

TEST(LineSplitter, TellsACutLineFromAMissingLineEnd) {
  EXPECT_EQ(Split("ndjson", "{\"a\":1}\n{\"a\":2}").read.chunks[0].rows, 2);
  EXPECT_THAT(Split("ndjson", "{\"a\":1}\n{\"a\":").error, HasSubstr("ends inside line 2; the file is cut"));
}

}  // namespace
}  // namespace caudal
