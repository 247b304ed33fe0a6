// What a stranger's server may do wrong, against a real one.
#include "connect/http_client.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>

#include "base/json.h"
#include "connect/http_address.h"
#include "connect/http_answer.h"
#include "connect/http_testing.h"

namespace caudal {
namespace {

using ::testing::HasSubstr;

using HttpClientTest = HttpTest;

TEST_F(HttpClientTest, WaitsAsLongAsTheServerAsks) {
  client["max_wait"] = "60s";
  // More than the three tries that an error has: a server that asks for patience gets it.
  EXPECT_EQ(Rows({{"path", "patience"}, {"params", {{"id", "told"}, {"seconds", 3}, {"after", 1}}}}), 5);
  EXPECT_EQ(Rows({{"path", "patience"}, {"params", {{"id", "untold"}, {"seconds", 2}}}}), 5);
  EXPECT_EQ(Rows({{"path", "date"}, {"params", {{"id", "date"}}}}), 5);
  client["max_wait"] = "1s";
  const Error error = ErrorOf({{"path", "patience"}, {"params", {{"id", "never"}, {"seconds", 9999}, {"after", 1}}}});
  EXPECT_EQ(error.kind, ErrorKind::kUnavailable);
  EXPECT_THAT(error.message, HasSubstr("the server answers 429"));
}

TEST_F(HttpClientTest, EndsAtEachOfItsTimes) {
  client["read_timeout"] = "200ms";
  EXPECT_THAT(ErrorOf({{"path", "drip"}}).message, HasSubstr("no byte came for 200ms"));
  client["read_timeout"] = "30s";
  client["timeout"] = "200ms";
  EXPECT_EQ(ErrorOf({{"path", "slow"}}).kind, ErrorKind::kTimeout);
  client["timeout"] = "60s";
  client["total_timeout"] = "300ms";
  const Error total = ErrorOf({{"path", "slow"}});
  EXPECT_EQ(total.kind, ErrorKind::kTimeout);
  EXPECT_THAT(total.message, HasSubstr("did not end within total_timeout (300ms)"));
}

TEST_F(HttpClientTest, KeepsToTheRateThatWasAsked) {
  client["requests_per_second"] = 4;
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(Rows({{"path", "counted"}, {"paginator", {{"type", "offset"}, {"limit", 20}}}}), 95);  // five requests
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(1000));
}

TEST_F(HttpClientTest, TakesACompressedBody) {
  EXPECT_EQ(Rows({{"path", "gzip"}}), 5);
  EXPECT_EQ(Rows({{"path", "deflate"}}), 5);
  EXPECT_EQ(Rows({{"path", "deflate"}, {"params", {{"bare", 1}}}}), 5);
  const Error error = ErrorOf({{"path", "br"}});
  EXPECT_EQ(error.kind, ErrorKind::kUnsupported);
  EXPECT_THAT(error.message, HasSubstr("compresses by br"));
  const Error bomb = ErrorOf({{"path", "bomb"}});
  EXPECT_EQ(bomb.kind, ErrorKind::kCorruption);
  EXPECT_THAT(bomb.message, HasSubstr("decompression bomb"));
  const Error half = ErrorOf({{"path", "halfgzip"}});
  EXPECT_EQ(half.kind, ErrorKind::kCorruption);
  EXPECT_THAT(half.message, HasSubstr("is cut"));
}

TEST_F(HttpClientTest, TakesNoHalfBodyForAWholeOne) {
  EXPECT_EQ(ErrorOf({{"path", "half"}}).kind, ErrorKind::kUnavailable);
  EXPECT_EQ(ErrorOf({{"path", "short"}}).kind, ErrorKind::kCorruption);
  EXPECT_EQ(Rows({{"path", "cut"}}), 5);  // asked once more
  EXPECT_EQ(ErrorOf({{"path", "badjson"}}).kind, ErrorKind::kCorruption);
}

TEST_F(HttpClientTest, RefusesWhatIsTooMuch) {
  client["max_read_bytes"] = 300;
  EXPECT_THAT(ErrorOf({{"path", "pages"}}).message, HasSubstr("more than 300 bytes in one read"));
  client["max_page_bytes"] = 100;
  EXPECT_THAT(ErrorOf({{"path", "pages"}}).message, HasSubstr("more than 100 bytes"));
}

TEST_F(HttpClientTest, AllowsPrivateAddressesForItsOwnHostAlone) {
  const Error hop = ErrorOf({{"path", "hop"}});
  EXPECT_EQ(hop.kind, ErrorKind::kPermission);
  EXPECT_THAT(hop.message, HasSubstr("private or local"));
  EXPECT_THAT(hop.next, HasSubstr("base_url's own host"));
  // A name is what it resolves to.
  client["base_url"] = "http://localhost:" + std::to_string(server->port());
  EXPECT_EQ(Rows({{"path", "one"}}), 1);
  client["allow_private"] = false;
  EXPECT_THAT(ErrorOf({{"path", "one"}}).message, HasSubstr("private or local"));
  for (const char* host : {"127.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:7f00:1]", "0.0.0.0"}) {
    client["base_url"] = std::string("http://") + host + ":" + std::to_string(server->port());
    EXPECT_EQ(ErrorOf({{"path", "one"}}).kind, ErrorKind::kPermission) << host;
  }
}

TEST(HttpAddress, KnowsWhatIsNotTheInternet) {
  const auto is_private = [](const std::string& text) {
    sockaddr_storage storage{};
    if (text.find(':') == std::string::npos) {
      auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
      v4->sin_family = AF_INET;
      EXPECT_EQ(::inet_pton(AF_INET, text.c_str(), &v4->sin_addr), 1);
    } else {
      auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
      v6->sin6_family = AF_INET6;
      EXPECT_EQ(::inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr), 1);
    }
    return IsPrivateAddress(reinterpret_cast<const sockaddr*>(&storage));
  };
  for (const char* text : {"127.0.0.1", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
                           "::1", "::", "fe80::1", "fd00::1", "ff02::1", "::ffff:10.0.0.1", "64:ff9b::a00:1"}) {
    EXPECT_TRUE(is_private(text)) << text;
  }
  for (const char* text : {"8.8.8.8", "172.32.0.1", "100.128.0.1", "169.253.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"}) {
    EXPECT_FALSE(is_private(text)) << text;
  }
}

TEST(HttpAnswer, ReadsRetryAfter) {
  const Timestamp now = *ParseTimestamp("2026-03-01T12:00:00Z");
  const auto wait = [&](int status, const std::string& text) {
    HttpAnswer answer;
    answer.status = status;
    answer.headers["retry-after"] = text;
    HttpAgain again;
    EXPECT_FALSE(JudgeAnswer(answer, now, again));
    EXPECT_TRUE(again.again);
    return std::pair(again.busy, again.wait.count());
  };
  EXPECT_EQ(wait(429, "7"), std::pair(true, std::int64_t{7000}));
  EXPECT_EQ(wait(429, "Sun, 01 Mar 2026 12:00:30 GMT"), std::pair(true, std::int64_t{30'000}));
  EXPECT_EQ(wait(429, "Sun, 01 Mar 2026 11:00:00 GMT"), std::pair(true, std::int64_t{0}));
  EXPECT_EQ(wait(429, "soon"), std::pair(true, std::int64_t{-1}));
  EXPECT_EQ(wait(429, "99999999999999999999"), std::pair(true, std::int64_t{-1}));
  EXPECT_EQ(wait(503, "7"), std::pair(true, std::int64_t{7000}));
  EXPECT_EQ(wait(503, "soon"), std::pair(false, std::int64_t{-1}));
  EXPECT_EQ(wait(500, "7"), std::pair(false, std::int64_t{7000}));
}

}  // namespace
}  // namespace caudal
