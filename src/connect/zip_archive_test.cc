// Archives as Python's zipfile writes them, whole and hostile, through `files`.
#include "connect/zip_archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/ids.h"
#include "base/json.h"
#include "connect/files_testing.h"

namespace caudal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Zip : public Files {
 protected:
  Zip() { stream["glob"] = "*.zip"; }
  /// `body` is Python with `z`, a zipfile.ZipFile.
  void Make(const std::string& name, const std::string& body, int seconds_ago = 60) {
    const std::string path = folder / "drops/" + name;
    std::filesystem::create_directories(folder / "drops");
    folder.Write("make.py", "import sys, stat, zipfile\nwith zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED) as z:\n" + body);
    Shell("python3 -W ignore " + (folder / "make.py") + " '" + path + "'");
    const std::string bytes = Contents(path);
    folder.Write("drops/" + name, bytes, seconds_ago);
  }
};

TEST_F(Zip, EveryMemberIsAFile) {
  Make("day.zip", " z.writestr('lines.csv', 'a,b\\n1,2\\n')\n z.writestr('sub/more é.csv', 'a,b\\n3,4\\n')\n"
                  " z.writestr('.hidden', 'x')\n z.writestr('__MACOSX/._lines.csv', 'x')\n z.writestr('sub/', '')\n");
  const ReadDone done = Read();
  ASSERT_TRUE(done.read) << done.read.error().ToString();
  EXPECT_EQ(done.Records(), "0,2,1,2\n1,2,3,4\n");
  EXPECT_EQ(done.read->chunks[0].origin, "day.zip/lines.csv");
  EXPECT_EQ(done.read->chunks[1].origin, "day.zip/sub/more é.csv");
  EXPECT_EQ(done.read->chunks[0].sha256, Sha256Hex("a,b\n1,2\n"));
  EXPECT_TRUE(Read(done.read->cursor).read->unchanged);
  // One member changed, one came: the others' rows stay.
  Make("day.zip", " z.writestr('lines.csv', 'a,b\\n1,2\\n')\n z.writestr('sub/more é.csv', 'a,b\\n3,5\\n6,7\\n')\n z.writestr('new.csv', 'a,b\\n8,9\\n')\n", 30);
  const ReadDone again = Read(done.read->cursor);
  EXPECT_EQ(again.Records(), "0,2,8,9\n1,2,3,5\n1,3,6,7\n");
  EXPECT_EQ(again.read->replaces.size(), 1U);
  EXPECT_EQ(again.read->replaces.at("day.zip/sub/more é.csv"), 1);
  // The same archive under another name.
  folder.Write("drops/copy.zip", Contents(folder / "drops/day.zip"));
  const ReadDone copy = Read(again.read->cursor);
  EXPECT_TRUE(copy.read->unchanged);
  EXPECT_THAT(copy.read->notes, ElementsAre("copy.zip has the content of day.zip: not loaded again"));
}

TEST_F(Zip, LoadsTheMembersThatAreNamed) {
  Make("day.zip", " z.writestr('lines.csv', 'a,b\\n1,2\\n')\n z.writestr('image.png', 'x')\n z.writestr('inner.csv.gz', __import__('gzip').compress(b'a,b\\n3,4\\n'))\n");
  EXPECT_THAT(ErrorOf(), HasSubstr("the extension does not tell the format of day.zip/image.png"));
  stream["members"] = "**.csv*";
  EXPECT_EQ(Read().Records(), "0,2,3,4\n1,2,1,2\n");
}

TEST_F(Zip, RefusesWhatAStrangersArchiveMayTry) {
  const struct {
    const char* body;
    const char* message;
  } cases[] = {
      {" z.writestr('../out.csv', 'a\\n1\\n')\n", "day.zip has a member that leads out of it: '../out.csv'"},
      {" z.writestr('/etc/out.csv', 'a\\n1\\n')\n", "day.zip has a member that leads out of it: '/etc/out.csv'"},
      {" z.writestr('a/../../out.csv', 'a\\n1\\n')\n", "day.zip has a member that leads out of it: 'a/../../out.csv'"},
      {" z.writestr('..\\\\out.csv', 'a\\n1\\n')\n", "day.zip has a member that leads out of it: '..\\out.csv'"},
      {" i = zipfile.ZipInfo('link.csv')\n i.create_system = 3\n i.external_attr = (stat.S_IFLNK | 0o777) << 16\n z.writestr(i, '/etc/passwd')\n",
       "day.zip has a member that is a symlink: link.csv"},
      {" z.writestr('bomb.csv', b'0' * (80 << 20))\n", "day.zip expands bomb.csv to 83886080 bytes from"},
      {" z.writestr('a.csv', 'a\\n1\\n')\n z.writestr('a.csv', 'a\\n2\\n')\n", "day.zip has two members of one name: a.csv"},
  };
  for (const auto& one : cases) {
    Make("day.zip", one.body);
    EXPECT_THAT(ErrorOf(), HasSubstr(one.message));
  }
}

TEST_F(Zip, RefusesWhatIsEncryptedCutOrDamaged) {
  Make("day.zip", " z.writestr('a.csv', 'a,b\\n' + '1,2\\n' * 1000)\n");
  const std::string whole = Contents(folder / "drops/day.zip");
  folder.Write("drops/day.zip", whole.substr(0, whole.size() - 30));
  EXPECT_THAT(ErrorOf(), HasSubstr("day.zip is no whole zip archive"));
  folder.Write("drops/day.zip", "PK\x03\x04 this is none");
  EXPECT_THAT(ErrorOf(), HasSubstr("day.zip is no whole zip archive"));
  std::string flipped = whole;
  flipped[whole.find("a.csv") + 8] ^= 0x55;  // in the member's bytes
  folder.Write("drops/day.zip", flipped);
  EXPECT_THAT(ErrorOf(), HasSubstr("day.zip"));
  std::string locked = whole;  // the bit that says so, in both headers
  locked[6] = static_cast<char>(locked[6] | 1);
  locked[whole.find("PK\x01\x02") + 8] = static_cast<char>(locked[whole.find("PK\x01\x02") + 8] | 1);
  folder.Write("drops/day.zip", locked);
  EXPECT_EQ(ErrorOf(), "day.zip has an encrypted member: a.csv");
  folder.Write("drops/day.zip", whole);
  folder.Write("drops/day.zip.sha256", Sha256Hex("other") + "\n");
  EXPECT_EQ(ErrorOf(), "day.zip is not the file that its .sha256 describes; it is damaged or cut");
}

}  // namespace
}  // namespace caudal
