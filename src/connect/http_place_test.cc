// `files` behind the index page of a real HTTP server, and the pages that servers write.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "connect/http_place.h"
#include "connect/server_process_testing.h"

namespace caudal {
namespace {

using ::testing::HasSubstr;

class HttpFolder : public ::testing::Test {
 protected:
  std::vector<std::string> Words(std::vector<std::string> more) const {
    std::vector<std::string> words{"http_folder.py", files.path()};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  void Point(const ServerProcess& server, const std::string& below = "") {
    options = Json{{"location", "http://127.0.0.1:" + server.Word(0) + below}, {"settle", "0s"}};
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

TEST_F(HttpFolder, LoadsWhatIsNew) {
  files.Write("a b & é?#.csv", "a,b\n1,2\n");
  files.Write("2026/day.csv", "a,b\n3,4\n");
  files.Write("notes.txt", "nothing");
  const ServerProcess server(Words({}));
  Point(server);
  const ReadDone done = Read();
  ASSERT_TRUE(done.read) << done.read.error().ToString();
  EXPECT_EQ(done.Records(), "0,2,3,4\n1,2,1,2\n");
  EXPECT_EQ(done.read->chunks[1].origin, "a b & é?#.csv");
  EXPECT_TRUE(Read(done.read->cursor).read->unchanged);
  Point(server, "/2026/");
  EXPECT_EQ(Read().Records(), "0,2,3,4\n");
}

TEST_F(HttpFolder, SaysWhatIsWrong) {
  files.Write("a.csv", "a,b\n1,2\n");
  {
    const ServerProcess server(Words({"--login", "ali:sesame"}));
    Point(server);
    EXPECT_EQ(CheckError().kind, ErrorKind::kPermission);
    EXPECT_THAT(CheckError().message, HasSubstr("401"));
    options["user"] = "ali";
    options["password"] = "sesame";
    EXPECT_EQ(CheckError().message, "");
    options["location"] = options["location"].get<std::string>() + "/nowhere";
    EXPECT_EQ(CheckError().kind, ErrorKind::kNotFound);
    Point(server, "/a.csv");
    options["user"] = "ali";
    options["password"] = "sesame";
    EXPECT_EQ(CheckError().kind, ErrorKind::kNotFound) << "a file has no folder below it";
  }
  const ServerProcess server(Words({"--redirect", "http://127.0.0.1:1/secret"}));
  Point(server);
  EXPECT_THAT(CheckError().message, HasSubstr("leads elsewhere and is not followed"));
  options["location"] = "http://127.0.0.1:1/";
  EXPECT_EQ(CheckError().kind, ErrorKind::kUnavailable);
}

TEST_F(HttpFolder, GoesOnWhereTheConnectionBroke) {
  std::string text = "id,name\n";
  for (int i = 0; i < 50'000; ++i) text += std::to_string(i) + ",a name\n";
  files.Write("large.csv", text);
  for (const bool ranges : {true, false}) {
    ServerProcess server(Words(ranges ? std::vector<std::string>{"--cut", "300000", "--ranges"} : std::vector<std::string>{"--cut", "300000"}));
    Point(server);
    const ReadDone done = Read();
    ASSERT_TRUE(done.read) << done.read.error().ToString();
    EXPECT_EQ(done.rows(), 50'000);
    EXPECT_THAT(server.Say("asked"), HasSubstr("/large.csv bytes=300000-"));
  }
}

TEST_F(HttpFolder, CanOnlyBeRead) {
  files.Write("a.csv", "a,b\n1,2\n");
  const ServerProcess server(Words({}));
  Point(server);
  stream["after_load"] = "delete";
  EXPECT_EQ(Read().read.error().kind, ErrorKind::kUnsupported);
}

std::vector<std::string> Names(const std::string& page) {
  std::vector<std::string> names;
  for (const PlaceEntry& entry : ParseIndexPage(page, "https://files.example.org:443", "/drops/in/")) {
    names.push_back(entry.name + (entry.kind == PlaceEntry::Kind::kFolder ? "/" : ""));
  }
  return names;
}

TEST(IndexPage, GivesWhatLiesRightBelow) {
  using ::testing::ElementsAre;
  // nginx, Apache, and what a page may try.
  EXPECT_THAT(Names("<a href=\"../\">../</a>\n<a href=\"a%20b.csv\">a b.csv</a>   22-Nov-2026 04:52   1234\n<a href=\"sub/\">sub/</a>"),
              ElementsAre("a b.csv", "sub/"));
  EXPECT_THAT(Names("<th><a href=\"?C=N;O=D\">Name</a></th><A HREF='/drops/'>Parent</A><td><a class=x href='b.csv'>b</a></td><a href=c.csv>c</a>"),
              ElementsAre("b.csv", "c.csv"));
  EXPECT_THAT(Names("<a href=\"https://elsewhere.example.org/drops/in/d.csv\"></a><a href=\"/drops/in/../../etc/passwd\"></a>"
                    "<a href=\"//elsewhere.example.org/drops/in/e.csv\"></a><a href=\"file:///etc/passwd\"></a><a href=\"/drops/in/f.csv\"></a>"
                    "<a href=\"%2e%2e/g.csv\"></a><a href=\"f.csv\"></a><a href=\"deep/h.csv\"></a>"),
              ElementsAre("f.csv"));
  EXPECT_THAT(Names("no links, href nowhere"), ElementsAre());
}

}  // namespace
}  // namespace caudal
