// Streams below other streams, against a real server: six shops over two pages and one without an id, three sales each
// over two pages; shop 3 has none, shop 4 is gone.
#include "connect/http_stream.h"

#include <gmock/gmock.h>

#include "base/json.h"
#include "connect/extract.h"
#include "connect/http_testing.h"

namespace caudal {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

class HttpChildren : public HttpTest {
 protected:
  void SetUp() override {
    more = {{"parents", {{"shops", {{"endpoint", {{"path", "shops"}}}}}}}, {"include_from_parent", Json::array({"id", "town.name"})}};
  }
  static std::vector<std::int64_t> IdsOf(const ReadDone& done) {
    std::vector<std::int64_t> ids;
    for (const Json& record : RecordsOf(done)) ids.push_back(record["id"].get<std::int64_t>());
    return ids;
  }
  const Json sales{{"path", "shops/{resources.shops.id}/sales"}};
  const std::vector<std::int64_t> all{11, 12, 13, 21, 22, 23, 51, 52, 53, 61, 62, 63};
};

TEST_F(HttpChildren, AreAskedForEachRecordOfTheParentInItsOrder) {
  for (const int lanes : {1, 3, 32}) {
    client["parallel_requests"] = lanes;
    const ReadDone done = Read(sales);
    ASSERT_TRUE(done.read) << done.read.error().message;
    EXPECT_EQ(IdsOf(done), all) << lanes;
    EXPECT_THAT(done.read->notes, Contains(HasSubstr("1 of the 6 that were asked for are not there (404)")));
    EXPECT_THAT(done.read->notes, Contains(HasSubstr("1 records of shops have no value to ask with")));
  }
}

TEST_F(HttpChildren, GetFieldsOfTheParentAlsoWhenTheyAreMadeFromRawAgain) {
  const ReadDone done = Read(sales);
  ASSERT_TRUE(done.read) << done.read.error().message;
  const Json first = RecordsOf(done)[0];
  EXPECT_EQ(first["_shops_id"], 1);
  EXPECT_EQ(first["_shops_town_name"], "town 1");
  EXPECT_EQ(first["id"], 11);
  // The body is as it came; what the parent gave stands in the page's head.
  EXPECT_THAT(RawOf(done), HasSubstr("/shops/1/sales\",\"with\":{\"_shops_id\":1,\"_shops_town_name\":\"town 1\"}}\n{\"data\": [{\"id\": 11"));
  const StagedChunk& chunk = done.read->chunks[0];
  ReplayRequest replay;
  replay.objects.push_back({chunk.raw_path, "raw/x", chunk.origin, chunk.sha256, chunk.format});
  TempFolder staging;
  ExtractJob job;
  job.kind = ExtractJob::Kind::kReplay;
  job.staging_folder = staging.path();
  job.request = ReplayRequestToJson(replay);
  const auto result = RunExtractJob(job, BuiltinRegistry(), {}, {});
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(Contents(StagedReadFromJson(*ParseJson(result->answer, ""))->batches[0].path), done.Records());
}

TEST_F(HttpChildren, TakeTheWordsOfAParameterToo) {
  const Json resolve{{"type", "resolve"}, {"resource", "shops"}, {"field", "id"}};
  const ReadDone done = Read({{"path", "shops/{shop}/sales"}, {"params", {{"shop", resolve}}}});
  ASSERT_TRUE(done.read) << done.read.error().message;
  EXPECT_EQ(IdsOf(done), all);
  EXPECT_THAT(ErrorOf({{"path", "shops/sales"}, {"params", {{"shop", resolve}}}}).message, HasSubstr("and its place in the path: shop"));
}

TEST_F(HttpChildren, HaveChildrenOfTheirOwn) {
  const Json shops = more["parents"];
  more = {{"parents", {{"sales", {{"endpoint", sales}, {"parents", shops}, {"include_from_parent", Json::array({"id"})}}}}},
          {"include_from_parent", Json::array({"id", "shop"})}};
  const ReadDone done = Read({{"path", "shops/{resources.sales.shop}/sales/{resources.sales.id}/lines"}});
  ASSERT_TRUE(done.read) << done.read.error().message;
  EXPECT_EQ(done.rows(), 24);
  const Json last = RecordsOf(done)[23];
  EXPECT_EQ(last, (Json{{"sale", "63"}, {"line", 2}, {"_sales_id", 63}, {"_sales_shop", "6"}}));
}

TEST_F(HttpChildren, FollowTheCursorOfTheParent) {
  const Json words{{"cursor_path", "id"}, {"start_param", "since"}};
  more["parents"]["shops"]["endpoint"]["incremental"] = words;
  const ReadDone first = Read(sales);
  ASSERT_TRUE(first.read) << first.read.error().message;
  EXPECT_EQ(ParseJson(first.read->cursor, "")->at("parent"), (Json{{"value", "6"}}));
  const ReadDone second = Read(sales, first.read->cursor);
  ASSERT_TRUE(second.read) << second.read.error().message;
  EXPECT_EQ(IdsOf(second), (std::vector<std::int64_t>{61, 62, 63}));  // the parents at the cursor come again
}

TEST_F(HttpChildren, FailTheWholeReadWhereOneFails) {
  Json ill = sales;
  ill["params"] = {{"bad", 1}};
  const Error error = ErrorOf(ill);
  EXPECT_EQ(error.kind, ErrorKind::kUnavailable);
  EXPECT_THAT(error.message, HasSubstr("shop 6 is ill"));
}

TEST_F(HttpChildren, OfWhichNoneIsThereMeanAWrongPath) {
  const Error error = ErrorOf({{"path", "nowhere/{resources.shops.id}"}});
  EXPECT_EQ(error.kind, ErrorKind::kNotFound);
  EXPECT_THAT(error.message, HasSubstr("nowhere/1"));
  // Once the stream has a cursor, they may all have gone.
  EXPECT_TRUE(Read({{"path", "nowhere/{resources.shops.id}"}}, "{\"definition\":\"x\"}").read->unchanged);
}

TEST_F(HttpChildren, OfAParentWithoutRecordsAreNone) {
  more["parents"]["shops"]["endpoint"]["path"] = "empty";
  const ReadDone done = Read(sales);
  ASSERT_TRUE(done.read) << done.read.error().message;
  EXPECT_TRUE(done.read->unchanged);
  EXPECT_TRUE(done.read->chunks.empty());
}

TEST_F(HttpChildren, NameWhatIsWrong) {
  EXPECT_THAT(ErrorOf({{"path", "x/{resources.towns.id}"}}).message, HasSubstr("takes values of towns, which is no stream"));
  EXPECT_THAT(ErrorOf({{"path", "x/{resources.shops.nope}"}}).message, HasSubstr("a record of shops has no value nope"));
  EXPECT_THAT(ErrorOf({{"path", "x/{resources.shops.id}/{resources.towns.id}"}}).message, HasSubstr("a stream has one parent"));
  EXPECT_THAT(ErrorOf({{"path", "shops"}}).message, HasSubstr("names no parent"));
  more["include_from_parent"] = Json::array({"nope"});
  EXPECT_THAT(ErrorOf(sales).message, HasSubstr("a record of shops has no value nope"));
}

TEST(HttpEndpoint, LetsNoValueLeadOutOfItsPlace) {
  const Options stream = *Options::Parse(R"({"endpoint": {"path": "a/{resources.up.id}/b", "params": {"q": "{resources.up.id}"}}})");
  const HttpEndpoint endpoint = *HttpEndpoint::Make("s", stream, "http://h/v1");
  const auto url = [&](const Json& id) {
    const auto values = endpoint.ValuesOf(Json{{"id", id}});
    return values ? endpoint.Request(**values, nullptr)->url : values.error().message;
  };
  EXPECT_EQ(url(7), "http://h/v1/a/7/b?q=7");
  EXPECT_EQ(url("x/../y?z#&"), "http://h/v1/a/x%2F..%2Fy%3Fz%23%26/b?q=x%2F..%2Fy%3Fz%23%26");
  EXPECT_THAT(url(".."), HasSubstr("can be no part of a path: '..'"));
  EXPECT_THAT(url(""), HasSubstr("can be no part of a path"));
  EXPECT_THAT(url(Json::array({1})), HasSubstr("has no value id"));
}

}  // namespace
}  // namespace caudal
