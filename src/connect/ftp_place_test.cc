// `files` on real FTP servers, plain and with TLS, and the listings that servers write.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "connect/ftp_place.h"
#include "connect/server_process_testing.h"

namespace caudal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Kind = PlaceEntry::Kind;

class Ftp : public ::testing::Test {
 protected:
  std::vector<std::string> Words(std::vector<std::string> more) const {
    std::vector<std::string> words{"ftp.py", files.path(), "ali", "open sesame"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  void Point(const ServerProcess& server, const std::string& scheme = "ftp", const std::string& below = "") {
    options = Json{{"location", scheme + "://localhost:" + server.Word(0) + below}, {"settle", "0s"}, {"user", "ali"}, {"password", "open sesame"}};
  }
  SourceRequest Request(const std::string& cursor = "") const {
    SourceRequest request;
    request.options = DumpJson(options);
    request.stream_options = DumpJson(stream);
    request.cursor = cursor;
    return request;
  }
  ReadDone Read(const std::string& cursor = "") const { return ReadFrom(connector, Request(cursor)); }
  Error CheckError() const {
    const Status status = connector.make_bytes()->Check(Request());
    return status ? Error{ErrorKind::kInternal, "", "", ""} : status.error();
  }

  TempFolder files;
  Json options;
  Json stream{{"glob", "**/*.csv"}};
  const Connector& connector = **BuiltinRegistry().Find("files");
};

TEST_F(Ftp, LoadsWhatIsNewByEitherListing) {
  files.Write("a b é.csv", "a,b\n1,2\n");
  files.Write("2026/day.csv", "a,b\n3,4\n");
  std::string cursor;
  for (const bool old : {false, true}) {
    const ServerProcess server(Words(old ? std::vector<std::string>{"--no-mlsd"} : std::vector<std::string>{}));
    Point(server);
    const ReadDone done = Read();
    ASSERT_TRUE(done.read) << done.read.error().ToString();
    EXPECT_EQ(done.Records(), "0,2,3,4\n1,2,1,2\n");
    EXPECT_EQ(done.read->chunks[1].origin, "a b é.csv");
    EXPECT_TRUE(Read(done.read->cursor).read->unchanged);
    if (old) {
      EXPECT_EQ(done.read->cursor, cursor) << "both listings tell the same";
    }
    cursor = done.read->cursor;
    Point(server, "ftp", "/2026");
    EXPECT_EQ(Read().Records(), "0,2,3,4\n");
  }
}

TEST_F(Ftp, SaysWhatIsWrong) {
  files.Write("a.csv", "a,b\n1,2\n");
  const ServerProcess server(Words({}));
  Point(server);
  EXPECT_EQ(CheckError().message, "");
  options["password"] = "wrong";
  EXPECT_EQ(CheckError().kind, ErrorKind::kPermission);
  EXPECT_THAT(CheckError().message, HasSubstr("refuses the user ali or the password"));
  Point(server, "ftp", "/nowhere");
  EXPECT_EQ(CheckError().kind, ErrorKind::kNotFound) << CheckError().ToString();
  Point(server, "ftps");
  EXPECT_EQ(CheckError().kind, ErrorKind::kPermission) << CheckError().ToString();
  EXPECT_THAT(CheckError().message, HasSubstr("offers no TLS"));
  options["location"] = "ftp://127.0.0.1:1/";
  EXPECT_EQ(CheckError().kind, ErrorKind::kUnavailable);
}

TEST_F(Ftp, SpeaksTlsWithAnAuthorityThatIsNamed) {
  files.Write("a.csv", "a,b\n1,2\n");
  const TempFolder keys;
  Shell("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout " + (keys / "key.pem") +
        " -out " + (keys / "cert.pem") + " 2>/dev/null && cat " + (keys / "cert.pem") + " " + (keys / "key.pem") + " > " + (keys / "both.pem"));
  const ServerProcess server(Words({"--tls", keys / "both.pem"}));
  Point(server, "ftps");
  EXPECT_THAT(CheckError().message, HasSubstr("certificate"));
  options["ca_file"] = keys / "cert.pem";
  const ReadDone done = Read();
  ASSERT_TRUE(done.read) << done.read.error().ToString();
  EXPECT_EQ(done.Records(), "0,2,1,2\n");
}

TEST_F(Ftp, GoesOnWhereTheConnectionBroke) {
  std::string text = "id,name\n";
  for (int i = 0; i < 50'000; ++i) text += std::to_string(i) + ",a name\n";
  files.Write("large.csv", text);
  const ServerProcess server(Words({"--cut", "200000"}));
  Point(server);
  const ReadDone done = Read();
  ASSERT_TRUE(done.read) << done.read.error().ToString();
  EXPECT_EQ(done.rows(), 50'000);
  EXPECT_EQ(done.read->chunks[0].size_bytes, static_cast<std::int64_t>(text.size()));
}

TEST_F(Ftp, MovesAndDeletesWhatIsCommitted) {
  files.Write("a b.csv", "a,b\n1,2\n");
  const ServerProcess server(Words({}));
  Point(server);
  stream = Json{{"glob", "**/*.csv"}, {"after_load", "move"}, {"move_to", "loaded/ok"}};
  const ReadDone done = Read();
  ASSERT_TRUE(done.read) << done.read.error().ToString();
  const auto put = connector.make_bytes()->Committed(Request(done.read->cursor));
  ASSERT_TRUE(put) << put.error().ToString();
  EXPECT_THAT(*put, ElementsAre("1 file moved to loaded/ok"));
  EXPECT_EQ(Contents(files / "loaded/ok/a b.csv"), "a,b\n1,2\n");
  EXPECT_THAT(*connector.make_bytes()->Committed(Request(done.read->cursor)), ElementsAre());
  files.Write("c.csv", "a,b\n5,6\n");
  stream["after_load"] = "delete";
  const ReadDone more = Read(done.read->cursor);
  EXPECT_THAT(*connector.make_bytes()->Committed(Request(more.read->cursor)), ElementsAre("1 file deleted"));
  EXPECT_FALSE(std::filesystem::exists(files / "c.csv"));
}

TEST(FtpListing, IsReadAsServersWriteIt) {
  const auto machine = ParseMachineLine("Type=file;Size=1234;Modify=20261122045200.123;Perm=r; a  b=c;d.csv");
  ASSERT_TRUE(machine);
  EXPECT_EQ(machine->name, "a  b=c;d.csv");
  EXPECT_EQ(machine->size_bytes, 1234);
  EXPECT_EQ(machine->modified_us, 1'795'323'120'123'000);
  EXPECT_FALSE(ParseMachineLine("type=cdir;modify=20261122045200; ."));
  EXPECT_EQ(ParseMachineLine("type=OS.unix=slink:;modify=20261122045200; link")->kind, Kind::kOther);
  struct Case {
    const char* line;
    const char* name;
    Kind kind;
    std::int64_t size;
  };
  for (const Case& one : {Case{"-rw-r--r--    1 ali  users       1234 Nov 22 04:52 a b.csv", "a b.csv", Kind::kFile, 1234},
                          Case{"-rw-r--r--    1 ali  domain users  1234 Nov 22  2024  begins with a blank", " begins with a blank", Kind::kFile, 1234},
                          Case{"drwxr-xr-x    2 ali  users       4096 Nov  2 04:52 2026", "2026", Kind::kFolder, 4096},
                          Case{"lrwxrwxrwx    1 ali  users          5 Nov 22 04:52 link -> a.csv", "link -> a.csv", Kind::kOther, 5},
                          Case{"-rw-r--r-- 1 Jan May 77 Dec 31 23:59 Jan 12 10:00 x", "Jan 12 10:00 x", Kind::kFile, 77},
                          Case{"11-22-26  04:52AM                 1234 a b.csv", "a b.csv", Kind::kFile, 1234},
                          Case{"11-22-26  04:52AM       <DIR>          sub", "sub", Kind::kFolder, -1}}) {
    const auto entry = ParseListLine(one.line);
    ASSERT_TRUE(entry) << one.line;
    EXPECT_EQ(entry->name, one.name);
    EXPECT_EQ(entry->kind, one.kind) << one.line;
    EXPECT_EQ(entry->size_bytes, one.size) << one.line;
  }
  for (const char* line : {"total 12", "", "-rw-r--r--", "not a listing at all, but a greeting"}) EXPECT_FALSE(ParseListLine(line)) << line;
}

}  // namespace
}  // namespace caudal
