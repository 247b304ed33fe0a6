// Where keys come from. The services of containers, instances and STS are canned answers in this process.
#include "store/aws_credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "base/ids.h"
#include "store/s3_stub_testing.h"

namespace caudal {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Variables = std::map<std::string, std::string>;

Environment Of(Variables variables) {
  variables.emplace("HOME", "/nonexistent");
  variables.emplace("AWS_EC2_METADATA_DISABLED", "true");
  return [variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() || found->second.empty() ? std::nullopt : std::optional(found->second);
  };
}

Result<AwsKeys> KeysOf(const Variables& variables) { return MakeCredentialChain(Of(variables), "us-east-1", SystemClock())->Keys(); }

std::string File(const std::string& text) {
  const std::string path = ::testing::TempDir() + "/aws-" + NewToken();
  std::ofstream(path) << text;
  return path;
}

/// Answers by the path without its query; 404 for others.
StubS3::Faults Canned(std::map<std::string, std::string> answers, std::vector<StubRequest>* seen = nullptr) {
  return [=](const StubRequest& request, int) {
    if (seen != nullptr) seen->push_back(request);
    const auto found = answers.find(request.path.substr(0, request.path.find('?')));
    if (found == answers.end()) return StubFault{StubFault::Kind::kAnswer, 404, "", ""};
    return StubFault{StubFault::Kind::kAnswer, 200, "", found->second};
  };
}

std::string Json(const std::string& id, const std::string& expires) {
  return R"({"AccessKeyId": ")" + id + R"(", "SecretAccessKey": "hidden", "Token": "t", "Expiration": ")" + expires + "\"}";
}

TEST(AwsCredentials, FromTheEnvironment) {
  const auto keys = KeysOf({{"AWS_ACCESS_KEY_ID", "A"}, {"AWS_SECRET_ACCESS_KEY", "S"}, {"AWS_SESSION_TOKEN", "T"}});
  EXPECT_EQ(keys->id + keys->secret + keys->session_token, "AST");
  const auto half = KeysOf({{"AWS_ACCESS_KEY_ID", "A"}});
  EXPECT_EQ(half.error().kind, ErrorKind::kInvalidArgument);
  EXPECT_THAT(half.error().message, HasSubstr("AWS_SECRET_ACCESS_KEY is not set"));
  const auto none = KeysOf({});
  EXPECT_EQ(none.error().kind, ErrorKind::kPermission);
  EXPECT_THAT(none.error().next, HasSubstr("AWS_ACCESS_KEY_ID"));
}

TEST(AwsCredentials, FromTheSharedFile) {
  const std::string file = File("# mine\n[default]\naws_access_key_id = A\naws_secret_access_key=S\n\n[work]\naws_access_key_id=B\n"
                                "aws_secret_access_key = S2\naws_session_token = T\n[half]\naws_access_key_id=C\n");
  EXPECT_EQ(KeysOf({{"AWS_SHARED_CREDENTIALS_FILE", file}})->id, "A");
  EXPECT_EQ(KeysOf({{"AWS_SHARED_CREDENTIALS_FILE", file}, {"AWS_PROFILE", "work"}})->session_token, "T");
  const auto half = KeysOf({{"AWS_SHARED_CREDENTIALS_FILE", file}, {"AWS_PROFILE", "half"}});
  EXPECT_THAT(half.error().message, HasSubstr("profile half"));
  EXPECT_THAT(KeysOf({{"AWS_SHARED_CREDENTIALS_FILE", file}, {"AWS_PROFILE", "none"}}).error().message, HasSubstr("no profile none"));
  const std::string config = File("[profile sso]\nsso_session = corp\nregion = eu-west-1\ns3 =\n  addressing_style = path\n");
  const Variables variables{{"AWS_SHARED_CREDENTIALS_FILE", file}, {"AWS_CONFIG_FILE", config}, {"AWS_PROFILE", "sso"}};
  EXPECT_EQ(KeysOf(variables).error().kind, ErrorKind::kUnsupported);
  EXPECT_EQ(AwsSetting(Of(variables), "region"), "eu-west-1");
  EXPECT_EQ(AwsSetting(Of(variables), "s3.addressing_style"), "path");
}

TEST(AwsCredentials, OfAContainer) {
  std::vector<StubRequest> seen;
  StubS3 stub(Canned({{"/creds", Json("C", "2099-01-01T00:00:00Z")}}, &seen));
  const auto keys = KeysOf({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", stub.Endpoint() + "/creds"}, {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "proof"}});
  ASSERT_TRUE(keys) << keys.error().message;
  EXPECT_EQ(keys->id, "C");
  EXPECT_EQ(seen.at(0).headers.at("authorization"), "proof");
  EXPECT_EQ(KeysOf({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.com/creds"}}).error().kind, ErrorKind::kPermission)
      << "the token goes to no stranger";
}

TEST(AwsCredentials, OfAnInstance) {
  std::vector<StubRequest> seen;
  const std::string base = "/latest/meta-data/iam/security-credentials/";
  StubS3 stub(Canned({{"/latest/api/token", "session"}, {base, "lake-role"}, {base + "lake-role", Json("I", "2099-01-01T00:00:00Z")}}, &seen));
  const auto keys = KeysOf({{"AWS_EC2_METADATA_DISABLED", "false"}, {"AWS_EC2_METADATA_SERVICE_ENDPOINT", stub.Endpoint()}});
  ASSERT_TRUE(keys) << keys.error().message;
  EXPECT_EQ(keys->id, "I");
  EXPECT_EQ(seen.front().method, "PUT");
  EXPECT_EQ(seen.back().headers.at("x-aws-ec2-metadata-token"), "session");
}

TEST(AwsCredentials, OfAWebIdentity) {
  std::vector<StubRequest> seen;
  const std::string answer =
      "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleWithWebIdentityResult><Credentials>"
      "<AccessKeyId>W</AccessKeyId><SecretAccessKey>hidden</SecretAccessKey><SessionToken>t</SessionToken>"
      "<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>";
  StubS3 stub(Canned({{"/", answer}}, &seen));
  const Variables variables{{"AWS_WEB_IDENTITY_TOKEN_FILE", File("a.b/c=\n")}, {"AWS_ROLE_ARN", "arn:aws:iam::1:role/x"},
                            {"AWS_ENDPOINT_URL_STS", stub.Endpoint()}};
  const auto keys = KeysOf(variables);
  ASSERT_TRUE(keys) << keys.error().message;
  EXPECT_EQ(keys->id, "W");
  EXPECT_THAT(seen.at(0).body, HasSubstr("WebIdentityToken=a.b%2Fc%3D"));
  StubS3 refuses([](const StubRequest&, int) { return StubFault{StubFault::Kind::kAnswer, 403, "AccessDenied", ""}; });
  Variables other = variables;
  other["AWS_ENDPOINT_URL_STS"] = refuses.Endpoint();
  EXPECT_EQ(KeysOf(other).error().kind, ErrorKind::kPermission);
  EXPECT_THAT(KeysOf(other).error().ToString(), Not(HasSubstr("a.b")));
}

TEST(AwsCredentials, AreAskedAgainBeforeTheyEnd) {
  FakeClock clock(*ParseTimestamp("2026-01-01T00:00:00Z"));
  int asked = 0;
  StubS3 stub([&](const StubRequest&, int) {
    ++asked;
    return StubFault{StubFault::Kind::kAnswer, 200, "", Json("K" + std::to_string(asked), "2026-01-01T01:00:00Z")};
  });
  auto chain = MakeCredentialChain(Of({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", stub.Endpoint() + "/c"}}), "us-east-1", clock);
  EXPECT_EQ(chain->Keys()->id, "K1");
  clock.Advance(std::chrono::minutes(54));
  EXPECT_EQ(chain->Keys()->id, "K1") << "kept while they are good";
  clock.Advance(std::chrono::minutes(2));
  EXPECT_EQ(chain->Keys()->id, "K2") << "five minutes before the end";
  const AwsKeys old = *chain->Keys();
  chain->Refused(old);
  EXPECT_NE(chain->Keys()->id, old.id);
}

TEST(S3Options, FromWhatTheToolsOfAwsLookAt) {
  const auto options = [](const std::string& url, Variables variables) { return S3OptionsOf(url, Of(std::move(variables)), SystemClock()); };
  const auto plain = options("s3://lake-1/a/b/", {});
  EXPECT_EQ(plain->bucket + " " + plain->prefix + " " + plain->region, "lake-1 a/b us-east-1");
  EXPECT_FALSE(plain->path_style);
  EXPECT_TRUE(options("s3://with.dots", {})->path_style);
  const auto own = options("s3://lake", {{"AWS_ENDPOINT_URL", "http://127.0.0.1:9000/"}, {"AWS_DEFAULT_REGION", "eu-central-1"}});
  EXPECT_EQ(own->endpoint + " " + own->region, "http://127.0.0.1:9000 eu-central-1");
  EXPECT_TRUE(own->path_style);
  EXPECT_FALSE(options("s3://lake", {{"AWS_ENDPOINT_URL", "http://h"}, {"AWS_S3_ADDRESSING_STYLE", "virtual"}})->path_style);
  for (const char* url : {"s3:/x", "s3://", "s3://ab", "s3://UPPER", "s3://a..b", "s3://lake//x", "s3://lake/../x", "s3://lake/a?b", "gs://lake"}) {
    EXPECT_EQ(options(url, {}).error().kind, ErrorKind::kInvalidArgument) << url;
  }
  for (const char* endpoint : {"127.0.0.1:9000", "http://user:secret@h", "http://h/path"}) {
    const auto refused = options("s3://lake", {{"AWS_ENDPOINT_URL", endpoint}});
    EXPECT_EQ(refused.error().kind, ErrorKind::kInvalidArgument) << endpoint;
    EXPECT_THAT(refused.error().ToString(), Not(HasSubstr("secret@")));
  }
}

}  // namespace
}  // namespace caudal
