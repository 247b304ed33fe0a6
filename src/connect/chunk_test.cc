#include "connect/chunk.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "connect/extract.h"

namespace caudal {
namespace {

TEST(Chunk, GoesThroughJsonWhole) {
  StagedRead read;
  StagedChunk chunk;
  chunk.raw_path = "/s/raw-0.csv.zst";
  chunk.origin = "a.csv";
  chunk.sha256 = "ab";
  chunk.size_bytes = 7;
  chunk.rows = 2;
  chunk.format.delimiter = ";";
  chunk.format.columns = {"a", "b"};
  read.chunks.push_back(chunk);
  StagedBatch batch;
  batch.kind = "csv";
  batch.path = "/s/batch-0.csv";
  batch.columns = {"a", "b"};
  batch.facts = {ColumnFacts{3, true, 4, 2}, ColumnFacts{}};
  batch.multiline = true;
  batch.longest_record_bytes = 99;
  read.batches.push_back(batch);
  read.rejected = 1;
  read.rejects_path = "/s/rejects.ndjson";
  read.replaces["a.csv"] = 0;
  read.notes = {"x"};
  read.cursor = "{}";
  const Json json = StagedReadToJson(read);
  const Result<StagedRead> back = StagedReadFromJson(json);
  ASSERT_TRUE(back);
  EXPECT_EQ(StagedReadToJson(*back), json);
  EXPECT_EQ(back->batches[0].facts[0].integer_digits, 4);
  EXPECT_EQ(back->chunks[0].format.delimiter, ";");
  EXPECT_EQ(StagedReadFromJson(Json{{"chunks", 5}}).error().kind, ErrorKind::kCorruption);
}

TEST(Extract, GivesRequestsSecretsAndNamesUnknownConnectors) {
  SourceRequest request;
  request.source = "s";
  request.stream = "t";
  request.options = R"({"client":{"base_url":"http://127.0.0.1:1"}})";
  request.raw_key = "raw/x";
  EXPECT_EQ(SourceRequestFromJson(SourceRequestToJson(request))->raw_key, "raw/x");
  ExtractJob job;
  job.kind = ExtractJob::Kind::kCheck;
  job.connector = "htp";
  job.request = SourceRequestToJson(request);
  EXPECT_EQ(RunExtractJob(job, BuiltinRegistry(), {}, {}).error().message,
            "there is no connector of this type (there are: delta, files, http, mysql, postgres, singer, sqlite): htp");
  // A secret reaches its place among the options: the URL is whole only with it.
  job.connector = "http";
  job.secrets = {{"client.base_url", "gopher://h"}, {"streams.other.x", "y"}};
  EXPECT_EQ(RunExtractJob(job, BuiltinRegistry(), {}, {}).error().message, "only http and https are asked, not: gopher");
}

}  // namespace
}  // namespace caudal
