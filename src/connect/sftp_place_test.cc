// `files` on a real OpenSSH server, on its good and bad days; passwords on asyncssh's, since OpenSSH takes them only as root.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <filesystem>
#include <thread>

#include "base/ids.h"
#include "base/json.h"
#include "connect/server_process_testing.h"

namespace caudal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Lines(int rows) {
  std::string text = "id,name\n";
  for (int i = 0; i < rows; ++i) text += std::to_string(i) + ",name of the row " + std::to_string(i) + "\n";
  return text;
}

class Sftp : public ::testing::Test {
 protected:
  Sftp() : server({"sftp.py"}) {
    fingerprint = Say("own");
    options = Json{{"location", url()}, {"settle", "0s"}, {"user", server.Word(1)}, {"key_file", folder() + "/user_key"}, {"host_key", fingerprint}};
  }
  std::string folder() const { return server.Word(2); }
  std::string url(const std::string& below = "") const {
    return "sftp://127.0.0.1:" + server.Word(0) + folder() + "/files" + below;
  }
  /// The answer is the word itself, and the fingerprint of the host key.
  std::string Say(const std::string& word) {
    const std::string answer = server.Say(word);
    EXPECT_EQ(answer.substr(0, word.size()), word);
    return answer.substr(word.size() + 1);
  }
  void Write(const std::string& name, const std::string& bytes, int seconds_ago = 60) {
    const std::string path = folder() + "/files/" + name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
    timeval now{};
    ::gettimeofday(&now, nullptr);
    now.tv_sec -= seconds_ago;
    const timeval times[2] = {now, now};
    ::utimes(path.c_str(), times);
    Say("own");
  }
  SourceRequest Request(const std::string& cursor = "") const {
    SourceRequest request;
    request.source = "stores";
    request.stream = "lines";
    request.options = DumpJson(options);
    request.stream_options = DumpJson(stream);
    request.cursor = cursor;
    return request;
  }
  ReadDone Read(const std::string& cursor = "", std::function<bool()> cancelled = {}) const {
    return ReadFrom(connector, Request(cursor), std::move(cancelled));
  }
  Error CheckError() const {
    const Status status = connector.make_bytes()->Check(Request());
    return status ? Error{ErrorKind::kInternal, "", "", ""} : status.error();
  }

  ServerProcess server;
  std::string fingerprint;
  Json options;
  Json stream{{"glob", "**/*.csv"}};
  const Connector& connector = **BuiltinRegistry().Find("files");
};

TEST_F(Sftp, LoadsWhatIsNewWithNamesAsTheyAre) {
  Write("a b é ü 汉.csv", "a,b\n1,2\n");
  Write("2026/11/day.csv", "a,b\n3,4\n");
  Write(".hidden.csv", "a,b\n9,9\n");
  const ReadDone first = Read();
  ASSERT_TRUE(first.read) << first.read.error().ToString();
  EXPECT_EQ(first.Records(), "0,2,3,4\n1,2,1,2\n");
  EXPECT_EQ(first.read->chunks[1].origin, "a b é ü 汉.csv");
  EXPECT_EQ(first.read->chunks[1].sha256, Sha256Hex("a,b\n1,2\n"));
  EXPECT_TRUE(Read(first.read->cursor).read->unchanged);
  Write("2026/11/day.csv", "a,b\n5,6\n7,8\n");
  const ReadDone second = Read(first.read->cursor);
  EXPECT_EQ(second.rows(), 2);
  EXPECT_EQ(second.read->replaces.at("2026/11/day.csv"), 0);
}

TEST_F(Sftp, SaysWhichPartOfTheCredentialsIsWrong) {
  EXPECT_EQ(CheckError().message, "");
  const Json good = options;
  options["key_file"] = folder() + "/other_key";
  EXPECT_THAT(CheckError().message, HasSubstr("refuses the key of " + server.Word(1)));
  EXPECT_EQ(CheckError().kind, ErrorKind::kPermission);
  options["key_file"] = folder() + "/user_key.pub";
  std::filesystem::permissions(folder() + "/user_key.pub", std::filesystem::perms::owner_read);
  EXPECT_THAT(CheckError().message, HasSubstr("the private key cannot be used"));
  options["key_file"] = folder() + "/nowhere";
  EXPECT_THAT(CheckError().message, HasSubstr("cannot read `key_file:`"));
  options["key_file"] = folder() + "/locked_key";
  EXPECT_THAT(CheckError().next, HasSubstr("key_passphrase"));
  options["key_passphrase"] = "wrong";
  EXPECT_THAT(CheckError().next, HasSubstr("correct `key_passphrase:`"));
  options["key_passphrase"] = "open sesame";
  EXPECT_EQ(CheckError().message, "");
  std::filesystem::permissions(folder() + "/locked_key", std::filesystem::perms(0644));
  EXPECT_THAT(CheckError().message, HasSubstr("the private key can be read by others"));
  options = good;
  options["user"] = "nobody-there";
  EXPECT_EQ(CheckError().kind, ErrorKind::kPermission);
  options.erase("user");
  EXPECT_THAT(CheckError().message, HasSubstr("names no user"));
  options = good;
  options.erase("key_file");
  EXPECT_THAT(CheckError().message, HasSubstr("for one of: publickey"));
}

TEST_F(Sftp, ChecksTheHostKeyAlways) {
  options.erase("host_key");
  const Error unknown = CheckError();
  EXPECT_EQ(unknown.kind, ErrorKind::kPermission);
  EXPECT_THAT(unknown.message, HasSubstr("is unknown: the server shows ED25519 " + fingerprint));
  EXPECT_THAT(unknown.next, HasSubstr("host_key: \"" + fingerprint + "\""));
  options["known_hosts"] = folder() + "/known_hosts";
  EXPECT_EQ(CheckError().message, "");
  options["host_key"] = Json::array({"SHA256:" + std::string(43, 'A'), fingerprint});
  EXPECT_EQ(CheckError().message, "");
  const std::string changed = Say("rekey");
  EXPECT_THAT(CheckError().message, HasSubstr("is not the one that the source states: the server shows ED25519 " + changed));
  options.erase("host_key");
  EXPECT_THAT(CheckError().message, HasSubstr("is not the one in " + folder() + "/known_hosts"));
  std::ofstream(folder() + "/known_hosts") << "example.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ\n";
  EXPECT_THAT(CheckError().message, HasSubstr("does not stand in " + folder() + "/known_hosts"));
}

TEST_F(Sftp, SaysWhatIsWrongWithThePlace) {
  Write("a.csv", "a,b\n1,2\n");
  options["location"] = url("/nowhere");
  EXPECT_EQ(CheckError().kind, ErrorKind::kNotFound);
  options["location"] = url("/a.csv");
  EXPECT_EQ(CheckError().kind, ErrorKind::kInvalidArgument);
  options["location"] = "sftp://127.0.0.1:1/x";
  EXPECT_EQ(CheckError().kind, ErrorKind::kUnavailable);
  EXPECT_THAT(CheckError().message, HasSubstr("cannot connect to sftp://127.0.0.1:1: Connection refused"));
  options["location"] = url();
  Say("stop");
  EXPECT_THAT(CheckError().message, HasSubstr("Connection refused"));
}

TEST_F(Sftp, NamesTheFileThatMayNotBeRead) {
  Write("a.csv", "a,b\n1,2\n");
  Write("b.csv", "a,b\n3,4\n");
  std::filesystem::permissions(folder() + "/files/b.csv", std::filesystem::perms::none);
  const ReadDone done = Read();
  ASSERT_FALSE(done.read);
  EXPECT_EQ(done.read.error().kind, ErrorKind::kPermission);
  EXPECT_THAT(done.read.error().message, HasSubstr("cannot read b.csv"));
}

TEST_F(Sftp, FollowsLinksThatStayInside) {
  Write("a.csv", "a,b\n1,2\n");
  std::filesystem::create_symlink("a.csv", folder() + "/files/inside.csv");
  const ReadDone done = Read();
  ASSERT_TRUE(done.read) << done.read.error().ToString();
  EXPECT_EQ(done.rows(), 1);
  std::filesystem::create_symlink(folder() + "/authorized", folder() + "/files/out.csv");
  EXPECT_EQ(Read().read.error().message, "a symlink leads out of the location: out.csv");
}

TEST_F(Sftp, GoesOnWhereTheServerDied) {
  const std::string text = Lines(400'000);
  Write("large.csv", text);
  int asked = 0;
  std::thread helper;
  // In the middle of the file the server and all its sessions are killed; it returns while the reader waits.
  const ReadDone done = Read("", [&] {
    if (++asked == 50) {  // of more than 100
      Say("stop");
      helper = std::thread([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(500));
        Say("start");
      });
    }
    return false;
  });
  ASSERT_TRUE(helper.joinable()) << asked;
  helper.join();
  ASSERT_TRUE(done.read) << done.read.error().ToString();
  EXPECT_EQ(done.rows(), 400'000);
  EXPECT_EQ(done.read->chunks[0].sha256, Sha256Hex(text));
}

TEST_F(Sftp, IsUnavailableWhereTheServerStaysAway) {
  Write("large.csv", Lines(400'000));
  int asked = 0;
  const ReadDone done = Read("", [&] {
    if (++asked == 20) Say("stop");
    return false;
  });
  ASSERT_FALSE(done.read);
  EXPECT_EQ(done.read.error().kind, ErrorKind::kUnavailable) << done.read.error().ToString();
}

TEST_F(Sftp, MovesAndDeletesWhatIsCommitted) {
  Write("in/a.csv", "a,b\n1,2\n");
  Write("in/a.csv.sha256", Sha256Hex("a,b\n1,2\n") + "  a.csv\n");
  Write("in/b.csv", "a,b\n3,4\n");
  stream = Json{{"glob", "**/*.csv"}, {"after_load", "move"}, {"move_to", "loaded"}};
  const ReadDone done = Read();
  ASSERT_TRUE(done.read) << done.read.error().ToString();
  EXPECT_TRUE(std::filesystem::exists(folder() + "/files/in/a.csv")) << "nothing moves before the commit";
  const auto put = [&] { return connector.make_bytes()->Committed(Request(done.read->cursor)); };
  EXPECT_THAT(*put(), ElementsAre("2 files moved to loaded"));
  for (const char* name : {"a.csv", "a.csv.sha256", "b.csv"}) {
    EXPECT_TRUE(std::filesystem::exists(folder() + "/files/loaded/in/" + name)) << name;
    EXPECT_FALSE(std::filesystem::exists(folder() + "/files/in/" + name)) << name;
  }
  EXPECT_THAT(*put(), ElementsAre());
  EXPECT_TRUE(Read(done.read->cursor).read->unchanged) << "what was moved is no news";
  Write("in/c.csv", "a,b\n5,6\n");
  stream["after_load"] = "delete";
  const ReadDone more = Read(done.read->cursor);
  EXPECT_EQ(more.rows(), 1);
  EXPECT_THAT(*connector.make_bytes()->Committed(Request(more.read->cursor)), ElementsAre("1 file deleted"));
  EXPECT_FALSE(std::filesystem::exists(folder() + "/files/in/c.csv"));
}

TEST_F(Sftp, GivesUpOnAServerThatIsSilent) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(::bind(listener, any, size), 0);
  ASSERT_EQ(::listen(listener, 8), 0);  // connections are taken by the kernel, and nobody answers
  ASSERT_EQ(::getsockname(listener, any, &size), 0);
  options["timeout"] = "1s";
  for (const std::string& scheme : {std::string("sftp"), std::string("ftp"), std::string("http")}) {
    options["location"] = scheme + "://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/x";
    EXPECT_EQ(CheckError().kind, ErrorKind::kTimeout) << scheme << ": " << CheckError().ToString();
  }
  ::close(listener);
}

TEST_F(Sftp, StopsWhenItIsCancelled) {
  Write("large.csv", Lines(400'000));
  int asked = 0;
  const ReadDone done = Read("", [&] { return ++asked > 20; });
  ASSERT_FALSE(done.read);
  EXPECT_EQ(done.read.error().kind, ErrorKind::kCancelled);
}

TEST(SftpPassword, IsCheckedInBothWaysOfAsking) {
  TempFolder files;
  files.Write("a.csv", "a,b\n1,2\n");
  const Connector& connector = **BuiltinRegistry().Find("files");
  for (const bool interactive : {false, true}) {
    std::vector<std::string> words{"sftp_password.py", files.path(), "ali", "open sesame"};
    if (interactive) words.push_back("--interactive");
    const ServerProcess server(words);
    SourceRequest request;
    Json options{{"location", "sftp://127.0.0.1:" + server.Word(0) + "/"}, {"settle", "0s"}, {"user", "ali"}, {"password", "open sesame"}, {"host_key", server.Word(1)}};
    request.options = DumpJson(options);
    request.stream_options = R"({"glob":"*.csv"})";
    const ReadDone done = ReadFrom(connector, request);
    ASSERT_TRUE(done.read) << done.read.error().ToString();
    EXPECT_EQ(done.Records(), "0,2,1,2\n");
    options["password"] = "wrong";
    request.options = DumpJson(options);
    const Status refused = connector.make_bytes()->Check(request);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::kPermission);
    EXPECT_THAT(refused.error().message, HasSubstr("refuses the user ali or the password"));
  }
}

}  // namespace
}  // namespace caudal
