#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "connect/extract.h"
#include "connect/http_client.h"
#include "connect/http_testing.h"

namespace caudal {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

using Http = HttpTest;

TEST_F(Http, FollowsEachKindOfPages) {
  EXPECT_EQ(Rows({{"path", "pages"}, {"paginator", {{"type", "json_link"}, {"next_url_path", "paging.next_url"}}}}), 5);
  EXPECT_EQ(Rows({{"path", "pages"}}), 5);
  EXPECT_EQ(Rows({{"path", "link"}, {"paginator", {{"type", "header_link"}}}}), 5);
  EXPECT_EQ(Rows({{"path", "link"}}), 5);
  EXPECT_EQ(Rows({{"path", "offset"}, {"paginator", {{"type", "offset"}, {"limit", 2}}}}), 5);
  EXPECT_EQ(Rows({{"path", "page"}, {"paginator", {{"type", "page_number"}}}}), 5);
  EXPECT_EQ(Rows({{"path", "cursor"}, {"paginator", {{"type", "cursor"}}}}), 5);
  EXPECT_EQ(Rows({{"path", "pages"}, {"paginator", {{"type", "single_page"}}}}), 2);
}

TEST_F(Http, KeepsTheBodiesAsTheyCame) {
  const ReadDone done = Read({{"path", "pages"}});
  ASSERT_EQ(done.read->chunks.size(), 1U);
  const StagedChunk& chunk = done.read->chunks[0];
  EXPECT_EQ(chunk.extension, "pages.zst");
  const std::string raw = Shell("zstd -dc " + chunk.raw_path);
  EXPECT_THAT(raw, HasSubstr("/pages?page=3\"}\n{\"data\": [{\"id\": 5"));
  EXPECT_THAT(done.Records(), HasSubstr("0\t5\t{\"id\": 5, \"name\": \"item 5\""));
  EXPECT_EQ(chunk.origin, server->url() + "/pages");
  // And back again.
  ReplayRequest replay;
  replay.objects.push_back({chunk.raw_path, "raw/x", chunk.origin, chunk.sha256, chunk.format});
  TempFolder staging;
  ExtractJob job;
  job.kind = ExtractJob::Kind::kReplay;
  job.staging_folder = staging.path();
  job.request = ReplayRequestToJson(replay);
  const auto result = RunExtractJob(job, BuiltinRegistry(), {}, {});
  ASSERT_TRUE(result) << result.error().message;
  const StagedRead read = *StagedReadFromJson(*ParseJson(result->answer, ""));
  EXPECT_EQ(Contents(read.batches[0].path), done.Records());
}

TEST_F(Http, AsksOnlyForWhatChanged) {
  for (const char* path : {"etag", "modified", "one"}) {
    const ReadDone first = Read({{"path", path}});
    ASSERT_TRUE(first.read);
    EXPECT_FALSE(first.read->unchanged) << path;
    const ReadDone second = Read({{"path", path}}, first.read->cursor);
    EXPECT_TRUE(second.read->unchanged) << path;
    EXPECT_TRUE(second.read->chunks.empty()) << path;
  }
  EXPECT_TRUE(Read({{"path", "empty"}}).read->unchanged);
  EXPECT_TRUE(Read({{"path", "nothing"}}).read->unchanged);
}

TEST_F(Http, MovesTheCursorWithTheRecords) {
  const Json since{{"type", "incremental"}, {"cursor_path", "updated_at"}, {"initial_value", "2026-01-03"}};
  const Json endpoint{{"path", "since"}, {"params", {{"since", since}}}};
  const ReadDone first = Read(endpoint);
  EXPECT_EQ(first.rows(), 3);
  EXPECT_EQ(ParseJson(first.read->cursor, "")->at("value"), "2026-01-05T00:00:00Z");
  const ReadDone second = Read(endpoint, first.read->cursor);
  EXPECT_EQ(second.rows(), 1);  // the last one again
  EXPECT_TRUE(Read(endpoint, second.read->cursor).read->unchanged);
  const Json words{{"start_param", "since"}, {"cursor_path", "updated_at"}};
  EXPECT_EQ(Rows({{"path", "since"}, {"incremental", words}}), 5);
  EXPECT_THAT(ErrorOf({{"path", "since"}, {"params", {{"since", {{"cursor_path", "nope"}}}}}}).message,
              HasSubstr("no record has the cursor nope"));
}

TEST_F(Http, SendsEachKindOfCredentials) {
  client["auth"] = {{"type", "bearer"}, {"token", "sesame"}};
  EXPECT_EQ(Rows({{"path", "bearer"}}), 5);
  client["auth"] = {{"type", "basic"}, {"username", "ali"}, {"password", "baba"}};
  EXPECT_EQ(Rows({{"path", "basic"}}), 5);
  client["auth"] = {{"type", "api_key"}, {"name", "X-Key"}, {"api_key", "sesame"}};
  EXPECT_EQ(Rows({{"path", "key"}}), 5);
  client["auth"] = {{"type", "api_key"}, {"name", "api_key"}, {"api_key", "sesame"}, {"location", "query"}};
  const ReadDone done = Read({{"path", "keyq"}});
  EXPECT_EQ(done.rows(), 5);
  EXPECT_THAT(Shell("zstd -dc " + done.read->chunks[0].raw_path), Not(HasSubstr("sesame")));
}

TEST_F(Http, SaysThatCredentialsAreBadAndNotWhichTheyWere) {
  for (const char* location : {"header", "query"}) {
    client["auth"] = {{"type", "api_key"}, {"name", "api_key"}, {"api_key", "open-barley"}, {"location", location}};
    const Error error = ErrorOf({{"path", "keyq"}});
    EXPECT_EQ(error.kind, ErrorKind::kPermission);
    EXPECT_THAT(error.message, HasSubstr("the server answers 401"));
    EXPECT_THAT(error.ToString(), Not(HasSubstr("open-barley")));
  }
  client["auth"] = {{"type", "bearer"}};
  EXPECT_THAT(ErrorOf({{"path", "bearer"}}).message, HasSubstr("auth of type bearer needs `token`"));
}

TEST_F(Http, TakesCredentialsToNoOtherHost) {
  client["auth"] = {{"type", "bearer"}, {"token", "sesame"}};
  const Error error = ErrorOf({{"path", "away"}});
  EXPECT_EQ(error.kind, ErrorKind::kPermission);
  EXPECT_THAT(error.message, HasSubstr("redirects to another place"));
  client["auth"] = {{"type", "api_key"}, {"name", "k"}, {"api_key", "sesame"}, {"location", "query"}};
  EXPECT_THAT(ErrorOf({{"path", "away"}}).message, HasSubstr("redirects to another place"));
  client.erase("auth");
  EXPECT_EQ(Rows({{"path", "moved"}, {"paginator", {{"type", "single_page"}}}}), 2);
  EXPECT_THAT(ErrorOf({{"path", "http://localhost:1/x"}}).message, HasSubstr("another host than base_url"));
}

TEST_F(Http, TriesAgainWhatMayPass) {
  EXPECT_EQ(Rows({{"path", "flaky"}, {"params", {{"id", 1}}}}), 5);
  EXPECT_EQ(Rows({{"path", "limited"}, {"params", {{"id", 1}}}}), 5);
  EXPECT_EQ(ErrorOf({{"path", "down"}}).kind, ErrorKind::kUnavailable);
  const Error busy = ErrorOf({{"path", "busy"}});
  EXPECT_EQ(busy.kind, ErrorKind::kUnavailable);
  EXPECT_THAT(busy.next, HasSubstr("3600"));
  EXPECT_EQ(ErrorOf({{"path", "half"}}).kind, ErrorKind::kUnavailable);
  client["timeout"] = "100ms";
  EXPECT_EQ(ErrorOf({{"path", "slow"}}).kind, ErrorKind::kTimeout);
}

TEST_F(Http, NamesWhatIsNoData) {
  const Error login = ErrorOf({{"path", "login"}});
  EXPECT_EQ(login.kind, ErrorKind::kPermission);
  EXPECT_THAT(login.message, HasSubstr("web page instead of data, as for a login"));
  EXPECT_EQ(ErrorOf({{"path", "badjson"}}).kind, ErrorKind::kCorruption);
  EXPECT_EQ(ErrorOf({{"path", "gone"}}).kind, ErrorKind::kNotFound);
  EXPECT_THAT(ErrorOf({{"path", "one"}, {"data_selector", "items"}}).message, HasSubstr("members at the top: data"));
  EXPECT_THAT(ErrorOf({{"path", "same"}}).message, HasSubstr("the next page is the same page"));
  EXPECT_THAT(ErrorOf({{"path", "round"}}).message, HasSubstr("redirects without end"));
  client["max_page_bytes"] = 1 << 20;
  EXPECT_THAT(ErrorOf({{"path", "big"}}).message, HasSubstr("more than 1048576 bytes"));
  client["max_pages"] = 2;
  EXPECT_THAT(ErrorOf({{"path", "pages"}}).message, HasSubstr("more than 2 pages"));
}

TEST_F(Http, ReadsOtherBodies) {
  EXPECT_EQ(Rows({{"path", "gzip"}}), 5);
  EXPECT_EQ(Rows({{"path", "ndjson"}}), 5);
  EXPECT_EQ(Rows({{"path", "csv"}}), 2);
}

TEST_F(Http, AsksNoPrivateAddressUnlessTold) {
  client["allow_private"] = false;
  const Error error = ErrorOf({{"path", "one"}});
  EXPECT_EQ(error.kind, ErrorKind::kPermission);
  EXPECT_THAT(error.message, HasSubstr("private or local"));
  client["base_url"] = "http://[::ffff:127.0.0.1]:" + std::to_string(server->port());
  EXPECT_EQ(ErrorOf({{"path", "one"}}).kind, ErrorKind::kPermission);
}

TEST_F(Http, ChecksTheServerAndTheCredentials) {
  const auto source = connector.make_bytes();
  EXPECT_TRUE(source->Check(Request(Json::object())));
  client["base_url"] = server->url() + "/bearer";
  EXPECT_EQ(source->Check(Request(Json::object())).error().kind, ErrorKind::kPermission);
  client["base_url"] = "http://127.0.0.1:1";
  EXPECT_EQ(source->Check(Request(Json::object())).error().kind, ErrorKind::kUnavailable);
}

TEST(HttpUrl, HidesWhatIsSecret) {
  EXPECT_EQ(PublicUrl("https://ali:baba@h:8/p?a=1&api_key=x&Access-Token=y#z"), "https://h:8/p?a=1&api_key=***&Access-Token=***");
  EXPECT_EQ(Redacted("say a b%2Fc and b/c", {"b/c"}), "say a *** and ***");
  EXPECT_EQ(WithParameter("http://h/p?a=1&b=2", "a", "x y"), "http://h/p?b=2&a=x%20y");
  EXPECT_EQ(*ResolveUrl("http://h/v1/items?x=1", "?page=2"), "http://h/v1/items?page=2");
  EXPECT_EQ(ResolveUrl("http://h/", "file:///etc/passwd").error().kind, ErrorKind::kPermission);
  EXPECT_TRUE(SameOrigin("http://h/a", "http://h:80/b"));
  EXPECT_FALSE(SameOrigin("http://h/a", "https://h/a"));
}

}  // namespace
}  // namespace caudal
