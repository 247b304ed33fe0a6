#include "base/ids.h"

#include <gtest/gtest.h>

#include <set>

#include "base/error.h"
#include "base/json.h"

namespace caudal {
namespace {

TEST(IdsTest, Sha256OfKnownText) {
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Sha256 digest;
  digest.Update("a");
  digest.Update("bc");
  EXPECT_EQ(digest.Hex(), Sha256Hex("abc"));
}

TEST(IdsTest, UuidsDifferAndHaveVersionFour) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(NewUuid());
  EXPECT_EQ(seen.size(), 1000u);
  EXPECT_EQ((*seen.begin())[14], '4');
}

TEST(JsonTest, NamesTheDocumentAndTheByte) {
  auto json = ParseJson("{\"a\":", "cursor");
  ASSERT_FALSE(json);
  EXPECT_EQ(json.error().kind, ErrorKind::kCorruption);
  EXPECT_NE(json.error().message.find("cursor"), std::string::npos);
}

TEST(ErrorTest, EveryKindHasANameThatReadsBack) {
  for (int i = 0; i <= static_cast<int>(ErrorKind::kInternal); ++i) {
    auto kind = static_cast<ErrorKind>(i);
    EXPECT_EQ(KindFromName(KindName(kind)), kind);
  }
}

}  // namespace
}  // namespace caudal
