#include "serve/web_files.h"

#include <gtest/gtest.h>

#include <string>

namespace caudal {
namespace {

bool IsGzip(std::string_view bytes) { return bytes.size() > 20 && bytes.substr(0, 3) == "\x1f\x8b\x08"; }

TEST(WebFiles, ThePageIsThere) {
  const WebFile* page = FindWebFile("/index.html");
  ASSERT_NE(page, nullptr);
  EXPECT_TRUE(IsGzip(page->bytes));
  EXPECT_EQ(page->media_type, "text/html; charset=utf-8");
  EXPECT_FALSE(page->immutable);  // its name stays the same
  EXPECT_EQ(page->etag.size(), 22U);
  EXPECT_EQ(page->etag.front(), '"');
  EXPECT_EQ(page->etag.back(), '"');
}

TEST(WebFiles, EachFileIsItsOwn) {
  const WebFile* page = FindWebFile("/index.html");
  const WebFile* icon = FindWebFile("/icon.svg");
  ASSERT_NE(page, nullptr);
  ASSERT_NE(icon, nullptr);
  EXPECT_TRUE(IsGzip(icon->bytes));
  EXPECT_EQ(icon->media_type, "image/svg+xml");
  EXPECT_NE(icon->etag, page->etag);
}

TEST(WebFiles, NothingElseIs) {
  for (const char* path : {"", "/", "index.html", "/index.html/", "/assets", "/assets/", "/../CMakeLists.txt", "/INDEX.HTML"}) {
    EXPECT_EQ(FindWebFile(path), nullptr) << path;
  }
}

}  // namespace
}  // namespace caudal
