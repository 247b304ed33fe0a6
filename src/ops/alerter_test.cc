#include "ops/alerter.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/json.h"
#include "ops/delivery.h"
#include "state/schedule_store.h"

namespace caudal {
namespace {

using std::chrono::seconds;

class AlerterTest : public ::testing::Test {
 protected:
  AlerterTest() {
    std::string pattern = ::testing::TempDir() + "alerterXXXXXX";
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    x_folder = pattern;
    x_state = *MakeSqliteStore(x_folder + "/state.db");
    x_project->name = "shop";
    x_project->folder = x_folder;
    PipelineConfig pipeline;
    pipeline.name = "daily";
    x_project->pipelines.push_back(pipeline);
    AlertChannel channel;
    channel.name = "dead";
    channel.url = "http://127.0.0.1:9/";  // nobody listens on the discard port
    x_project->alerts.channels = {channel};
    AlertRule rule;
    rule.to = {"dead"};
    x_project->alerts.rules = {rule};
  }
  ~AlerterTest() override { std::filesystem::remove_all(x_folder); }

  std::unique_ptr<Alerter> Make() {
    return std::make_unique<Alerter>(Alerter::Surroundings{
        *x_state, x_clock, [this] { return x_project; },
        [this](const std::string& event, const std::vector<std::pair<std::string, std::string>>&) {
          const std::lock_guard lock(x_mutex);
          x_log.push_back(event);
        }});
  }
  void Missed() {
    ASSERT_TRUE(x_state->schedules().Tell({0, x_clock.Now(), "deadline.missed", "", "", DumpJson(Json{{"pipeline", "daily"}})}));
  }
  std::size_t Waiting(seconds later) { return x_state->alerts().Waiting("dead", x_clock.Now() + later, 100)->size(); }
  void SendAndWait(Alerter& alerter) {
    for (int i = 0; i < 500 && *alerter.Send(true); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }

  std::string x_folder;
  FakeClock x_clock{*ParseTimestamp("2026-01-31T09:00:00")};
  std::unique_ptr<StateStore> x_state;
  std::shared_ptr<Project> x_project = std::make_shared<Project>();  // as the daemon hands it out
  std::mutex x_mutex;
  std::vector<std::string> x_log;
};

TEST_F(AlerterTest, AnEventBecomesOneMessageWhateverDiesInBetween) {
  ASSERT_TRUE(Make()->Look());  // the first look: nothing of the past
  Missed();
  Missed();
  ASSERT_TRUE(Make()->Look());
  ASSERT_TRUE(Make()->Look());
  EXPECT_EQ(Waiting(seconds(0)), 2u);
}

TEST_F(AlerterTest, AChannelThatIsDownIsAskedLaterAndLater) {
  auto alerter = Make();
  ASSERT_TRUE(alerter->Look());
  Missed();
  ASSERT_TRUE(alerter->Look());
  SendAndWait(*alerter);
  EXPECT_EQ(Waiting(seconds(0)), 0u);
  EXPECT_EQ(Waiting(seconds(5)), 1u);
  x_clock.Advance(seconds(5));
  SendAndWait(*alerter);
  EXPECT_EQ(Waiting(seconds(14)), 0u);
  EXPECT_EQ(Waiting(seconds(15)), 1u);
  EXPECT_EQ(x_log, (std::vector<std::string>{"alert.failed", "alert.failed"}));
  // After three days it is given up, and that is an event.
  x_clock.Advance(std::chrono::hours(73));
  SendAndWait(*alerter);
  EXPECT_EQ(Waiting(std::chrono::hours(24)), 0u);
  EXPECT_EQ(x_state->Events(0, 100)->back().kind, "alert.given_up");
}

TEST_F(AlerterTest, BackOffGrowsToHalfAnHour) {
  EXPECT_EQ(BackOff(0), seconds(5));
  EXPECT_EQ(BackOff(1), seconds(15));
  EXPECT_EQ(BackOff(100), seconds(1800));
}

TEST(Webhook, IsSignedAsTheStandardSays) {
  // The example of the specification.
  const auto headers = WebhookHeaders("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek",
                                      *ParseTimestamp("2021-02-25T14:55:30"), "{\"test\": 2432232314}");
  EXPECT_EQ(headers.at("webhook-timestamp"), "1614264930");
  const auto other = WebhookHeaders("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", FromMilliseconds(1614265330'000),
                                    "{\"test\": 2432232314}");
  EXPECT_EQ(other.at("webhook-signature"), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  EXPECT_FALSE(WebhookHeaders("", "id", FromMilliseconds(0), "{}").contains("webhook-signature"));
}

}  // namespace
}  // namespace caudal
