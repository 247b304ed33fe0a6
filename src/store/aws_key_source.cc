#include "store/aws_key_source.h"

#include <fmt/format.h>

#include <fstream>
#include <sstream>
#include <thread>

#include "base/json.h"
#include "store/s3_sign.h"
#include "store/xml.h"

namespace caudal {
namespace {

using MaybeKeys = Result<std::optional<AwsKeys>>;

constexpr int kTries = 3;
constexpr std::chrono::milliseconds kPause{300};
constexpr const char* kMetadataHost = "http://169.254.169.254";
constexpr const char* kContainerHost = "http://169.254.170.2";

std::optional<std::string> TextOfFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  std::ostringstream text;
  text << in.rdbuf();
  std::string content = text.str();
  while (!content.empty() && (content.back() == '\n' || content.back() == '\r' || content.back() == ' ')) content.pop_back();
  return content;
}

Error BadAnswer(const std::string& place) {
  return Error{ErrorKind::kPermission, "the " + place + " gives no keys", "see whether a role is attached", ""};
}

/// {"AccessKeyId", "SecretAccessKey", "Token", "Expiration"}: containers and instances answer alike.
Result<AwsKeys> KeysOfJson(const std::string& text, const std::string& place) {
  const auto json = ParseJson(text, "the answer of the " + place);
  if (!json || !json->is_object()) return BadAnswer(place);  // the parser's message could quote a secret
  AwsKeys keys{JsonString(*json, "AccessKeyId", ""), JsonString(*json, "SecretAccessKey", ""), JsonString(*json, "Token", ""), {}};
  if (keys.id.empty() || keys.secret.empty()) return BadAnswer(place);
  if (auto expires = ParseTimestamp(JsonString(*json, "Expiration", ""))) keys.expires = *expires;
  return keys;
}

/// AWS's rule: the token that goes with the request may go to TLS, to this machine, or to the two container addresses.
bool MayCarryToken(const std::string& url) {
  if (url.starts_with("https://")) return true;
  for (const char* host : {"http://127.", "http://localhost:", "http://localhost/", "http://[::1]", "http://169.254.170.2", "http://169.254.170.23",
                           "http://[fd00:ec2::23]"}) {
    if (url.starts_with(host)) return true;
  }
  return false;
}

WireOptions Impatient() {
  WireOptions options;
  options.connect_timeout = std::chrono::milliseconds(1'000);
  options.stall = std::chrono::seconds(5);
  options.timeout = std::chrono::seconds(10);
  return options;
}

}  // namespace

AwsKeySource::AwsKeySource(Environment environment, std::string region) : x_environment(std::move(environment)), x_region(std::move(region)) {}

Result<AwsKeys> AwsKeySource::Ask() const {
  for (auto from : {&AwsKeySource::FromEnvironment, &AwsKeySource::FromWebIdentity, &AwsKeySource::FromSharedFile,
                    &AwsKeySource::FromContainer, &AwsKeySource::FromInstance}) {
    TRY_ASSIGN(std::optional<AwsKeys> keys, (this->*from)());
    if (keys) return *std::move(keys);
  }
  return Error{ErrorKind::kPermission,
               "there are no AWS keys: not in the environment, not of a web identity, not in ~/.aws/credentials" +
                   (x_environment("AWS_PROFILE") ? " (profile " + *x_environment("AWS_PROFILE") + ")" : std::string()) +
                   ", not of a container, not of an instance",
               "export AWS_ACCESS_KEY_ID=... and AWS_SECRET_ACCESS_KEY=..., or set a profile up (docs/s3.md)", ""};
}

MaybeKeys AwsKeySource::FromEnvironment() const {
  const auto id = x_environment("AWS_ACCESS_KEY_ID");
  const auto secret = x_environment("AWS_SECRET_ACCESS_KEY");
  if (!id && !secret) return std::optional<AwsKeys>();
  if (!id || !secret) {
    return Error{ErrorKind::kInvalidArgument, std::string("half of the AWS keys is in the environment: ") + (id ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID") + " is not set",
                 "export both, or neither", ""};
  }
  return std::optional<AwsKeys>(AwsKeys{*id, *secret, x_environment("AWS_SESSION_TOKEN").value_or(""), {}});
}

MaybeKeys AwsKeySource::FromSharedFile() const {
  const std::string path = x_environment("AWS_SHARED_CREDENTIALS_FILE").value_or(x_environment("HOME").value_or("") + "/.aws/credentials");
  const auto named = x_environment("AWS_PROFILE");
  const std::string profile = named.value_or("default");
  const auto text = TextOfFile(path);
  const auto sections = ParseAwsFile(text.value_or(""));
  const auto section = sections.find(profile);
  if (section == sections.end()) {
    if (!named) return std::optional<AwsKeys>();
    for (const char* other : {"credential_process", "sso_session", "sso_start_url", "source_profile"}) {
      if (AwsSetting(x_environment, other)) {
        return Error{ErrorKind::kUnsupported, "the profile " + profile + " gets its keys by " + other + ", which Caudal does not do",
                     "`aws configure export-credentials --format env` prints keys for the environment", ""};
      }
    }
    return Error{ErrorKind::kPermission, "there is no profile " + profile + " in " + path, "write it there, or take AWS_PROFILE away", ""};
  }
  const auto value = [&](const char* key) {
    const auto found = section->second.find(key);
    return found == section->second.end() ? std::string() : found->second;
  };
  AwsKeys keys{value("aws_access_key_id"), value("aws_secret_access_key"), value("aws_session_token"), {}};
  if (keys.id.empty() || keys.secret.empty()) {
    return Error{ErrorKind::kPermission, "the profile " + profile + " of " + path + " lacks aws_access_key_id or aws_secret_access_key",
                 "write both", ""};
  }
  return std::optional<AwsKeys>(std::move(keys));
}

Result<WireReply> AwsKeySource::Get(Wire& wire, const WireRequest& request, const std::string& place) const {
  for (int attempt = 1;; ++attempt) {
    WireOutcome outcome = wire.Send(request);
    if (outcome.answered && outcome.reply.status < 300) return std::move(outcome.reply);
    const bool again = !outcome.answered || outcome.reply.status >= 500 || outcome.reply.status == 429;
    if (!again || attempt >= kTries) {
      if (!outcome.answered) return outcome.error;
      return Error{again ? ErrorKind::kUnavailable : ErrorKind::kPermission, fmt::format("the {} answers {}", place, outcome.reply.status),
                   "see whether the role is there and may be used", ""};
    }
    std::this_thread::sleep_for(kPause * attempt);
  }
}

MaybeKeys AwsKeySource::FromWebIdentity() const {
  const auto file = x_environment("AWS_WEB_IDENTITY_TOKEN_FILE");
  const auto role = x_environment("AWS_ROLE_ARN");
  const auto path = file ? file : AwsSetting(x_environment, "web_identity_token_file");
  const auto arn = role ? role : AwsSetting(x_environment, "role_arn");
  if (!path) return std::optional<AwsKeys>();
  if (!arn) return Error{ErrorKind::kInvalidArgument, "there is a web identity token and no role for it", "set AWS_ROLE_ARN", ""};
  const auto token = TextOfFile(*path);
  if (!token || token->empty()) return Error{ErrorKind::kPermission, "there is no web identity token in " + *path, "see who writes it", ""};
  const std::string name = x_environment("AWS_ROLE_SESSION_NAME").value_or("caudal");
  std::string endpoint = "https://sts." + x_region + ".amazonaws.com";
  if (const auto own = x_environment("AWS_ENDPOINT_URL_STS")) endpoint = *own;
  const std::string body = EncodedQuery({{"Action", "AssumeRoleWithWebIdentity"},
                                         {"Version", "2011-06-15"},
                                         {"RoleArn", *arn},
                                         {"RoleSessionName", name},
                                         {"WebIdentityToken", *token}});
  WireOptions options = Impatient();
  options.connect_timeout = std::chrono::milliseconds(5'000);
  options.ca_file = x_environment("AWS_CA_BUNDLE").value_or("");
  Wire wire(options);
  WireRequest request{"POST", endpoint + "/", {{"content-type", "application/x-www-form-urlencoded"}}, body};
  const std::string place = "token service for " + *arn;
  TRY_ASSIGN(const WireReply reply, Get(wire, request, place));
  TRY_ASSIGN(const XmlNode xml, ParseXml(reply.body));
  const XmlNode* result = xml.Find("AssumeRoleWithWebIdentityResult");
  const XmlNode* given = result != nullptr ? result->Find("Credentials") : nullptr;
  if (given == nullptr) return BadAnswer(place);
  AwsKeys keys{given->TextOf("AccessKeyId"), given->TextOf("SecretAccessKey"), given->TextOf("SessionToken"), {}};
  if (auto expires = ParseTimestamp(given->TextOf("Expiration"))) keys.expires = *expires;
  if (keys.id.empty() || keys.secret.empty()) return BadAnswer(place);
  return std::optional<AwsKeys>(std::move(keys));
}

MaybeKeys AwsKeySource::FromContainer() const {
  const auto relative = x_environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  const auto full = x_environment("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  if (!relative && !full) return std::optional<AwsKeys>();
  const std::string url = relative ? kContainerHost + *relative : *full;
  if (!MayCarryToken(url)) {
    return Error{ErrorKind::kPermission, "AWS_CONTAINER_CREDENTIALS_FULL_URI names a host that must not see the token", "use https, or an address of this machine", ""};
  }
  auto token = x_environment("AWS_CONTAINER_AUTHORIZATION_TOKEN");
  if (const auto file = x_environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")) token = TextOfFile(*file);
  WireRequest request{"GET", url, {}, {}};
  if (token && !token->empty()) request.headers["authorization"] = *token;
  Wire wire(Impatient());
  TRY_ASSIGN(const WireReply reply, Get(wire, request, "container's credentials endpoint"));
  TRY_ASSIGN(AwsKeys keys, KeysOfJson(reply.body, "container's credentials endpoint"));
  return std::optional<AwsKeys>(std::move(keys));
}

/// Version 2 only: a token first, so that a proxy which can be made to GET cannot reach the keys.
MaybeKeys AwsKeySource::FromInstance() const {
  if (x_environment("AWS_EC2_METADATA_DISABLED").value_or("") == "true") return std::optional<AwsKeys>();
  const std::string host = x_environment("AWS_EC2_METADATA_SERVICE_ENDPOINT").value_or(kMetadataHost);
  const std::string base = host.ends_with('/') ? host.substr(0, host.size() - 1) : host;
  const std::string place = "instance metadata service";
  Wire wire(Impatient());
  const WireOutcome session =
      wire.Send({"PUT", base + "/latest/api/token", {{"x-aws-ec2-metadata-token-ttl-seconds", "21600"}}, {}});
  if (!session.answered || session.reply.status != 200) return std::optional<AwsKeys>();  // this machine is no instance
  const std::map<std::string, std::string> headers{{"x-aws-ec2-metadata-token", session.reply.body}};
  const std::string roles = base + "/latest/meta-data/iam/security-credentials/";
  const WireOutcome listed = wire.Send({"GET", roles, headers, {}});
  if (listed.answered && listed.reply.status == 404) return std::optional<AwsKeys>();  // an instance without a role
  TRY_ASSIGN(const WireReply names, Get(wire, {"GET", roles, headers, {}}, place));
  const std::string role = names.body.substr(0, names.body.find('\n'));
  TRY_ASSIGN(const WireReply reply, Get(wire, {"GET", roles + PercentEncoded(role, false), headers, {}}, place));
  TRY_ASSIGN(AwsKeys keys, KeysOfJson(reply.body, place));
  return std::optional<AwsKeys>(std::move(keys));
}

}  // namespace caudal
