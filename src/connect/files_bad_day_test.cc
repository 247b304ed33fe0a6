// Files as they come on bad days, through `files`: what is refused, by which name and line, and what goes on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/ids.h"
#include "base/json.h"
#include "connect/files_testing.h"

namespace caudal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using BadDay = Files;

TEST_F(BadDay, AFileThatShrinksOrGrowsWhileItIsReadIsTriedAgainLater) {
  std::string text = "a,b\n";
  for (int i = 0; i < 300'000; ++i) text += "1,2\n";
  for (const bool grows : {false, true}) {
    folder.Write("drops/a.csv", text);
    int asked = 0;
    const ReadDone done = ReadFrom(connector, Request(), [&] {
      if (++asked == 3) {
        if (grows) {
          std::ofstream(folder / "drops/a.csv", std::ios::app) << "3,4\n";
        } else {
          std::filesystem::resize_file(folder / "drops/a.csv", 5000);
        }
      }
      return false;
    });
    ASSERT_FALSE(done.read) << grows;
    EXPECT_EQ(done.read.error().kind, ErrorKind::kUnavailable);
    EXPECT_EQ(done.read.error().message, "a file changed while it was read: a.csv");
  }
}

TEST_F(BadDay, ARenamedFileIsNotLoadedAgain) {
  folder.Write("drops/a.csv", "a,b\n1,2\n");
  const ReadDone first = Read();
  std::filesystem::rename(folder / "drops/a.csv", folder / "drops/b.csv");
  const ReadDone second = Read(first.read->cursor);
  EXPECT_TRUE(second.read->unchanged);
  EXPECT_THAT(second.read->notes, ElementsAre("b.csv has the content of a.csv: not loaded again"));
}

TEST_F(BadDay, RaggedRowsAreRejectedAndTheOthersGoOn) {
  folder.Write("drops/a.csv", "a,b\n1,2\n1\n1,2,3\n\"x\"y,2\n5,6\n");
  const ReadDone done = Read();
  ASSERT_TRUE(done.read) << done.read.error().ToString();
  EXPECT_EQ(done.Records(), "0,2,1,2\n0,6,5,6\n");
  EXPECT_EQ(done.read->rejected, 3);
  EXPECT_EQ(done.read->chunks[0].rows, 5);
}

TEST_F(BadDay, AQuoteThatNeverClosesIsNamedByItsLine) {
  folder.Write("drops/a.csv", "a,b\n1,2\n3,\"four\n5,6\n7,8\n");
  EXPECT_THAT(ErrorOf(), HasSubstr("a.csv ends inside"));
  EXPECT_THAT(ErrorOf(), HasSubstr("line 3"));
}

TEST_F(BadDay, AByteOrderMarkIsDroppedAndOthersAreRefused) {
  folder.Write("drops/a.csv", "\xEF\xBB\xBF" "a,b\n1,2\n");
  const ReadDone done = Read();
  ASSERT_TRUE(done.read) << done.read.error().ToString();
  EXPECT_THAT(done.read->batches[0].columns, ElementsAre("a", "b"));
  folder.Write("drops/a.csv", std::string("\xFF\xFE" "a\0,\0b\0\n\0", 10));
  EXPECT_THAT(ErrorOf(), HasSubstr("UTF-16"));
}

TEST_F(BadDay, Latin1IsReadWhereItIsStatedAndRejectedWhereNot) {
  folder.Write("drops/a.csv", "a,b\n1,caf\xE9\n2,tea\n");
  const ReadDone plain = Read();
  ASSERT_TRUE(plain.read) << plain.read.error().ToString();
  EXPECT_EQ(plain.read->rejected, 1);
  stream["encoding"] = "latin-1";
  EXPECT_EQ(Read().Records(), "0,2,1,caf\xC3\xA9\n0,3,2,tea\n");
}

TEST_F(BadDay, ADecompressionBombIsRefused) {
  std::filesystem::create_directories(folder / "drops");
  Shell("head -c 100000000 /dev/zero | tr '\\0' '\\n' | gzip > " + (folder / "drops/a.csv.gz"));
  folder.Write("drops/a.csv.gz", Contents(folder / "drops/a.csv.gz"));
  stream["glob"] = "*.gz";
  EXPECT_THAT(ErrorOf(), HasSubstr("refused as a decompression bomb"));
}

TEST_F(BadDay, WhatIsNoCsvSaysSo) {
  folder.Write("drops/a.csv", "PK\x03\x04 an archive under this name");
  EXPECT_THAT(ErrorOf(), HasSubstr("a.csv"));
  folder.Write("drops/a.csv", "");
  EXPECT_EQ(ErrorOf(), "a.csv is empty: not even a header");
}

TEST_F(BadDay, TabsAreFoundByTheExtension) {
  folder.Write("drops/a.tsv", "a,b\tc\n1,2\t3\n");
  folder.Write("drops/b.csv", "a,b\n1,2\n");
  stream["glob"] = "*.*sv";
  const ReadDone done = Read();
  ASSERT_TRUE(done.read) << done.read.error().ToString();
  EXPECT_THAT(done.read->batches[0].columns, ElementsAre("a,b", "c"));
  EXPECT_THAT(done.read->batches[1].columns, ElementsAre("a", "b"));
  stream = Json{{"glob", "*.csv"}, {"format", "tsv"}};
  EXPECT_THAT(Read().read->batches[0].columns, ElementsAre("a,b"));
}

TEST_F(BadDay, FilesThatWereLoadedMoveBehindTheCommit) {
  folder.Write("drops/a.csv", "a,b\n1,2\n");
  folder.Write("drops/a.csv.md5", Shell("md5sum " + (folder / "drops/a.csv")));
  stream = Json{{"glob", "*.csv"}, {"after_load", "move"}, {"move_to", "done/here"}};
  const ReadDone first = Read();
  ASSERT_TRUE(first.read) << first.read.error().ToString();
  const auto put = [&](const std::string& cursor) { return *connector.make_bytes()->Committed(Request(cursor)); };
  EXPECT_THAT(put(""), ElementsAre()) << "nothing is committed";
  EXPECT_TRUE(std::filesystem::exists(folder / "drops/a.csv"));
  EXPECT_THAT(put(first.read->cursor), ElementsAre("1 file moved to done/here"));
  EXPECT_TRUE(std::filesystem::exists(folder / "drops/done/here/a.csv.md5"));
  EXPECT_THAT(put(first.read->cursor), ElementsAre());
  // What was left of a move that was cut in two, and another content under the same name.
  folder.Write("drops/a.csv", "a,b\n1,2\n");
  const ReadDone again = Read(first.read->cursor);
  EXPECT_TRUE(again.read->unchanged);
  EXPECT_THAT(put(again.read->cursor), ElementsAre("1 file moved to done/here"));
  EXPECT_FALSE(std::filesystem::exists(folder / "drops/a.csv"));
  folder.Write("drops/a.csv", "a,b\n3,4\n5,6\n");
  EXPECT_THAT(put(again.read->cursor), ElementsAre()) << "it changed since it was loaded";
  const ReadDone other = Read(again.read->cursor);
  EXPECT_THAT(put(other.read->cursor), ElementsAre("1 file moved to done/here"));
  EXPECT_EQ(Contents(folder / ("drops/done/here/" + Sha256Hex("a,b\n3,4\n5,6\n").substr(0, 12) + "-a.csv")), "a,b\n3,4\n5,6\n");
}

}  // namespace
}  // namespace caudal
