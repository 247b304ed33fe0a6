#include "ops/alert_story.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace caudal {
namespace {

Timestamp At(const std::string& text) { return *ParseTimestamp(text); }

class AlertStory : public ::testing::Test {
 protected:
  AlertStory() {
    x_project.name = "shop";
    x_project.folder = "/srv/the shop";
    Pipeline("daily", "sales", {"morning"});
    Pipeline("report", "boss", {}).after = {"daily"};
    x_project.alerts.rules.push_back(Rule({}, {"all"}));
  }

  PipelineConfig& Pipeline(const std::string& name, const std::string& owner, std::vector<std::string> tags) {
    PipelineConfig pipeline;
    pipeline.name = name;
    pipeline.owner = owner;
    pipeline.tags = std::move(tags);
    x_project.pipelines.push_back(pipeline);
    return x_project.pipelines.back();
  }

  AlertRule Rule(std::vector<std::string> on, std::vector<std::string> to) {
    AlertRule rule;
    rule.on = std::move(on);
    rule.to = std::move(to);
    return rule;
  }

  std::optional<Telling> Happens(const std::string& kind, const std::string& time, Json body = Json::object()) {
    if (!body.contains("pipeline")) body["pipeline"] = "daily";
    const bool of_run = kind.starts_with("run.");
    const EventRecord event{++x_sequence, At(time), kind, of_run ? "r1" : "", "", DumpJson(body)};
    const auto name = SubjectOf(x_project, event);
    if (!name) return std::nullopt;
    // As it comes back from the store.
    Subject subject = SubjectFromJson(SubjectToJson(x_subjects[*name]));
    auto telling = Tell(x_project, Happening{event, x_tasks, x_checks}, subject);
    x_subjects[*name] = subject;
    return telling;
  }

  TaskRecord Task(const std::string& name, TaskStatus status, const std::string& kind = "", const std::string& error = "") {
    TaskRecord task;
    task.run = "r1";
    task.name = name;
    task.status = status;
    task.error_kind = kind;
    task.error = error;
    return task;
  }

  Project x_project;
  std::map<std::string, Subject> x_subjects;
  std::vector<TaskRecord> x_tasks;
  std::vector<CheckRecord> x_checks;
  std::int64_t x_sequence = 0;
};

TEST_F(AlertStory, AFailedRunIsOneMessageWithWhatWaitsAndWhatToType) {
  x_tasks = {Task("erp.orders", TaskStatus::kSucceeded), Task("silver.orders", TaskStatus::kFailed, "check_failed", "3 rows are null"),
             Task("gold.sales", TaskStatus::kBlocked)};
  auto telling = Happens("run.failed", "2026-01-31T05:10:00");
  ASSERT_TRUE(telling);
  const Alert& alert = telling->alert;
  EXPECT_EQ(alert.words, (std::vector<std::string>{"failed", "checks_failed"}));
  EXPECT_EQ(alert.title, "shop: pipeline daily failed");
  EXPECT_EQ(alert.facts, std::vector<std::string>{"silver.orders: 3 rows are null"});
  EXPECT_EQ(alert.blocks, (std::vector<std::string>{"gold.sales", "pipeline report"}));
  EXPECT_EQ(alert.type, "caudal retry r1 --project '/srv/the shop'");
  EXPECT_EQ(alert.since, At("2026-01-31T05:10:00"));
  EXPECT_EQ(telling->channels, std::vector<std::string>{"all"});
  auto again = AlertFromJson(AlertToJson(alert));
  ASSERT_TRUE(again);
  EXPECT_EQ(AlertText({*again}), AlertText({alert}));
}

TEST_F(AlertStory, WhileItGoesOnFailingPeopleAreToldAgainNoSoonerThanTheRuleSays) {
  EXPECT_TRUE(Happens("run.failed", "2026-01-31T05:00:00"));
  EXPECT_FALSE(Happens("run.failed", "2026-01-31T05:30:00"));
  auto hour = Happens("run.failed", "2026-01-31T06:00:00");
  ASSERT_TRUE(hour);
  EXPECT_EQ(hour->alert.title, "shop: pipeline daily failed, 3 times in a row");
  EXPECT_EQ(hour->alert.since, At("2026-01-31T05:00:00"));
  auto well = Happens("run.succeeded", "2026-01-31T06:10:00");
  ASSERT_TRUE(well);
  EXPECT_EQ(well->alert.words, std::vector<std::string>{"recovered"});
  EXPECT_EQ(well->alert.facts, std::vector<std::string>{"it had failed 3 times"});
  EXPECT_FALSE(Happens("run.succeeded", "2026-01-31T06:20:00")) << "what is well is no news";
  EXPECT_TRUE(Happens("run.failed", "2026-01-31T06:25:00")) << "a new failure is news at once";
}

TEST_F(AlertStory, RulesChooseByWordPipelineOwnerAndTag) {
  AlertRule owner = Rule({"failed"}, {"sales"}), tag = Rule({"late"}, {"night"}), other = Rule({}, {"nobody"}), name = Rule({"failed", "late"}, {"desk"});
  owner.owners = {"sales"};
  tag.tags = {"morning", "evening"};
  other.pipelines = {"report"};
  name.pipelines = {"daily"};
  x_project.alerts.rules = {owner, tag, other, name};
  auto failed = Happens("run.failed", "2026-01-31T05:00:00");
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->channels, (std::vector<std::string>{"desk", "sales"}));
  auto late = Happens("deadline.missed", "2026-01-31T09:00:00", {{"deadline", "2026-01-31T09:00:00.000Z"}});
  ASSERT_TRUE(late);
  EXPECT_EQ(late->channels, (std::vector<std::string>{"desk", "night"}));
  EXPECT_EQ(late->alert.words, std::vector<std::string>{"late"});
  EXPECT_FALSE(Happens("run.succeeded", "2026-01-31T09:23:00")) << "nobody asked for recovered";
}

TEST_F(AlertStory, LateIsFollowedByHowLate) {
  auto late = Happens("deadline.missed", "2026-01-31T09:00:01", {{"deadline", "2026-01-31T09:00:00.000Z"}});
  ASSERT_TRUE(late);
  EXPECT_EQ(late->alert.title, "shop: pipeline daily is late");
  EXPECT_EQ(late->alert.facts, std::vector<std::string>{"no run of it had succeeded by its deadline, 2026-01-31 09:00 +00:00"});
  EXPECT_EQ(late->alert.blocks, std::vector<std::string>{"pipeline report"});
  auto well = Happens("run.succeeded", "2026-01-31T09:23:10");
  ASSERT_TRUE(well);
  EXPECT_EQ(well->alert.facts, std::vector<std::string>{"it was ready 23m after its deadline"});
}

TEST_F(AlertStory, ChecksThatWarnAndTimesThatWereMissedAreTold) {
  x_checks = {{"r1", "gold.sales", "row_count_change", "warn", 0, "", "7 % fewer rows than before", At("2026-01-31")},
              {"r1", "gold.sales", "unique(id)", "pass", 0, "", "", At("2026-01-31")}};
  auto warned = Happens("run.succeeded", "2026-01-31T05:00:00");
  ASSERT_TRUE(warned);
  EXPECT_EQ(warned->alert.words, std::vector<std::string>{"checks_warned"});
  EXPECT_EQ(warned->alert.facts, std::vector<std::string>{"gold.sales: row_count_change warns: 7 % fewer rows than before"});
  EXPECT_FALSE(Happens("run.succeeded", "2026-01-31T05:05:00"));
  x_checks.clear();
  auto missed = Happens("schedule.missed", "2026-01-31T08:00:00", {{"times", 3}, {"why", "nobody was there to run them"}, {"since", "2026-01-31T05:00:00.000Z"}});
  ASSERT_TRUE(missed);
  EXPECT_EQ(missed->alert.title, "shop: pipeline daily missed 3 scheduled times");
}

TEST_F(AlertStory, ASourceThatChangedAndRowsThatWereRejectedAreTold) {
  auto drifted = Happens("schema.drifted", "2026-01-31T05:00:00", {{"table", "erp.orders"}, {"drift", Json::array({Json{{"words", "new column zip as BIGINT (b.csv)"}}})}});
  ASSERT_TRUE(drifted);
  EXPECT_EQ(drifted->alert.words, std::vector<std::string>{"schema_drift"});
  EXPECT_EQ(drifted->alert.title, "shop: the source of erp.orders changed");
  EXPECT_EQ(drifted->alert.facts, std::vector<std::string>{"new column zip as BIGINT (b.csv)"});
  EXPECT_EQ(drifted->alert.type, "caudal show erp.orders --project '/srv/the shop'");

  x_tasks = {Task("erp.orders", TaskStatus::kSucceeded)};
  x_tasks[0].rows_read = 1000;
  x_tasks[0].rows_rejected = 10;
  auto rejected = Happens("run.succeeded", "2026-01-31T05:01:00");
  ASSERT_TRUE(rejected);
  EXPECT_EQ(rejected->alert.words, std::vector<std::string>{"rejects"});
  EXPECT_EQ(rejected->alert.title, "shop: pipeline daily rejected rows");
  EXPECT_EQ(rejected->alert.facts, std::vector<std::string>{"erp.orders: 10 of 1000 rows rejected"});
  EXPECT_FALSE(Happens("run.succeeded", "2026-01-31T05:05:00")) << "told within the hour";
  AlertRule few = Rule({"rejects"}, {"few"}), percent = Rule({"rejects"}, {"percent"});
  few.rejects_above = 10;
  percent.rejects_above = 0.9;
  percent.rejects_percent = true;
  x_project.alerts.rules = {few, percent};
  rejected = Happens("run.succeeded", "2026-01-31T08:00:00");
  ASSERT_TRUE(rejected);
  EXPECT_EQ(rejected->channels, std::vector<std::string>{"percent"});
}

TEST_F(AlertStory, WhatIsNobodysPipelineTellsNobody) {
  EXPECT_FALSE(Happens("run.failed", "2026-01-31T05:00:00", {{"pipeline", "all"}}));
  EXPECT_FALSE(Happens("task.failed", "2026-01-31T05:00:00"));
  EXPECT_FALSE(Happens("project.loaded", "2026-01-31T05:00:00")) << "it was not broken";
  EXPECT_TRUE(Happens("project.broken", "2026-01-31T05:00:00", {{"error", "no table"}, {"where", "models/gold/a.sql:1:1"}}));
}

TEST_F(AlertStory, EachChannelTakesItsOwnForm) {
  x_tasks = {Task("a.b", TaskStatus::kFailed, "unavailable", "<down> & \"out\"\n")};
  const Alert alert = Happens("run.failed", "2026-01-31T05:00:00")->alert;
  const auto slack = ParseJson(AlertPayload(AlertChannel::Kind::kSlack, {alert}), "slack");
  ASSERT_TRUE(slack);
  EXPECT_NE((*slack)["text"].get<std::string>().find("&lt;down&gt; &amp; \"out\""), std::string::npos);
  const std::vector<Alert> many(200, alert);
  for (const auto kind : {AlertChannel::Kind::kSlack, AlertChannel::Kind::kTeams}) EXPECT_LT(AlertPayload(kind, many).size(), 16'000u);
  EXPECT_EQ(AlertTitle(many), "shop: pipeline daily failed, and 199 more");
  AlertChannel mail;
  mail.from = "caudal@example.com";
  mail.to = {"a@example.com", "b@example.com"};
  Alert odd = alert;
  odd.title = "caf\xC3\xA9\r\nBcc: evil@example.com";
  const std::string text = AlertMail(mail, {odd}, At("2026-01-31T05:00:00"));
  EXPECT_EQ(text.find("\r\nBcc:"), std::string::npos);
  EXPECT_NE(text.find("Date: Sat, 31 Jan 2026 05:00:00 +0000\r\n"), std::string::npos);
  EXPECT_NE(text.find("Subject: =?utf-8?B?"), std::string::npos);
}

}  // namespace
}  // namespace caudal
