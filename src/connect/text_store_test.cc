#include "connect/text_store.h"

#include <gtest/gtest.h>

#include "connect/source_testing.h"

namespace caudal {
namespace {

TEST(TextStore, GivesEachTextBackInAnyOrder) {
  const TempFolder folder;
  {
    TextStore store(folder.path());
    EXPECT_EQ(store.size(), 0);
    const auto text = [](std::int64_t i) { return std::to_string(i * i) + std::string(static_cast<std::size_t>(i % 997), 'x'); };
    const std::int64_t count = 100'000;  // more bytes than its pages hold
    for (std::int64_t i = 0; i < count; ++i) ASSERT_TRUE(store.Add(i == 7 ? std::string(50'000, 'y') : text(i)));
    ASSERT_TRUE(store.Close());
    ASSERT_EQ(store.size(), count);
    EXPECT_EQ(*store.At(7), std::string(50'000, 'y'));
    for (std::int64_t i = 8; i < count; i += 101) ASSERT_EQ(*store.At(count - 1 - i + 8), text(count - 1 - i + 8));
    EXPECT_EQ(*store.At(0), "0");
    EXPECT_FALSE(std::filesystem::is_empty(folder.path()));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace caudal
