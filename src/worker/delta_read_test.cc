// The delta connector in a worker under its sandbox; rows of tables that others wrote: tests/e2e/test_existing_tables.py.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/json.h"
#include "connect/extract.h"
#include "connect/source_testing.h"
#include "engine/engine.h"

namespace caudal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(DeltaRead, AConfinedWorkerDiscoversAndChecksTables) {
  if (std::getenv("CAUDAL_BINARY") == nullptr) GTEST_SKIP() << "CAUDAL_BINARY is not set; CTest sets it";
  const TempFolder folder;
  const std::string protocol = R"({"protocol":{"minReaderVersion":)";
  const std::string columns = R"({"metaData":{"id":"1","format":{"provider":"parquet","options":{}},"schemaString":)"
                              R"("{\"type\":\"struct\",\"fields\":[{\"name\":\"id\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}}]}",)"
                              R"("partitionColumns":[],"configuration":{}}})";
  const std::string name = "/_delta_log/00000000000000000000.json";
  folder.Write("lake/orders" + name, protocol + "1,\"minWriterVersion\":2}}\n" + columns + "\n");
  folder.Write("lake/crm/customers" + name, protocol + "1,\"minWriterVersion\":2}}\n" + columns + "\n");
  folder.Write("lake/later" + name, protocol + R"(3,"minWriterVersion":7,"readerFeatures":["timeTravelByMood"],"writerFeatures":["timeTravelByMood"]}})" +
                                        "\n" + columns + "\n");
  const auto pool = MakeWorkerPool(PoolOptions{std::getenv("CAUDAL_BINARY"), 1, folder / "tmp", true});
  ASSERT_TRUE(pool) << pool.error().message;
  const auto ask = [&](ExtractJob::Kind kind, const std::string& stream) {
    SourceRequest request;
    request.source = "old";
    request.stream = stream;
    request.options = DumpJson(Json{{"location", folder / "lake"}});
    request.stream_options = "{}";
    ExtractJob job;
    job.kind = kind;
    job.connector = "delta";
    job.request = SourceRequestToJson(request);
    job.read_paths = {folder / "lake"};
    return RunExtract(**pool, job, RunOptions{}, nullptr);
  };
  const auto answer = ask(ExtractJob::Kind::kDiscover, "");
  ASSERT_TRUE(answer) << answer.error().ToString();
  std::vector<std::string> names;
  const auto offers = StreamOffersFromJson(answer->answer);
  for (const StreamOffer& offer : *offers) names.push_back(offer.name);
  EXPECT_THAT(names, ElementsAre("crm/customers", "later", "orders"));
  EXPECT_TRUE(ask(ExtractJob::Kind::kCheck, ""));
  EXPECT_TRUE(ask(ExtractJob::Kind::kCheck, "orders"));
  const auto later = ask(ExtractJob::Kind::kCheck, "later");
  ASSERT_FALSE(later);
  EXPECT_EQ(later.error().kind, ErrorKind::kUnsupported) << later.error().message;
  EXPECT_THAT(later.error().message, HasSubstr("timeTravelByMood"));
}

}  // namespace
}  // namespace caudal
