#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/ids.h"
#include "base/json.h"
#include "connect/extract.h"
#include "connect/files_testing.h"

namespace caudal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(Files, LoadsNewFilesOnceInTheOrderOfTheirNames) {
  folder.Write("drops/b.csv", "a,b\n3,4\n");
  folder.Write("drops/a.csv", "a,b\n1,2\n");
  folder.Write("drops/.hidden.csv", "a,b\n9,9\n");
  const ReadDone first = Read();
  ASSERT_TRUE(first.read);
  EXPECT_EQ(first.Records(), "0,2,1,2\n1,2,3,4\n");
  EXPECT_EQ(first.read->chunks[0].origin, "a.csv");
  EXPECT_EQ(first.read->chunks[0].sha256, Sha256Hex("a,b\n1,2\n"));
  const ReadDone again = Read(first.read->cursor);
  EXPECT_TRUE(again.read->unchanged);
  folder.Write("drops/c.csv", "a,b\n5,6\n");
  EXPECT_EQ(Read(first.read->cursor).Records(), "0,2,5,6\n");
}

TEST_F(Files, ReplacesTheRowsOfAChangedFile) {
  folder.Write("drops/a.csv", "a,b\n1,2\n");
  const ReadDone first = Read();
  folder.Write("drops/a.csv", "a,b\n1,2\n3,4\n");
  const ReadDone second = Read(first.read->cursor);
  EXPECT_EQ(second.rows(), 2);
  EXPECT_EQ(second.read->replaces.at("a.csv"), 0);
  // Touched, with the same content: nothing to do.
  folder.Write("drops/a.csv", "a,b\n1,2\n3,4\n", 30);
  EXPECT_TRUE(Read(second.read->cursor).read->unchanged);
}

TEST_F(Files, LoadsAContentOnceUnderTwoNames) {
  folder.Write("drops/a.csv", "a,b\n1,2\n");
  folder.Write("drops/b.csv", "a,b\n1,2\n");
  const ReadDone done = Read();
  EXPECT_EQ(done.rows(), 1);
  EXPECT_THAT(done.read->notes, ElementsAre("b.csv has the content of a.csv: not loaded again"));
  EXPECT_TRUE(Read(done.read->cursor).read->unchanged);
}

TEST_F(Files, ReadsCompressedFilesAndKeepsThemAsTheyCame) {
  folder.Write("drops/a.csv", "a;b\n1;2\n");
  Shell("gzip " + (folder / "drops/a.csv"));
  stream["glob"] = "**/*.csv.gz";
  const std::string stored = Contents(folder / "drops/a.csv.gz");
  const ReadDone done = Read();
  ASSERT_TRUE(done.read);
  EXPECT_EQ(done.Records(), "0;2;1;2\n");
  EXPECT_EQ(done.read->chunks[0].extension, "csv.gz");
  EXPECT_EQ(Contents(done.read->chunks[0].raw_path), stored);
  folder.Write("drops/b.csv.gz", stored.substr(0, stored.size() - 6));
  EXPECT_EQ(ErrorOf(), "b.csv.gz is cut: its gzip stream ends early");
}

TEST_F(Files, NamesTheFileThatIsCutAndLoadsNothing) {
  folder.Write("drops/2010-12-14.csv", "a,b\n1,2\n3");
  EXPECT_EQ(ErrorOf(), "2010-12-14.csv ends inside row 2 (line 3): 1 of 2 fields; the file is cut");
}

TEST_F(Files, HoldsFilesAgainstTheirChecksums) {
  folder.Write("drops/a.csv", "a,b\n1,2\n");
  folder.Write("drops/a.csv.sha256", Sha256Hex("a,b\n1,2\n") + "  a.csv\n");
  EXPECT_EQ(ErrorOf(), "");
  folder.Write("drops/a.csv.sha256", Sha256Hex("other") + "  a.csv\n");
  EXPECT_EQ(ErrorOf(), "a.csv is not the file that its .sha256 describes; it is damaged or cut");
  folder.Write("drops/a.csv.sha256", "soon");
  EXPECT_EQ(ErrorOf(), "a.csv.sha256 holds no checksum");
  std::filesystem::remove(folder / "drops/a.csv.sha256");
  folder.Write("drops/a.csv.md5", Shell("md5sum " + (folder / "drops/a.csv")));
  EXPECT_EQ(ErrorOf(), "");
  folder.Write("drops/a.csv", "a,b\n1");
  EXPECT_EQ(ErrorOf(), "a.csv is not the file that its .md5 describes; it is damaged or cut");
}

TEST_F(Files, LeavesAFileThatGrows) {
  options["settle"] = "300ms";
  folder.Write("drops/a.csv", "a,b\n1,2\n");
  folder.Write("drops/z.csv", "a,b\n", 0);
  std::thread writer([&] {
    for (int i = 0; i < 60; ++i) {
      std::ofstream(folder / "drops/z.csv", std::ios::app) << "5,6\n";
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  });
  const ReadDone done = Read();
  writer.join();
  EXPECT_EQ(done.rows(), 1);
  EXPECT_THAT(done.read->notes, ElementsAre("z.csv is still being written: left for the next run"));
}

TEST_F(Files, KeepsTheDialectOfTheFirstFile) {
  folder.Write("drops/a.csv", "a;b\n1;2,5\n3;4,5\n");
  const ReadDone first = Read();
  EXPECT_EQ(first.read->chunks[0].format.delimiter, ";");
  folder.Write("drops/b.csv", "a;b\nx,y,z;2,5,5\n");
  EXPECT_EQ(Read(first.read->cursor).Records(), "0;2;x,y,z;2,5,5\n");
}

TEST_F(Files, PutsAnotherHeaderIntoABatchOfItsOwn) {
  folder.Write("drops/a.csv", "a,b\n1,2\n");
  folder.Write("drops/b.csv", "b,a,c\n2,1,3\n");
  folder.Write("drops/c.csv", "a,b\n3,4\n");
  const ReadDone done = Read();
  ASSERT_EQ(done.read->batches.size(), 2U);
  EXPECT_THAT(done.read->batches[1].columns, ElementsAre("b", "a", "c"));
  EXPECT_EQ(Contents(done.read->batches[0].path), "0,2,1,2\n2,2,3,4\n");
}

TEST_F(Files, BoundsARun) {
  for (const char* name : {"a", "b", "c"}) folder.Write(std::string("drops/") + name + ".csv", std::string("a\n") + name + "\n");
  stream["max_files"] = 2;
  const ReadDone done = Read();
  EXPECT_EQ(done.rows(), 2);
  EXPECT_THAT(done.read->notes, ElementsAre("1 files are left for the next run"));
  EXPECT_EQ(Read(done.read->cursor).Records(), "0,2,c\n");
}

TEST_F(Files, ReadsTheOtherFormats) {
  folder.Write("drops/x.ndjson", "{\"a\":1}\n{\"a\":2}\n");
  folder.Write("drops/y.json", "{\"data\":[{\"a\":3}]}");
  stream = Json{{"glob", "*json"}, {"data_selector", "data"}};
  EXPECT_EQ(Read().Records(), "0\t1\t{\"a\":1}\n0\t2\t{\"a\":2}\n1\t1\t{\"a\":3}\n");
  folder.Write("drops/z.parquet", "PAR1 cut");
  stream = Json{{"glob", "*.parquet"}};
  EXPECT_EQ(ErrorOf(), "z.parquet is cut: its Parquet footer is missing");
  folder.Write("drops/z.bin", "x");
  stream = Json{{"glob", "*.bin"}};
  EXPECT_THAT(ErrorOf(), HasSubstr("the extension does not tell the format of z.bin"));
}

TEST_F(Files, RefusesWaysOutOfTheLocation) {
  folder.Write("secret.csv", "a\n1\n");
  folder.Write("drops/a.csv", "a\n1\n");
  std::filesystem::create_symlink(folder / "drops/a.csv", folder / "drops/inside.csv");
  EXPECT_EQ(ErrorOf(), "");
  std::filesystem::create_symlink(folder / "secret.csv", folder / "drops/out.csv");
  EXPECT_EQ(ErrorOf(), "a symlink leads out of the location: out.csv");
  stream["glob"] = "../*.csv";
  EXPECT_THAT(ErrorOf(), HasSubstr("has no '..'"));
}

TEST_F(Files, SaysWhatIsWrongWithTheLocation) {
  const auto source = connector.make_bytes();
  const auto check = [&](const Json& with) {
    options = with;
    const Status status = source->Check(Request());
    return status ? "" : std::string(KindName(status.error().kind));
  };
  folder.Write("drops/a.csv", "a\n1\n");
  EXPECT_EQ(check({{"location", "drops"}}), "");
  EXPECT_EQ(check({{"location", folder / "drops"}}), "");
  EXPECT_EQ(check({{"location", "nowhere"}}), "not_found");
  EXPECT_EQ(check({{"location", "drops/a.csv"}}), "invalid_argument");
}

TEST_F(Files, RebuildsTheSameRecordsFromRaw) {
  folder.Write("drops/a.csv", "a,b\n1,2\n\"x\ny\",4\n1\n");
  folder.Write("drops/b.csv", "b,a\n5,6\n");
  const ReadDone done = Read();
  ReplayRequest replay;
  for (const StagedChunk& chunk : done.read->chunks) {
    replay.objects.push_back({chunk.raw_path, "raw/" + chunk.origin, chunk.origin, chunk.sha256, chunk.format});
  }
  TempFolder staging;
  ExtractJob job;
  job.kind = ExtractJob::Kind::kReplay;
  job.staging_folder = staging.path();
  job.request = ReplayRequestToJson(replay);
  const Result<ExtractResult> result = RunExtractJob(job, BuiltinRegistry(), {}, {});
  ASSERT_TRUE(result) << result.error().message;
  const StagedRead read = *StagedReadFromJson(*ParseJson(result->answer, ""));
  std::string records;
  for (const StagedBatch& batch : read.batches) records += Contents(batch.path);
  EXPECT_EQ(records, done.Records());
  EXPECT_EQ(read.rejected, 1);
  replay.objects[1].sha256[0] ^= 1;
  job.request = ReplayRequestToJson(replay);
  TempFolder other;
  job.staging_folder = other.path();
  EXPECT_THAT(RunExtractJob(job, BuiltinRegistry(), {}, {}).error().message, HasSubstr("SHA-256 differs"));
}

}  // namespace
}  // namespace caudal
