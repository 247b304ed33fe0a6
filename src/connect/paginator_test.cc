// Each way from page to page, against a real server: what ends it, and what must not go on for ever.
#include "connect/paginator.h"

#include <gmock/gmock.h>

#include "base/json.h"
#include "connect/http_testing.h"

namespace caudal {
namespace {

using ::testing::HasSubstr;

class Pages : public HttpTest {
 protected:
  std::vector<std::int64_t> Ids(const Json& endpoint) {
    std::vector<std::int64_t> ids;
    const ReadDone done = Read(endpoint);
    EXPECT_TRUE(done.read) << done.read.error().message;
    if (!done.read) return ids;
    notes = done.read->notes;
    for (const Json& record : RecordsOf(done)) ids.push_back(record["id"].get<std::int64_t>());
    return ids;
  }
  const std::vector<std::int64_t> five{1, 2, 3, 4, 5};
  std::vector<std::string> notes;
};

TEST_F(Pages, GoInTheBodyOfAPost) {
  const Json where{{"where", {{"status", "paid"}}}};
  const Json offset{{"type", "offset"}, {"limit", 2}, {"offset_body_path", "page.offset"}, {"limit_body_path", "page.limit"}};
  EXPECT_EQ(Ids({{"path", "search"}, {"json", where}, {"paginator", offset}}), five);
  EXPECT_EQ(Ids({{"path", "search"}, {"json", where}, {"paginator", {{"type", "page_number"}, {"page_body_path", "number"}}}}), five);
  const Json cursor{{"type", "cursor"}, {"cursor_path", "after"}, {"cursor_body_path", "after"}};
  EXPECT_EQ(Ids({{"path", "search"}, {"json", where}, {"paginator", cursor}}), five);
  const ReadDone done = Read({{"path", "search"}, {"method", "POST"}, {"paginator", cursor}});
  EXPECT_EQ(done.rows(), 5);
  EXPECT_THAT(ErrorOf({{"path", "search"}, {"method", "GET"}, {"json", where}}).message, HasSubstr("`json` is the body of a POST"));
  EXPECT_THAT(ErrorOf({{"path", "postaway"}, {"json", where}}).message, HasSubstr("redirects a POST by 302"));
}

TEST_F(Pages, StepByWhatCame) {
  // The server gives three a page, though ten were asked: nothing is leapt over.
  EXPECT_EQ(Rows({{"path", "capped"}, {"paginator", {{"type", "offset"}, {"limit", 10}}}}), 10);
  EXPECT_EQ(Rows({{"path", "capped"}, {"paginator", {{"type", "offset"}, {"limit", 2}}}}), 10);
}

TEST_F(Pages, EndWhereTheServerSaysSo) {
  EXPECT_EQ(Ids({{"path", "more"}, {"paginator", {{"type", "offset"}, {"limit", 2}, {"has_more_path", "more"}, {"stop_after_empty_page", false}}}}), five);
  EXPECT_EQ(Ids({{"path", "offset"}, {"paginator", {{"type", "offset"}, {"limit", 2}, {"maximum_offset", 3}}}}), (std::vector<std::int64_t>{1, 2, 3, 4}));
  EXPECT_EQ(Ids({{"path", "page"}, {"paginator", {{"type", "page_number"}, {"base_page", 1}, {"maximum_page", 1}}}}), (std::vector<std::int64_t>{3, 4}));
  EXPECT_THAT(ErrorOf({{"path", "page"}, {"paginator", {{"type", "page_number"}, {"stop_after_empty_page", false}}}}).message,
              HasSubstr("nothing ends the pages"));
}

TEST_F(Pages, DoNotGoOnForEver) {
  EXPECT_THAT(ErrorOf({{"path", "ignored"}, {"paginator", {{"type", "page_number"}}}}).message, HasSubstr("the same pages again and again"));
  EXPECT_THAT(ErrorOf({{"path", "ignored"}, {"paginator", {{"type", "offset"}, {"limit", 5}}}}).message, HasSubstr("the same pages again and again"));
  client["max_pages"] = 2;
  EXPECT_THAT(ErrorOf({{"path", "page"}, {"paginator", {{"type", "page_number"}}}}).message, HasSubstr("more than 2 pages"));
}

TEST_F(Pages, AreAskedAheadWhereTheTotalIsKnown) {
  std::vector<std::int64_t> all;
  for (int i = 0; i < 95; ++i) all.push_back(i);
  for (const int lanes : {1, 2, 8, 32}) {
    client["parallel_requests"] = lanes;
    EXPECT_EQ(Ids({{"path", "counted"}, {"paginator", {{"type", "offset"}, {"limit", 10}}}}), all) << lanes;
  }
  // In the end no more was asked than there is.
  EXPECT_EQ(Ids({{"path", "counted"}, {"paginator", {{"type", "offset"}, {"limit", 100}}}}), all);
}

TEST_F(Pages, ThatMoveWhileTheyAreReadAreToldOf) {
  const Json offset{{"type", "offset"}, {"limit", 2}};
  const Error shrunk = ErrorOf({{"path", "shrinking"}, {"paginator", offset}});
  EXPECT_EQ(shrunk.kind, ErrorKind::kUnavailable);
  EXPECT_THAT(shrunk.message, HasSubstr("total went from 5 to 4"));
  Json accepted = offset;
  accepted["on_shrink"] = "accept";
  EXPECT_EQ(Ids({{"path", "shrinking"}, {"paginator", accepted}}), (std::vector<std::int64_t>{1, 2, 3, 4}));
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_THAT(notes[0], HasSubstr("a record may be missing"));
  EXPECT_EQ(Ids({{"path", "growing"}, {"paginator", offset}}), five);
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_THAT(notes[0], HasSubstr("total went from 4 to 5 while the pages were read"));
}

TEST_F(Pages, OfLinesAndCsvHaveTheirOwnHeads) {
  EXPECT_EQ(Rows({{"path", "csvpages"}, {"paginator", {{"type", "page_number"}}}}), 5);
  EXPECT_EQ(Rows({{"path", "linepages"}, {"paginator", {{"type", "page_number"}, {"maximum_page", 2}}}}), 5);
}

}  // namespace
}  // namespace caudal
