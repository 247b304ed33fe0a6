#include "connect/trailer.h"

#include <gtest/gtest.h>

namespace caudal {
namespace {

TEST(Trailer, FindsTheNumber) {
  EXPECT_EQ(RowsOfTrailer("TRAILER;{rows}", "TRAILER;12"), 12);
  EXPECT_EQ(RowsOfTrailer("T*|{rows}|*", "T20261122|7|abc"), 7);
  EXPECT_EQ(RowsOfTrailer("*{rows}", "rows: 2026 of 15"), 15);
  EXPECT_EQ(RowsOfTrailer("{rows} rows", "0 rows"), 0);
  EXPECT_FALSE(RowsOfTrailer("TRAILER;{rows}", "TRAILER;"));
  EXPECT_FALSE(RowsOfTrailer("TRAILER;{rows}", "TRAILER;1,5"));
  EXPECT_FALSE(RowsOfTrailer("TRAILER;{rows}", "a;1"));
  EXPECT_FALSE(RowsOfTrailer("TRAILER;{rows}", "TRAILER;99999999999999999999"));
  EXPECT_FALSE(RowsOfTrailer("TRAILER", "TRAILER"));
}

/// What goes on, however the bytes are cut.
std::string Fed(const std::string& text, std::size_t step, Trailer& trailer) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += step) {
    EXPECT_TRUE(trailer.Feed(std::string_view(text).substr(at, step), [&](std::string_view bytes) {
      out.append(bytes);
      return Status();
    }));
  }
  return out;
}

TEST(Trailer, HoldsTheLastLineBack) {
  for (const char* end : {"", "\n", "\r\n", "\n\n"}) {
    for (std::size_t step = 1; step < 20; ++step) {
      Trailer trailer("TRAILER;{rows}", "a.csv");
      EXPECT_EQ(Fed(std::string("a;b\n1;2\nTRAILER;1") + end, step, trailer), "a;b\n1;2\n");
      EXPECT_TRUE(trailer.Check(1));
      EXPECT_EQ(trailer.Check(2).error().message, "a.csv has 2 rows, and its trailer says 1");
    }
  }
  Trailer none("TRAILER;{rows}", "a.csv");
  EXPECT_EQ(Fed("a;b\n1;2\n", 3, none), "a;b\n");
  EXPECT_EQ(none.Check(0).error().message, "a.csv has no trailer: its last line is '1;2', not like 'TRAILER;{rows}'; the file is cut");
  Trailer empty("TRAILER;{rows}", "a.csv");
  EXPECT_FALSE(empty.Check(0));
}

}  // namespace
}  // namespace caudal
