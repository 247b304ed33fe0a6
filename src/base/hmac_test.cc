#include "base/hmac.h"

#include <gtest/gtest.h>

namespace caudal {
namespace {

TEST(Hmac, AgreesWithRfc4231AndRfc4648) {
  const std::string digest = HmacSha256("Jefe", "what do ya want for nothing?");
  EXPECT_EQ(ToBase64(digest), "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=");
  EXPECT_EQ(ToBase64(""), "");
  EXPECT_EQ(ToBase64("f"), "Zg==");
  EXPECT_EQ(ToBase64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(FromBase64("Zg=="), "f");
  EXPECT_EQ(FromBase64("Zm9vYmFy"), "foobar");
  EXPECT_EQ(FromBase64(""), "");
  EXPECT_FALSE(FromBase64("Zg="));
  EXPECT_FALSE(FromBase64("Z g="));
}

}  // namespace
}  // namespace caudal
