// The cases that AWS publishes for S3 (sig-v4-header-based-auth.html, sigv4-query-string-auth.html).
#include "store/s3_sign.h"

#include <gtest/gtest.h>

#include "base/ids.h"

namespace caudal {
namespace {

const AwsKeys kKeys{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "", {}};

Timestamp Then() { return *ParseTimestamp("2013-05-24T00:00:00Z"); }

std::string SignatureOf(const SignedRequest& request) {
  const std::string text = SignatureHeaders(request, kKeys, "us-east-1", Then()).at("authorization");
  return text.substr(text.rfind('=') + 1);
}

SignedRequest Request(std::string method, std::string path, S3Query query, std::map<std::string, std::string> headers,
                      std::string_view body) {
  return {std::move(method), "examplebucket.s3.amazonaws.com", std::move(path), std::move(query), std::move(headers), Sha256Hex(body)};
}

TEST(S3Sign, PublishedHeaderCases) {
  EXPECT_EQ(SignatureOf(Request("GET", "/test.txt", {}, {{"range", "bytes=0-9"}}, "")),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
  EXPECT_EQ(SignatureOf(Request("PUT", "/test%24file.text", {},
                                {{"date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
                                "Welcome to Amazon S3.")),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
  EXPECT_EQ(SignatureOf(Request("GET", "/", {{"lifecycle", ""}}, {}, "")),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
  EXPECT_EQ(SignatureOf(Request("GET", "/", {{"prefix", "J"}, {"max-keys", "2"}}, {}, "")),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST(S3Sign, PublishedPresignedUrl) {
  SignedRequest request{"GET", "examplebucket.s3.amazonaws.com", "/test.txt", {}, {}, ""};
  EXPECT_EQ(PresignedQuery(request, kKeys, "us-east-1", Then(), std::chrono::hours(24)),
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
            "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
            "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

TEST(S3Sign, TemporaryKeysSignTheirToken) {
  AwsKeys keys = kKeys;
  keys.session_token = "token";
  const auto headers = SignatureHeaders(Request("GET", "/", {}, {}, ""), keys, "us-east-1", Then());
  EXPECT_EQ(headers.at("x-amz-security-token"), "token");
  EXPECT_NE(headers.at("authorization").find("SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,"), std::string::npos);
  SignedRequest request{"GET", "h", "/k", {}, {}, ""};
  EXPECT_NE(PresignedQuery(request, keys, "us-east-1", Then(), std::chrono::hours(1)).find("X-Amz-Security-Token=token"), std::string::npos);
}

TEST(S3Sign, EncodesAllThatIsReserved) {
  EXPECT_EQ(PercentEncoded("a b/ñ+=~-._*", true), "a%20b/%C3%B1%2B%3D~-._%2A");
  EXPECT_EQ(PercentEncoded("a/b", false), "a%2Fb");
  EXPECT_EQ(EncodedQuery({{"prefix", "a/"}, {"list-type", "2"}, {"after", ""}}), "after=&list-type=2&prefix=a%2F");
}

}  // namespace
}  // namespace caudal
