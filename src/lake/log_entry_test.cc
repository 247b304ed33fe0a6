#include "lake/log_entry.h"

#include <gtest/gtest.h>

#include "lake/lake_fixture.h"
#include "lake/table_config.h"

namespace caudal {
namespace {

LiveFile File(const std::string& path) {
  LiveFile file;
  file.path = path;
  file.partition = {{"region", "a b"}};
  file.size_bytes = 3770;
  file.rows = 10;
  file.file_id = "f8c8c3f0-0830-4ee3-a787-05ca69a59bd3-0";
  file.instant = "20260110101010101";
  file.added_version = 0;
  return file;
}

LogEntry First() {
  LogEntry entry;
  entry.version = 0;
  entry.time = TestTime();
  entry.instant = FormatInstant(entry.time);
  entry.operation = "CREATE";
  entry.hudi_operation = "INSERT";
  entry.transaction = "0b1e6b7a-7f5a-4c1e-9d53-6f4c1f3d5a10";
  entry.kind = ChangeKind::kAppend;
  entry.blind = true;
  entry.task = "run-1/silver.orders";
  entry.raw.push_back(RawObject{"raw/a.csv.zst", "ab12", 99, 10, "a.csv", "{}"});
  entry.counts = RowCounts{12, 10, 1, 1};
  entry.note = R"({"why":"test"})";
  entry.rejects = LogRejects{0, -1, {}};
  LiveFile reject;
  reject.path = "r-0_1-0-0_20260110101010101.parquet";
  reject.file_id = "r-0";
  reject.size_bytes = 5;
  reject.rows = 1;
  reject.instant = entry.instant;
  entry.rejects->files.push_back(reject);
  entry.creates = true;
  TableDefinition definition{"silver.orders", {}, {"region"}, {"id"}, {{"owner", "sales"}}};
  definition.schema.fields = {Field{"id", *ParseType("BIGINT"), 0}, Field{"region", *ParseType("VARCHAR"), 0},
                              Field{"tags", *ParseType("VARCHAR[]"), 0}};
  entry.metadata = std::move(NextMetadata(nullptr, definition, true, "7e0b7d2e-0000-4000-8000-000000000001", entry.time)).value();
  entry.domains["cursor.orders"] = R"({"updated_at":"2026-01-01"})";
  entry.adds.push_back(File("region=a b/new.parquet"));
  entry.adds[0].stats = std::make_shared<const std::string>(R"({"numRecords":10})");
  return entry;
}

constexpr std::string_view kGolden =
    R"({"commitInfo":{"caudal.change":"append","caudal.counts":{"deduplicated":1,"read":12,"rejected":1,"written":10},"caudal.note":{"why":"test"},"caudal.raw":[{"format":"{}","key":"raw/a.csv.zst","origin":"a.csv","rows":10,"sha256":"ab12","size":99}],"caudal.rejects":{"files":[{"fileId":"r-0","path":"r-0_1-0-0_20260110101010101.parquet","rows":1,"size":5}],"previous":-1,"version":0},"caudal.task":"run-1/silver.orders","engineInfo":"caudal/)" CAUDAL_VERSION R"(","hudiInstant":"20260110101010101","hudiOperation":"INSERT","isBlindAppend":true,"operation":"CREATE","operationParameters":{},"timestamp":1768039810101,"txnId":"0b1e6b7a-7f5a-4c1e-9d53-6f4c1f3d5a10"}}
{"protocol":{"minReaderVersion":1,"minWriterVersion":7,"writerFeatures":["appendOnly","invariants","domainMetadata","caudal.multiFormat"]}}
{"metaData":{"configuration":{"caudal.maxFieldId":"4","caudal.owner":"sales","caudal.recordKey":"id","caudal.schemaId":"0","delta.enableExpiredLogCleanup":"false","delta.logRetentionDuration":"interval 36500 days"},"createdTime":1768039810101,"format":{"options":{},"provider":"parquet"},"id":"7e0b7d2e-0000-4000-8000-000000000001","name":"silver.orders","partitionColumns":["region"],"schemaString":"{\"fields\":[{\"metadata\":{\"caudal.fieldId\":1},\"name\":\"id\",\"nullable\":true,\"type\":\"long\"},{\"metadata\":{\"caudal.fieldId\":2},\"name\":\"region\",\"nullable\":true,\"type\":\"string\"},{\"metadata\":{\"caudal.elementId\":4,\"caudal.fieldId\":3},\"name\":\"tags\",\"nullable\":true,\"type\":{\"containsNull\":true,\"elementType\":\"string\",\"type\":\"array\"}}],\"type\":\"struct\"}"}}
{"domainMetadata":{"configuration":"{\"updated_at\":\"2026-01-01\"}","domain":"caudal.cursor.orders","removed":false}}
{"add":{"dataChange":true,"modificationTime":1768039810101,"partitionValues":{"region":"a b"},"path":"region=a%20b/new.parquet","size":3770,"stats":"{\"numRecords\":10}","tags":{"caudal.version":"0","hudi.fileId":"f8c8c3f0-0830-4ee3-a787-05ca69a59bd3-0","hudi.instant":"20260110101010101"}}}
)";

TEST(LogEntry, Golden) { EXPECT_EQ(LogText(First()), kGolden); }

TEST(LogEntry, RoundTrip) {
  LogEntry second = First();
  second.version = 7;
  second.creates = false;
  second.metadata.reset();
  second.rejects.reset();
  second.raw.clear();
  second.counts.reset();
  second.note.clear();
  second.kind = ChangeKind::kNone;
  second.domains["inputs.bronze"] = std::nullopt;
  second.removes.push_back(LogRemove{"region=x%2Fy/old.parquet", {{"region", std::nullopt}}, 12, 8, "g-0", "20250110101010101", 3});
  second.source_version = 4;
  second.adds[0].sha256 = "cd34";
  LogEntry third = First();
  third.rejects->files[0].sha256 = "ef56";
  for (const LogEntry& entry : {First(), second, third}) {
    std::string text = LogText(entry);
    auto read = ReadLogText(entry.version, text);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(LogText(*read), text);
    EXPECT_EQ(read->adds[0].path, "region=a b/new.parquet");
    EXPECT_EQ(read->adds[0].rows, 10);
    EXPECT_EQ(read->adds[0].sha256, entry.adds[0].sha256);
    if (entry.rejects) {
      EXPECT_EQ(read->rejects->files[0].sha256, entry.rejects->files[0].sha256);
    }
  }
  auto read = *ReadLogText(7, LogText(second));
  EXPECT_EQ(read.removes[0].path, "region=x%2Fy/old.parquet");
  EXPECT_EQ(read.removes[0].rows, 8);
  EXPECT_EQ(read.removes[0].partition.at("region"), std::nullopt);
  EXPECT_EQ(read.removes[0].added_version, 3);
  EXPECT_FALSE(read.domains.at("inputs.bronze").has_value());
}

TEST(LogEntry, ForeignActionsAreIgnored) {
  std::string text = std::string(kGolden) + "{\"txn\":{\"appId\":\"x\",\"version\":1}}\n\n{\"cdc\":{\"path\":\"x\"}}\n";
  ASSERT_TRUE(ReadLogText(0, text));
}

TEST(LogEntry, BrokenTextIsCorruptionAndNamesTheVersion) {
  for (const std::string& text : {std::string(""), std::string("{\"add\":"), std::string("[]\n"), std::string(kGolden.substr(0, 200)),
                                  std::string(kGolden.substr(0, kGolden.find("{\"protocol\"")))}) {
    auto read = ReadLogText(0, text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().kind, ErrorKind::kCorruption);
    EXPECT_NE(read.error().message.find("00000000000000000000.json"), std::string::npos);
  }
  auto newer = ReadLogText(3, "{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7}}\n");
  EXPECT_EQ(newer.error().kind, ErrorKind::kUnsupported);
}

}  // namespace
}  // namespace caudal
