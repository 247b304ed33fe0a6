// What only this connector does; the rest is asked of it by src/connect/conformance_test.cc.
#include "connect/source_testing.h"

namespace caudal {

void Register_journal(Registry& registry);

namespace {

class Journal : public ::testing::Test {
 protected:
  ReadDone Read(const std::string& cursor) {
    Registry registry;
    Register_journal(registry);
    SourceRequest request;
    request.stream = "sales";
    request.options = R"({"folder": ")" + folder.path() + R"("})";
    request.stream_options = "{}";
    request.cursor = cursor;
    return ReadFrom(**registry.Find("journal"), request);
  }
  TempFolder folder;
};

TEST_F(Journal, ALineThatIsBeingWrittenWaits) {
  folder.Write("sales.ndjson", "{\"id\": 1}\n{\"id\":");
  const ReadDone first = Read("");
  ASSERT_TRUE(first.read) << first.read.error().message;
  EXPECT_EQ(first.rows(), 1);
  EXPECT_EQ(first.read->cursor, R"({"offset":10})");
  folder.Write("sales.ndjson", "{\"id\": 1}\n{\"id\": 2}\n");
  EXPECT_EQ(Read(first.read->cursor).rows(), 1);
}

TEST_F(Journal, AFileThatShrankIsRefused) {
  folder.Write("sales.ndjson", "");
  const ReadDone done = Read(R"({"offset":10})");
  ASSERT_FALSE(done.read);
  EXPECT_EQ(done.read.error().kind, ErrorKind::kCorruption);
}

}  // namespace
}  // namespace caudal
