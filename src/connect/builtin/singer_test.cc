#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "connect/extract.h"
#include "connect/program.h"
#include "connect/source_testing.h"

namespace caudal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

/// A tap of a few lines of shell, which sees $config, $catalog and $state as texts; run without a sandbox.
class Tap {
 public:
  explicit Tap(const std::string& read, const std::string& discover = "") {
    x_folder.Write("catalog.json", R"({"streams": [
      {"tap_stream_id": "shop-orders", "stream": "orders", "key_properties": ["id"],
       "schema": {"properties": {"id": {"type": ["integer"]}, "paid": {"type": ["null", "number"]}, "at": {"type": "string", "format": "date-time"}}},
       "metadata": [{"breadcrumb": [], "metadata": {"valid-replication-keys": ["at"], "row-count": 3}}]},
      {"tap_stream_id": "customers", "stream": "customers", "schema": {"properties": {"id": {"type": "integer"}}}}]})");
    const std::string catalog = x_folder / "catalog.json";
    std::string script = "#!/bin/sh\nwhile [ $# -gt 0 ]; do case $1 in --config) config=$(cat $2); shift;; --catalog) catalog=$(cat $2); shift;; "
                         "--state) state=$(cat $2); shift;; --discover) discover=1;; esac; shift; done\n";
    script += "if [ -n \"$discover\" ]; then " + (discover.empty() ? "cat " + catalog : discover) + "; exit; fi\n" + read + "\n";
    x_folder.Write("tap", script);
    std::filesystem::permissions(x_folder / "tap", std::filesystem::perms::owner_all);
    std::filesystem::create_directories(x_folder / "staging");
  }

  Result<ExtractResult> Do(ExtractJob::Kind kind, const std::string& stream = "orders", const std::string& cursor = "", Json stream_options = Json::object()) {
    stream_options["tap_stream"] = stream == "orders" ? "shop-orders" : stream;
    SourceRequest request;
    request.source = "shop";
    request.stream = stream;
    request.cursor = cursor;
    request.options = DumpJson(Json{{"command", x_folder / "tap"}, {"config", {{"user", "me"}}}});
    request.stream_options = DumpJson(stream_options);
    ExtractJob job;
    job.kind = kind;
    job.connector = "singer";
    job.request = SourceRequestToJson(request);
    job.secrets["config.password"] = "tap-s3cret";
    job.staging_folder = x_folder / "staging";
    TRY_ASSIGN(const auto program, Program::Fork(x_folder / "tap", x_folder.path(), [](int) { return Status(); }));
    return RunExtractJob(job, BuiltinRegistry(), {}, {}, program.get());
  }

  StagedRead Read(const std::string& cursor = "", const Json& stream_options = Json::object()) {
    const auto result = Do(ExtractJob::Kind::kRead, "orders", cursor, stream_options);
    if (!result) {
      ADD_FAILURE() << result.error().message;
      return {};
    }
    return *StagedReadFromJson(*ParseJson(result->answer, "the answer"));
  }
  std::string Failure(const std::string& stream = "orders", const Json& stream_options = Json::object()) {
    const auto result = Do(ExtractJob::Kind::kRead, stream, "", stream_options);
    return result ? "it worked" : result.error().message;
  }
  std::string Text(const std::string& name) const { return Contents(x_folder / name); }

 private:
  TempFolder x_folder;
};

constexpr const char* kThree = R"(cat <<'END'
{"type": "SCHEMA", "stream": "orders", "schema": {"properties": {"record": {"type": "integer"}}}, "key_properties": ["id"]}
{"type": "RECORD", "stream": "orders", "record": {"id": 1, "paid": 1.10}}
{"type": "STATE", "value": {"at": "early"}}
{"type": "RECORD", "stream": "customers", "record": {"id": 7}}
{"record": {"id": 2, "note": "\"record\": {}"}, "stream": "orders", "type": "RECORD"}
{"type": "ACTIVATE_VERSION", "stream": "orders", "version": 5}
{"type": "STATE", "value": {"at": "late"}}
END)";

TEST(Singer, RecordsStandAsTheyWerePrinted) {
  Tap tap(kThree);
  const StagedRead read = tap.Read();
  ASSERT_EQ(read.batches.size(), 1U);
  EXPECT_EQ(Contents(read.batches[0].path), "0\t1\t{\"id\": 1, \"paid\": 1.10}\n0\t2\t{\"id\": 2, \"note\": \"\\\"record\\\": {}\"}\n");
  EXPECT_EQ(read.chunks[0].rows, 2);
  EXPECT_EQ(read.chunks[0].extension, "singer.zst");
  EXPECT_EQ(read.cursor, R"({"state":{"at":"late"}})");
  EXPECT_THAT(read.notes, ElementsAre(HasSubstr("1 records of streams that were not asked for")));
}

TEST(Singer, TheTapGetsItsConfigurationCatalogAndState) {
  Tap tap("echo \"$config\" > $HOME/config; echo \"$catalog\" > $HOME/catalog; echo \"$state\" > $HOME/state");
  const StagedRead read = tap.Read(R"({"state": {"at": "then"}})", Json{{"select", {"id"}}, {"incremental", {{"cursor", "at"}}}});
  EXPECT_TRUE(read.unchanged);
  EXPECT_EQ(read.cursor, R"({"state": {"at": "then"}})");
  EXPECT_EQ(*ParseJson(tap.Text("config"), "config"), (Json{{"user", "me"}, {"password", "tap-s3cret"}}));
  EXPECT_EQ(*ParseJson(tap.Text("state"), "state"), (Json{{"at", "then"}}));
  const Json streams = (*ParseJson(tap.Text("catalog"), "catalog"))["streams"];
  const auto about = [&](std::size_t stream, const Json& breadcrumb) {
    for (const Json& one : streams[stream]["metadata"]) {
      if (one["breadcrumb"] == breadcrumb) return one["metadata"];
    }
    return Json();
  };
  EXPECT_EQ(about(0, Json::array())["selected"], true);
  EXPECT_EQ(about(0, Json::array())["replication-method"], "INCREMENTAL");
  EXPECT_EQ(about(0, Json::array())["replication-key"], "at");
  EXPECT_EQ(about(1, Json::array())["selected"], false);
  EXPECT_EQ(about(0, Json{"properties", "id"})["selected"], true);
  EXPECT_EQ(about(0, Json{"properties", "paid"})["selected"], false);
}

TEST(Singer, OffersWhatTheCatalogSays) {
  Tap tap(kThree);
  const auto result = tap.Do(ExtractJob::Kind::kDiscover);
  ASSERT_TRUE(result) << result.error().message;
  const std::vector<StreamOffer> offers = *StreamOffersFromJson(result->answer);
  ASSERT_EQ(offers.size(), 2U);
  EXPECT_EQ(offers[0].name, "shop-orders");
  EXPECT_THAT(offers[0].key, ElementsAre("id"));
  EXPECT_THAT(offers[0].cursor_candidates, ElementsAre("at"));
  EXPECT_EQ(offers[0].rows_estimate, 3);
  EXPECT_EQ(offers[0].columns.Find("at")->type.ToSql(), "TIMESTAMPTZ");
}

TEST(Singer, ATapThatFailsLeavesNothingAndItsLastWordsWithoutSecrets) {
  Tap tap(std::string(kThree) + "\necho \"Traceback: login with $config was refused\" >&2; exit 3");
  const std::string failure = tap.Failure();
  EXPECT_THAT(failure, HasSubstr("exit code 3"));
  EXPECT_THAT(failure, HasSubstr("was refused"));
  EXPECT_THAT(failure, Not(HasSubstr("tap-s3cret")));
  EXPECT_THAT(Tap("kill -SEGV $$").Failure(), HasSubstr("killed by SIGSEGV"));
}

TEST(Singer, SaysWhatATapDidWrong) {
  EXPECT_THAT(Tap("echo hello").Failure(), HasSubstr("no Singer message: hello"));
  EXPECT_THAT(Tap("echo '[1]'").Failure(), HasSubstr("no Singer message"));
  EXPECT_THAT(Tap("echo '{\"type\":\"BATCH\",\"stream\":\"orders\"}'").Failure(), HasSubstr("'BATCH'"));
  EXPECT_THAT(Tap("printf '{\"type\":\"RECORD\",\"stream\":\"orders\",\"record\":{\"id\":'").Failure(), HasSubstr("no Singer message"));
  EXPECT_THAT(Tap(kThree, "echo usage: tap").Failure(), HasSubstr("is no catalog: usage: tap"));
  EXPECT_THAT(Tap(kThree, "echo no >&2; exit 2").Failure(), HasSubstr("failed to say what it offers (exit code 2)"));
  EXPECT_THAT(Tap(kThree).Failure("nothing"), HasSubstr("no stream 'nothing'"));
  EXPECT_THAT(Tap(kThree).Failure("orders", Json{{"select", {"nothing"}}}), HasSubstr("no column 'nothing'"));
  EXPECT_THAT(Tap(kThree).Failure("orders", Json{{"incremental", {{"cursor", "at"}, {"lag", "1h"}}}}), HasSubstr("`lag` say nothing"));
}

TEST(Singer, TheProgramsChildrenEndWithIt) {
  // A child that holds the output would keep the read from ending.
  Tap tap("sleep 1000 & echo $! > $HOME/child; echo '{\"type\":\"RECORD\",\"stream\":\"orders\",\"record\":{\"id\":1}}'");
  EXPECT_EQ(tap.Read().chunks.size(), 1U);
  // Gone, or dead and not yet taken note of by whoever inherited it.
  const std::string status = Contents("/proc/" + std::to_string(std::stoi(tap.Text("child"))) + "/status");
  EXPECT_THAT(status, ::testing::AnyOf("", HasSubstr("State:\tZ")));
}

TEST(Singer, AReadOfManyRowsStaysWhole) {
  Tap tap("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo '{\"type\":\"RECORD\",\"stream\":\"orders\",\"record\":{\"id\":'$i'}}'; done");
  const StagedRead read = tap.Read();
  EXPECT_EQ(read.chunks[0].rows, 20000);
  EXPECT_THAT(Contents(read.batches[0].path), ::testing::EndsWith("0\t20000\t{\"id\":20000}\n"));
}

}  // namespace
}  // namespace caudal
