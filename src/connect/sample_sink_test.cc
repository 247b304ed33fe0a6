// A sample ends at the end of a record, and stops the source.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "connect/sample_sink.h"

namespace caudal {
namespace {

/// Notes what it gets.
class Notes final : public ChunkSink {
 public:
  Status Begin(std::string_view origin, const ChunkFormat&) override { return Note("begin " + std::string(origin)); }
  Status Append(std::string_view bytes) override {
    text += bytes;
    return {};
  }
  Status EndPage(std::string_view, std::string_view) override { return Note("page"); }
  Status End() override { return Note("end"); }
  std::string LastDigest() const override { return ""; }
  std::int64_t LastRows() const override { return 0; }
  void Replaces(std::string_view) override { calls.push_back("replaces"); }
  bool WantsMore() const override { return true; }

  std::vector<std::string> calls;
  std::string text;

 private:
  Status Note(std::string call) {
    calls.push_back(std::move(call));
    return {};
  }
};

ChunkFormat Format(const char* kind) {
  ChunkFormat format;
  format.kind = kind;
  return format;
}

TEST(SampleSink, ALargeFileIsCutAtALine) {
  Notes notes;
  SampleSink sample(notes);
  ASSERT_TRUE(sample.Begin("a.csv", Format("csv")));
  const std::string line = "123456789\n";
  Status status;
  int lines = 0;
  for (; status && lines < 1'000'000; ++lines) status = sample.Append(line);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kCancelled);
  EXPECT_TRUE(sample.full());
  EXPECT_FALSE(sample.WantsMore());
  EXPECT_LT(lines, 200'000);
  EXPECT_EQ(notes.text.size() % line.size(), 0U);
  EXPECT_GT(notes.text.size(), 1'000'000U);
  EXPECT_EQ(notes.calls, (std::vector<std::string>{"begin a.csv", "end"}));
}

TEST(SampleSink, SmallFilesComeWholeAndAFewAreEnough) {
  Notes notes;
  SampleSink sample(notes);
  int files = 0;
  while (sample.WantsMore() && files < 100) {
    ASSERT_TRUE(sample.Begin("a", Format("csv")));
    ASSERT_TRUE(sample.Append("id\n1"));
    ASSERT_TRUE(sample.End());
    ++files;
  }
  EXPECT_EQ(files, 3);
  EXPECT_EQ(notes.text, "id\n1id\n1id\n1");
  EXPECT_FALSE(sample.Begin("b", Format("csv")));
}

TEST(SampleSink, OnePageIsEnough) {
  Notes notes;
  SampleSink sample(notes);
  ASSERT_TRUE(sample.Begin("url", Format("pages")));
  ASSERT_TRUE(sample.Append("[]"));
  EXPECT_FALSE(sample.EndPage("url", ""));
  EXPECT_TRUE(sample.full());
  EXPECT_EQ(notes.calls, (std::vector<std::string>{"begin url", "page", "end"}));
}

}  // namespace
}  // namespace caudal
