#include "connect/http_auth.h"

#include <gmock/gmock.h>

#include "base/json.h"
#include "connect/http_testing.h"

namespace caudal {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class HttpAuthTest : public HttpTest {
 protected:
  void SetUp() override { Ask("/token?for=" + Name()); }
  static std::string Name() { return ::testing::UnitTest::GetInstance()->current_test_info()->name(); }
  void Ask(const std::string& token_path) {
    client["auth"] = {{"type", "oauth2_client_credentials"}, {"access_token_url", server->url() + token_path},
                      {"client_id", "app"}, {"client_secret", "s3cret/canary"}};
  }
  std::int64_t Tokens() {
    const Json counted = RecordsOf(Read({{"path", "asked"}, {"params", {{"id", "tokens " + Name()}}}})).at(0);
    return counted["n"].get<std::int64_t>();
  }
};

TEST_F(HttpAuthTest, AsksForATokenAndKeepsIt) {
  EXPECT_EQ(Rows({{"path", "guarded"}}), 5);
  client.erase("auth");
  EXPECT_EQ(Tokens(), 1);
}

TEST_F(HttpAuthTest, SendsTheSecretAsBasicAuthenticationOrWithAScope) {
  client["auth"]["token_endpoint_auth_method"] = "client_secret_basic";
  EXPECT_EQ(Rows({{"path", "guarded"}}), 5);
  client["auth"]["token_endpoint_auth_method"] = "client_secret_post";
  client["auth"]["access_token_request_data"] = {{"scope", "read"}};
  EXPECT_EQ(Rows({{"path", "guarded"}}), 5);
  client["auth"]["access_token_request_data"] = {{"scope", "write"}};
  EXPECT_THAT(ErrorOf({{"path", "guarded"}}).message, HasSubstr("no access token"));
}

TEST_F(HttpAuthTest, RenewsATokenThatTheServerRefusesInTheMiddle) {
  Ask("/token?for=" + Name() + "&uses=1");
  EXPECT_EQ(Rows({{"path", "guarded"}}), 5);  // three pages, each with a token of its own
  client.erase("auth");
  EXPECT_EQ(Tokens(), 3);
}

TEST_F(HttpAuthTest, RenewsATokenBeforeItExpires) {
  Ask("/token?for=" + Name() + "&lives=100");
  const Options options = *Options::Parse(DumpJson(Json{{"client", client}}));
  HttpOptions like;
  like.origin_url = server->url();
  like.allow_private = true;
  FakeClock clock(*ParseTimestamp("2026-01-01"));
  const auto auth = MakeHttpAuth(options, "client.auth", like, clock);
  ASSERT_TRUE(auth) << auth.error().message;
  const std::string first = "Bearer token-canary-" + Name() + "-1";
  EXPECT_EQ((**auth).Headers()->at("Authorization"), first);
  clock.Advance(std::chrono::seconds(85));
  EXPECT_EQ((**auth).Headers()->at("Authorization"), first);
  clock.Advance(std::chrono::seconds(6));
  EXPECT_EQ((**auth).Headers()->at("Authorization"), "Bearer token-canary-" + Name() + "-2");
}

TEST_F(HttpAuthTest, GivesUpAfterOneNewToken) {
  Ask("/token?for=" + Name() + "&uses=0");
  const Error error = ErrorOf({{"path", "guarded"}});
  EXPECT_EQ(error.kind, ErrorKind::kPermission);
  EXPECT_THAT(error.message, HasSubstr("the server answers 401"));
  EXPECT_THAT(error.ToString(), Not(HasSubstr("token-canary")));
  client.erase("auth");
  EXPECT_EQ(Tokens(), 2);
}

TEST_F(HttpAuthTest, TellsNoSecret) {
  client["auth"]["client_id"] = "nobody";
  const Error error = ErrorOf({{"path", "guarded"}});
  EXPECT_EQ(error.kind, ErrorKind::kPermission);
  EXPECT_THAT(error.message, HasSubstr("no access token: the server answers 400"));
  EXPECT_THAT(error.ToString(), Not(HasSubstr("canary")));
  Ask("/nothere");
  EXPECT_THAT(ErrorOf({{"path", "guarded"}}).message, HasSubstr("no access token"));
  Ask("/away");
  EXPECT_THAT(ErrorOf({{"path", "guarded"}}).message, HasSubstr("no access token"));
  client["auth"].erase("client_secret");
  EXPECT_THAT(ErrorOf({{"path", "guarded"}}).message, HasSubstr("needs `client_secret`"));
}

TEST_F(HttpAuthTest, TakesNoTokenToAnotherHost) {
  EXPECT_THAT(ErrorOf({{"path", "hop"}}).message, HasSubstr("the credentials must not go"));
  client["base_url"] = "https://127.0.0.1:1";
  EXPECT_THAT(ErrorOf({{"path", "guarded"}}).message, HasSubstr("would go over plain http"));
}

TEST_F(HttpAuthTest, HidesSecretsOfParametersAndHeaders) {
  client.erase("auth");
  client["headers"] = {{"X-Tenant", "tenant-canary"}};
  secrets = {"parameter-canary", "tenant-canary"};
  const ReadDone done = Read({{"path", "pages"}, {"params", {{"who", "parameter-canary"}}}});
  ASSERT_TRUE(done.read) << done.read.error().message;
  EXPECT_THAT(RawOf(done), Not(HasSubstr("canary")));
  EXPECT_THAT(done.read->chunks[0].origin, Not(HasSubstr("canary")));
  EXPECT_THAT(done.read->cursor, Not(HasSubstr("canary")));
  EXPECT_THAT(ErrorOf({{"path", "gone"}, {"params", {{"who", "parameter-canary"}}}}).ToString(), Not(HasSubstr("canary")));
}

TEST(HttpAuth, WritesBase64) {
  EXPECT_EQ(Base64(""), "");
  EXPECT_EQ(Base64("f"), "Zg==");
  EXPECT_EQ(Base64("fo"), "Zm8=");
  EXPECT_EQ(Base64("foobar"), "Zm9vYmFy");
}

}  // namespace
}  // namespace caudal
