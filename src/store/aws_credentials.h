// Where the keys of an AWS account come from, and that they are fresh. Thread-safe. No error holds a secret.
// Order: environment, web identity, shared file, container, instance metadata; the first that is set up decides.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace caudal {

struct AwsKeys {
  std::string id;
  std::string secret;
  std::string session_token;         // "" = keys that last
  std::optional<Timestamp> expires;  // none = never
};

/// The value of an environment variable; none where it is not set or empty.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
Environment ProcessEnvironment();

/// Sections of an INI file as AWS's tools write it: "default", "profile x" -> key -> value. What is no line of one is left out.
std::map<std::string, std::map<std::string, std::string>> ParseAwsFile(std::string_view text);

/// One setting of the profile in force: ~/.aws/config (AWS_CONFIG_FILE), of AWS_PROFILE or "default".
std::optional<std::string> AwsSetting(const Environment& environment, const std::string& key);

class AwsCredentials {
 public:
  virtual ~AwsCredentials() = default;
  /// Keys that are good for five minutes at least, or as long as the source gives them.
  /// Errors: kPermission naming every place that was looked at, kUnavailable, kInvalidArgument.
  virtual Result<AwsKeys> Keys() = 0;
  /// A server refused `keys` as expired or unknown: they are not handed out again.
  virtual void Refused(const AwsKeys& keys) = 0;
};

/// Keys that never change.
std::unique_ptr<AwsCredentials> MakeFixedCredentials(AwsKeys keys);
/// The chain above. `region` is that of STS. `clock` outlives it.
std::unique_ptr<AwsCredentials> MakeCredentialChain(Environment environment, std::string region, const Clock& clock);

}  // namespace caudal
