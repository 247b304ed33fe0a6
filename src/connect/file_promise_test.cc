// Manifests and trailers: what a file must hold, and files that do not.
#include "connect/file_promise.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/ids.h"
#include "base/json.h"
#include "connect/files_testing.h"

namespace caudal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Manifest, HasThreeForms) {
  const std::string digest = Sha256Hex("x");
  for (const std::string& text : {R"({"files": [{"file": "a b.csv", "size": 12, "sha256": ")" + digest + R"(", "rows": 3}]})",
                                  R"([{"path": "./a b.csv", "bytes": "12", "SHA256": ")" + digest + R"(", "row_count": 3, "other": null}])",
                                  "name;size;sha256;rows\r\n\"a b.csv\";12;" + digest + ";3\r\n", "\xEF\xBB\xBF" "file,size,sha256,rows\na b.csv,12," + digest + ",3"}) {
    const auto all = ParseManifest("in/day.manifest", text);
    ASSERT_TRUE(all) << text << all.error().message;
    ASSERT_EQ(all->count("in/a b.csv"), 1U) << text;
    const Promise& promise = all->at("in/a b.csv");
    EXPECT_EQ(promise.size_bytes, 12);
    EXPECT_EQ(promise.sha256, digest);
    EXPECT_EQ(promise.rows, 3);
  }
  const auto sums = ParseManifest("SHA256SUMS", digest + "  a b.csv\n" + digest + " *b.csv\n");
  ASSERT_TRUE(sums);
  EXPECT_EQ(sums->at("a b.csv").sha256, digest);
  EXPECT_EQ(sums->at("b.csv").sha256, digest);
}

TEST(Manifest, SaysWhatItLacks) {
  const auto error = [](const std::string& text) { return ParseManifest("m", text).error().message; };
  EXPECT_EQ(error(" \n"), "manifest m is empty");
  EXPECT_THAT(error("{"), HasSubstr("manifest m is no JSON"));
  EXPECT_EQ(error("{\"a\": 1}"), "manifest m has no list of files");
  EXPECT_EQ(error("[{\"size\": 1}]"), "manifest m has an entry without `file`");
  EXPECT_EQ(error("file,rows\na.csv,many"), "manifest m has 'rows' of a.csv where a number belongs: many");
  EXPECT_EQ(error("file,rows\na.csv"), "manifest m has 1 fields in line 2, and 2 in its header");
  EXPECT_EQ(error("file,sha256\na.csv,123"), "manifest m has a sha256 that is none, of a.csv");
  EXPECT_EQ(error("file\n../a.csv"), "manifest m names a file outside of its folder: ../a.csv");
  EXPECT_EQ(error("file\n/etc/passwd"), "manifest m names a file outside of its folder: /etc/passwd");
}

using Promised = Files;

TEST_F(Promised, OnlyWhatAManifestListsIsLoaded) {
  stream["manifest"] = "*.manifest.csv";
  folder.Write("drops/a.csv", "a,b\n1,2\n");
  folder.Write("drops/b.csv", "a,b\n3,4\n");
  EXPECT_TRUE(Read().read->unchanged) << "no manifest yet";
  folder.Write("drops/1.manifest.csv", "file,size,rows\na.csv,8,1\n");
  const ReadDone done = Read();
  EXPECT_EQ(done.Records(), "0,2,1,2\n");
  EXPECT_THAT(done.read->notes, ElementsAre("b.csv stands in no manifest: left for the next run"));
  folder.Write("drops/2.manifest.csv", "file,size,rows\nb.csv,8,1\n");
  EXPECT_EQ(Read(done.read->cursor).Records(), "0,2,3,4\n");
}

TEST_F(Promised, RefusesAFileThatDoesNotHoldWhatTheManifestSays) {
  stream["manifest"] = "manifest.json";
  folder.Write("drops/a.csv", "a,b\n1,2\n3,4\n");
  const auto listed = [&](const Json& entry) {
    folder.Write("drops/manifest.json", DumpJson(Json{{"files", Json::array({entry})}}));
    return ErrorOf();
  };
  EXPECT_EQ(listed({{"file", "a.csv"}, {"size", 12}, {"rows", 2}, {"sha256", Sha256Hex("a,b\n1,2\n3,4\n")}}), "");
  EXPECT_EQ(listed({{"file", "a.csv"}, {"size", 13}}), "a.csv has 12 bytes, and manifest manifest.json says 13");
  EXPECT_EQ(listed({{"file", "a.csv"}, {"rows", 3}}), "a.csv has 2 rows, and manifest manifest.json says 3");
  EXPECT_EQ(listed({{"file", "a.csv"}, {"sha256", Sha256Hex("x")}}), "a.csv is not the file that manifest manifest.json describes; it is damaged or cut");
  EXPECT_EQ(listed({{"file", "a.csv"}, {"md5", std::string(32, '0')}}), "a.csv is not the file that manifest manifest.json describes; it is damaged or cut");
  EXPECT_EQ(listed({{"file", "gone.csv"}}), "gone.csv is not there, and manifest manifest.json lists it");
  EXPECT_THAT(listed({{"file", "other.txt"}}), "") << "of another stream";
}

TEST_F(Promised, CountsTheRowsOfAnArchive) {
  stream = Json{{"glob", "*.zip"}, {"manifest", "SUMS.csv"}};
  std::filesystem::create_directories(folder / "drops");
  folder.Write("make.py", "import sys, zipfile\nwith zipfile.ZipFile(sys.argv[1], 'w') as z:\n z.writestr('a.csv', 'a\\n1\\n2\\n')\n z.writestr('b.csv', 'a\\n3\\n')\n");
  Shell("python3 " + (folder / "make.py") + " " + (folder / "drops/day.zip"));
  folder.Write("drops/SUMS.csv", "file,rows\nday.zip,3\n");
  EXPECT_EQ(ErrorOf(), "");
  folder.Write("drops/SUMS.csv", "file,rows\nday.zip,4\n");
  EXPECT_EQ(ErrorOf(), "day.zip has 3 rows, and manifest SUMS.csv says 4");
}

TEST_F(Promised, HoldsAFileAgainstItsTrailer) {
  stream["trailer"] = "TRAILER;{rows}";
  folder.Write("drops/a.csv", "a;b\n1;2\n3;4\nTRAILER;2\n");
  const ReadDone done = Read();
  ASSERT_TRUE(done.read) << done.read.error().ToString();
  EXPECT_EQ(done.Records(), "0;2;1;2\n0;3;3;4\n");
  EXPECT_EQ(done.read->chunks[0].sha256, Sha256Hex("a;b\n1;2\n3;4\nTRAILER;2\n")) << "raw has the file as it came";
  EXPECT_EQ(done.read->chunks[0].format.trailer, "TRAILER;{rows}") << "so that a rebuild from raw leaves it out, too";
  folder.Write("drops/a.csv", "a;b\n1;2\n3;4\nTRAILER;3\n");
  EXPECT_EQ(ErrorOf(), "a.csv has 2 rows, and its trailer says 3");
  folder.Write("drops/a.csv", "a;b\n1;2\n");  // cut at a line end: it looks whole
  EXPECT_THAT(ErrorOf(), HasSubstr("a.csv has no trailer: its last line is '1;2'"));
  folder.Write("drops/a.csv", "a;b\n1;2\n3;4\nTRAILER;2\n");
  Shell("gzip -f " + (folder / "drops/a.csv"));
  stream["glob"] = "*.csv.gz";
  EXPECT_EQ(Read().rows(), 2);
  stream["glob"] = "*.json";
  folder.Write("drops/a.json", "[]");
  EXPECT_THAT(ErrorOf(), HasSubstr("`trailer` is for CSV and NDJSON"));
}

}  // namespace
}  // namespace caudal
