#include "connect/http_incremental.h"

#include <gmock/gmock.h>

#include "base/json.h"
#include "connect/http_testing.h"

namespace caudal {
namespace {

using ::testing::HasSubstr;

TEST(SteppedBack, KeepsTheFormOfTheValue) {
  const auto back = [](const std::string& value, const std::string& lag) {
    const Result<std::string> result = SteppedBack(value, lag);
    return result ? *result : result.error().message;
  };
  EXPECT_EQ(back("1000", "10"), "990");
  EXPECT_EQ(back("-5", "10"), "-15");
  EXPECT_EQ(back("1767225600", "10m"), "1767225000");
  EXPECT_EQ(back("1767225600000", "1500ms"), "1767225598500");
  EXPECT_EQ(back("1767225600", "1500ms"), "1767225598");  // the second that it reaches into is taken whole
  EXPECT_EQ(back("2026-01-03", "2d"), "2026-01-01");
  EXPECT_EQ(back("2026-01-03", "1h"), "2026-01-02");
  EXPECT_EQ(back("2026-01-01T00:05:00Z", "10m"), "2025-12-31T23:55:00Z");
  EXPECT_EQ(back("2026-01-01 00:05:00.250", "10m"), "2025-12-31 23:55:00.250");
  EXPECT_EQ(back("2026-01-01T10:00+05:30", "1h"), "2026-01-01T09:00+05:30");
  EXPECT_EQ(back("2026-01-01T10:00:00.123456789Z", "1s"), "2026-01-01T09:59:59.123456000Z");
  EXPECT_THAT(back("abc", "1h"), HasSubstr("is a duration, and the cursor is no time: abc"));
  EXPECT_THAT(back("12", "1h"), HasSubstr("is a duration, and the cursor is no time: 12"));
  EXPECT_THAT(back("2026-01-01", "5"), HasSubstr("is a number, and the cursor is none"));
  EXPECT_THAT(back("2026-99-99", "1h"), HasSubstr("no time"));
}

TEST(Incremental, MovesNeitherBeyondTheEndNorIntoTheFuture) {
  const Timestamp now = *ParseTimestamp("2026-03-01T12:00:00Z");
  IncrementalWords words;
  words.cursor_path = "at";
  words.end_param = "to";
  const Json early{{"at", "2026-02-01T00:00:00Z"}};
  const Json late{{"at", "2026-03-01T12:00:01Z"}};
  const Json far{{"at", "2099-01-01T00:00:00Z"}};
  Incremental ended = *Incremental::Make(words, "", now);
  EXPECT_EQ(ended.end(), "2026-03-01T12:00:00Z");
  ASSERT_TRUE(ended.Move({&early, &late, &far}, "here"));
  EXPECT_EQ(ended.value(), "2026-02-01T00:00:00Z");
  words.end_param = "";
  Incremental open = *Incremental::Make(words, "", now);
  ASSERT_TRUE(open.Move({&far, &late, &early}, "here"));
  EXPECT_EQ(open.value(), "2026-03-01T12:00:01Z");
  EXPECT_EQ(open.future(), 1);
  words.end_param = "to";
  EXPECT_EQ(Incremental::Make(words, "1767225600", now)->end(), "1772366400");
  EXPECT_EQ(Incremental::Make(words, "2026-01-01T00:00+02:00", now)->end(), "2026-03-01T14:00+02:00");
  EXPECT_EQ(Incremental::Make(words, "2026-01-01", now)->end(), "2026-03-01");
  EXPECT_THAT(Incremental::Make(words, "17", now).error().message, HasSubstr("the cursor is no time: 17"));
}

TEST(Incremental, ComparesNumbersBySize) {
  IncrementalWords words;
  words.cursor_path = "n";
  Incremental made = *Incremental::Make(words, "9", Timestamp{});
  const Json more{{"n", 10}};
  const Json less{{"n", 8.5}};
  const Json none{{"n", nullptr}};
  ASSERT_TRUE(made.Move({&more, &less, &none}, "here"));
  EXPECT_EQ(made.value(), "10");
}

using HttpIncremental = HttpTest;

TEST_F(HttpIncremental, AsksFromStartToEnd) {
  const Json words{{"cursor_path", "updated_at"}, {"start_param", "from"}, {"end_param", "to"},
                   {"initial_value", "2026-01-02"}, {"end_value", "2026-01-04"}};
  const ReadDone done = Read({{"path", "window"}, {"incremental", words}});
  ASSERT_TRUE(done.read) << done.read.error().message;
  EXPECT_EQ(done.rows(), 2);
  EXPECT_EQ(ParseJson(done.read->cursor, "")->at("value"), "2026-01-03T00:00:00Z");
  Json open = words;
  open.erase("end_value");
  const ReadDone to_now = Read({{"path", "window"}, {"incremental", open}}, done.read->cursor);
  ASSERT_TRUE(to_now.read) << to_now.read.error().message;
  EXPECT_EQ(to_now.rows(), 3);
  const Json asked = RecordsOf(to_now)[0]["asked"];
  EXPECT_EQ(asked["from"], "2026-01-03T00:00:00Z");
  EXPECT_GT(asked["to"].get<std::string>(), "2026-06-01T00:00:00Z");
}

TEST_F(HttpIncremental, StepsBackByALag) {
  const Json words{{"cursor_path", "updated_at"}, {"start_param", "since"}, {"initial_value", "2026-01-02"}, {"lag", "2d"}};
  const Json endpoint{{"path", "since"}, {"incremental", words}};
  const ReadDone first = Read(endpoint);
  EXPECT_EQ(first.rows(), 4);
  const ReadDone second = Read(endpoint, first.read->cursor);
  ASSERT_TRUE(second.read) << second.read.error().message;
  EXPECT_EQ(second.rows(), 3);  // those of the last two days, and the last
  Json far = words;
  far["lag"] = "99d";
  EXPECT_EQ(Read({{"path", "since"}, {"incremental", far}}, first.read->cursor).rows(), 4);  // not before the beginning
  far["lag"] = "5";
  EXPECT_THAT(Read({{"path", "since"}, {"incremental", far}}, first.read->cursor).read.error().message, HasSubstr("`lag: 5` is a number"));
}

TEST_F(HttpIncremental, FillsPlacesInPathParametersAndBody) {
  const Json words{{"cursor_path", "updated_at"}, {"initial_value", "2026-01-03"}};
  EXPECT_EQ(Rows({{"path", "since"}, {"params", {{"since", "{incremental.start_value}"}}}, {"incremental", words}}), 3);
  EXPECT_EQ(Rows({{"path", "since?since={incremental.start_value}"}, {"incremental", words}}), 3);
  const ReadDone posted = Read({{"path", "search"}, {"json", {{"where", "at > {incremental.start_value}, { id }"}}}, {"incremental", words},
                                {"paginator", {{"type", "single_page"}}}});
  ASSERT_TRUE(posted.read) << posted.read.error().message;
  EXPECT_EQ(RecordsOf(posted)[0]["asked"], "at > 2026-01-03, { id }");
}

TEST_F(HttpIncremental, NamesWhatIsWrong) {
  EXPECT_THAT(ErrorOf({{"path", "since"}, {"incremental", {{"start_param", "since"}}}}).message, HasSubstr("needs `cursor_path`"));
  EXPECT_THAT(ErrorOf({{"path", "since"}, {"params", {{"since", {{"cursor_path", "a"}, {"begin", 1}}}}}}).message, HasSubstr("not: begin"));
  EXPECT_THAT(ErrorOf({{"path", "csv"}, {"incremental", {{"cursor_path", "id"}}}}).message, HasSubstr("need JSON or NDJSON"));
  const Json lines{{"path", "ndjson"}, {"incremental", {{"cursor_path", "id"}}}};
  const ReadDone done = Read(lines);
  ASSERT_TRUE(done.read) << done.read.error().message;
  EXPECT_EQ(ParseJson(done.read->cursor, "")->at("value"), "5");
}

}  // namespace
}  // namespace caudal
