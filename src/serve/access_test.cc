#include "serve/access.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "serve/body_reader.h"
#include "serve/event_feed.h"
#include "serve/metrics.h"
#include "serve/password.h"
#include "serve/router.h"

namespace caudal {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr const char* kPassword = "correct horse battery";

class AccessTest : public ::testing::Test {
 protected:
  AccessTest() {
    std::string pattern = ::testing::TempDir() + "accessXXXXXX";
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    x_folder = pattern;
    x_state = *MakeSqliteStore(x_folder + "/state.db");
    x_access.emplace(x_state->access(), x_clock);
    EXPECT_TRUE(x_access->AddUser("ann", Role::kOperator, kPassword, "test"));
  }
  ~AccessTest() override { std::filesystem::remove_all(x_folder); }

  std::string x_folder;
  std::unique_ptr<StateStore> x_state;
  FakeClock x_clock{FromMilliseconds(1'780'000'000'000)};
  std::optional<Access> x_access;
};

TEST_F(AccessTest, ATokenIsGoodUntilItExpiresOrIsRevoked) {
  const auto made = x_access->AddToken("ci", Role::kViewer, 2, "ann");
  const auto forever = x_access->AddToken("prometheus", Role::kAdmin, {}, "ann");
  ASSERT_TRUE(made && forever);
  EXPECT_EQ((*x_access->OfToken(made->token))->role, Role::kViewer);
  EXPECT_FALSE(*x_access->OfToken(made->token + "x"));
  EXPECT_FALSE(*x_access->OfToken(""));
  EXPECT_NE(made->record.hash, made->token) << "what is kept is no secret";
  x_clock.Advance(hours(49));
  EXPECT_FALSE(*x_access->OfToken(made->token));
  ASSERT_TRUE(*x_access->OfToken(forever->token));
  ASSERT_TRUE(x_access->RemoveToken(forever->record.id, "ann"));
  EXPECT_FALSE(*x_access->OfToken(forever->token));
}

TEST_F(AccessTest, ASessionEndsWhenItIsNotUsedAndAfterAWeekInAnyCase) {
  const auto login = x_access->Login("ann", kPassword, "here");
  ASSERT_TRUE(login);
  EXPECT_EQ((*x_access->OfCookie(login->cookie))->csrf, login->who.csrf);
  for (int hour = 0; hour < 7 * 24; hour += 11) {
    ASSERT_TRUE(*x_access->OfCookie(login->cookie)) << hour;
    x_clock.Advance(hours(11));
  }
  EXPECT_FALSE(*x_access->OfCookie(login->cookie)) << "a week";
  const auto again = x_access->Login("ann", kPassword, "here");
  x_clock.Advance(hours(13));
  EXPECT_FALSE(*x_access->OfCookie(again->cookie)) << "not used";
}

TEST_F(AccessTest, GuessingWaitsAndThePasswordOfNobodyIsWrong) {
  EXPECT_EQ(x_access->Login("nobody", kPassword, "p").error().kind, ErrorKind::kPermission);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(x_access->Login("ann", "wrong", "p" + std::to_string(i)).error().kind, ErrorKind::kPermission);
  const auto waits = x_access->Login("ann", kPassword, "elsewhere");
  ASSERT_FALSE(waits);
  EXPECT_EQ(waits.error().kind, ErrorKind::kUnavailable);
  x_clock.Advance(minutes(6));
  EXPECT_TRUE(x_access->Login("ann", kPassword, "elsewhere"));
}

TEST_F(AccessTest, NamesAndPasswordsHaveTheirForm) {
  for (const char* name : {"", "Ann", "a b", "-a", "a/b", "../a"}) EXPECT_FALSE(x_access->AddUser(name, Role::kViewer, kPassword, "t")) << name;
  EXPECT_EQ(x_access->AddUser("bob", Role::kViewer, "short", "t").error().where, "password");
  EXPECT_EQ(RoleFromName("root").error().kind, ErrorKind::kInvalidArgument);
}

TEST_F(AccessTest, TheSetupKeyIsOfNoUseOnceThereIsAUser) {
  EXPECT_FALSE(*x_access->NewSetupKey());
  EXPECT_FALSE(*x_access->NeedsSetup());
  EXPECT_EQ(x_access->Setup("key", "eve", kPassword).error().kind, ErrorKind::kPermission);
}

TEST(PasswordTest, AHashIsArgon2idAndOfThatPasswordAlone) {
  const auto hash = HashPassword(kPassword);
  ASSERT_TRUE(hash);
  EXPECT_TRUE(hash->starts_with("$argon2id$v=19$m=19456,t=2,p=1$")) << *hash;
  EXPECT_TRUE(PasswordIs(kPassword, *hash));
  EXPECT_FALSE(PasswordIs("Correct horse battery", *hash));
  EXPECT_FALSE(PasswordIs(kPassword, ""));
  EXPECT_EQ(NewSecret().size(), 43u);
  EXPECT_NE(NewSecret(), NewSecret());
}

TEST(BodyReaderTest, RefusesByName) {
  const auto where = [](const std::string& body) {
    const auto reader = BodyReader::Read(body, {"a", "list", "flag", "n"});
    return reader ? std::string("taken") : reader.error().where;
  };
  EXPECT_EQ(where(""), "taken");
  EXPECT_EQ(where("{\"a\":1}"), "taken");
  EXPECT_EQ(where("{\"b\":1}"), "b");
  EXPECT_EQ(where("[]"), "body");
  EXPECT_EQ(where("{"), "body");
  const auto reader = *BodyReader::Read(R"({"a":1,"list":["x",2],"flag":"yes","n":1e3})", {"a", "list", "flag", "n"});
  EXPECT_EQ(reader.Text("a").error().where, "a");
  EXPECT_EQ(reader.Texts("list").error().where, "list");
  EXPECT_EQ(reader.Flag("flag").error().where, "flag");
  EXPECT_EQ(reader.Number("n", 1, 10).error().where, "n");
  EXPECT_FALSE(*reader.Text("none"));
}

TEST(EventTextTest, TellsOfRunsAndNotOfUsers) {
  EventRecord event{7, FromMilliseconds(0), "run.started", "r1", "", R"({"pipeline":"a\nb"})"};
  EXPECT_EQ(EventText(event), "id: 7\nevent: run.started\ndata: {\"at\":\"1970-01-01T00:00:00.000Z\",\"event\":\"run.started\",\"pipeline\":\"a\\nb\",\"run\":\"r1\",\"sequence\":7}\n\n");
  event.kind = "access.login";
  EXPECT_EQ(EventText(event), "");
}

TEST(MetricsTextTest, EscapesLabels) {
  MetricsText metrics;
  metrics.Family("a", "gauge", "What it is");
  metrics.Sample({{"x", "a\"b\\c\nd"}, {"y", ""}}, 1.5);
  metrics.Sample({}, 1e10);
  EXPECT_EQ(metrics.text(), "# HELP a What it is\n# TYPE a gauge\na{x=\"a\\\"b\\\\c\\nd\",y=\"\"} 1.5\na 10000000000\n");
}

TEST(SessionCookieTest, IsFoundAmongOthers) {
  EXPECT_EQ(SessionCookie("a=b; caudal_session=xyz; c=d"), "xyz");
  EXPECT_EQ(SessionCookie("xcaudal_session=xyz"), "");
  EXPECT_EQ(SessionCookie(""), "");
}

}  // namespace
}  // namespace caudal
